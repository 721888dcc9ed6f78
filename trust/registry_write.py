"""The registry as TOML: written whole, or changed in place so that comments survive."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import msgspec

from trust.identity import PartyId
from trust.members import Authority, Party, Policy

_TABLE = re.compile(r"^\s*\[")
_PARTY_TABLE = re.compile(r"^\s*\[\[\s*party\s*\]\]\s*(#.*)?$")


def write_registry(
    version: int,
    authorities: Iterable[Authority],
    parties: Iterable[Party],
    *,
    policy: Policy,
    delegations: Iterable[str],
) -> str:
    """TOML that ``read_registry`` reads back to the same rows."""
    held = tuple(authorities)
    blocks = [f"version = {version}\n"]
    if policy != Policy():
        blocks.append(write_table("[policy]", policy))
    blocks += [write_table("[[authority]]", a) for a in held if a.private_to is None]
    blocks += [write_party(party, held) for party in parties]
    blocks += [write_delegation(token) for token in delegations]
    return "\n".join(blocks)


def write_delegation(token: str) -> str:
    """One ``[[delegation]]``."""
    return f"[[delegation]]\ntoken = {_string(token)}\n"


def write_party(party: Party, authorities: Iterable[Authority] = ()) -> str:
    """One ``[[party]]`` with its keys and grants, and those of the authorities that are its own."""
    own = [authority for authority in authorities if authority.private_to == party.id]
    named = {authority.id for authority in own}
    public = tuple(name for name in party.authorities if name not in named)
    blocks = [
        write_table(
            "[[party]]",
            msgspec.structs.replace(party, authorities=public),
            skip={"signing_keys", "grants", "severities"},
        )
    ]
    if party.severities:
        lines = [f"{_string(code)} = {_value(weight)}" for code, weight in party.severities.items()]
        blocks.append("\n".join(["[party.severities]", *lines, ""]))
    blocks += [write_table("[[party.authority]]", a, skip={"private_to"}) for a in own]
    blocks += [write_table("[[party.key]]", key) for key in party.signing_keys]
    blocks += [write_table("[[party.grant]]", grant) for grant in party.grants]
    return "\n".join(blocks)


def write_table(header: str, row: msgspec.Struct, *, skip: Iterable[str] = ()) -> str:
    """A table of what differs from the row type's defaults."""
    lines = [header]
    for field in msgspec.structs.fields(row):
        value = getattr(row, field.name)
        if field.name not in skip and (field.required or value != field.default):
            lines.append(f"{field.name} = {_value(value)}")
    return "\n".join([*lines, ""])


def with_suspended(text: str, party: PartyId, *, suspended: bool) -> str | None:
    """The registry text with that party's ``suspended`` set; ``None`` if it is not there.

    Only that line changes. The caller reads the result again before it trusts it.
    """
    lines = text.splitlines(keepends=True)
    identifier = re.compile(rf"""^\s*id\s*=\s*["']{re.escape(party)}["']\s*(#.*)?$""")
    for start, end in _party_bodies(lines):
        at = next((n for n in range(start, end) if identifier.match(lines[n].rstrip())), None)
        if at is None:
            continue
        kept = [line for line in lines[start:end] if not re.match(r"\s*suspended\s*=", line)]
        ending = [] if lines[at].endswith("\n") else ["\n"]
        new = [*ending, "suspended = true\n"] if suspended else []
        place = kept.index(lines[at]) + 1
        return "".join([*lines[:start], *kept[:place], *new, *kept[place:], *lines[end:]])
    return None


def _party_bodies(lines: list[str]) -> Iterator[tuple[int, int]]:
    """Where the plain keys of each ``[[party]]`` begin and end."""
    for number, line in enumerate(lines):
        if _PARTY_TABLE.match(line.rstrip()):
            following = range(number + 1, len(lines))
            end = next((n for n in following if _TABLE.match(lines[n])), len(lines))
            yield number + 1, end


def _value(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case msgspec.Struct():
            own = {name: of for name, of in msgspec.structs.asdict(value).items() if of is not None}
            return f"{{ {', '.join(f'{name} = {_value(of)}' for name, of in own.items())} }}"
        case datetime():
            return value.isoformat()
        case str():
            return _string(value)
        case frozenset():
            return _value(sorted(value))
        case _:
            return f"[{', '.join(_value(item) for item in value)}]"


def _string(value: str) -> str:
    """A TOML basic string, or a multi-line one for PEM (TOML 1.0, string)."""
    if value.startswith("-----BEGIN ") and '"' not in value and "\\" not in value:
        return f'"""\n{value}"""'
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
