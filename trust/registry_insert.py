"""Adding a table to one party of a registry text, so that everything else in it stays."""

from __future__ import annotations

import re

from trust.identity import PartyId

_TABLE = re.compile(r"^\s*\[")
_PARTY = re.compile(r"^\s*\[\[\s*party\s*\]\]\s*(#.*)?$")
_OF_PARTY = re.compile(r"^\s*\[{1,2}\s*party\s*\.")


def with_party_table(text: str, party: PartyId, block: str) -> str | None:
    """The text with ``block`` behind the last table of that party; ``None`` if it is not there.

    ``block`` is a whole table, such as ``[[party.key]]`` with its lines. The caller reads the
    result again before it trusts it.
    """
    lines = text.splitlines()
    identifier = re.compile(rf"""^\s*id\s*=\s*["']{re.escape(party)}["']\s*(#.*)?$""")
    for number, line in enumerate(lines):
        if not _PARTY.match(line):
            continue
        rest = range(number + 1, len(lines))
        body = next((n for n in rest if _TABLE.match(lines[n])), len(lines))
        if not any(identifier.match(lines[n]) for n in range(number + 1, body)):
            continue
        end = next(
            (n for n in rest if _TABLE.match(lines[n]) and not _OF_PARTY.match(lines[n])),
            len(lines),
        )
        # What stands between the last line of the party and the next table speaks of the latter.
        while end > number + 1 and lines[end - 1].strip()[:1] in ("", "#"):
            end -= 1
        return "\n".join([*lines[:end], "", block.strip("\n"), *lines[end:], ""])
    return None
