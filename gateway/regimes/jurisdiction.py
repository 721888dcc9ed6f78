"""A jurisdiction's own admission rules, as a table in a TOML file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from translators.canonical import Message, kind_of
from translators.faults import Fault, Severity


class Requirement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule: for messages of ``kind`` to the jurisdiction, ``path`` must be filled.

    ``natures`` limits it to some natures of transaction. A path step ``*`` means every entry.
    """

    id: str
    kind: str
    path: str
    text: str
    natures: tuple[str, ...] = ()
    severity: Severity = Severity.ERROR


class Jurisdiction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The rules of one destination country, with their source and date."""

    country: str
    source: str
    valid_from: str
    requirements: tuple[Requirement, ...] = ()

    def check(self, message: Message) -> tuple[Fault, ...]:
        """Every requirement that a message to this country does not meet."""
        if getattr(message, "destination_country", None) != self.country:
            return ()
        kind = kind_of(message)
        nature = getattr(message, "nature", None)
        return tuple(
            Fault(code=f"regime.{rule.id}", path=path, detail=rule.text, severity=rule.severity)
            for rule in self.requirements
            if rule.kind == kind and (not rule.natures or nature in rule.natures)
            for path in _empty(message, rule.path.strip("/").split("/"), "")
        )

    def check_draft(self, kind: str | None, draft: Any) -> tuple[Fault, ...]:
        """Nothing: what is missing in a draft may be what could not be read."""
        return ()


def _empty(value: Any, steps: list[str], path: str) -> Iterator[str]:
    """Pointers at which nothing stands although ``steps`` leads there."""
    if not steps:
        if value is None or value in ("", ()):
            yield path
        return
    step, rest = steps[0], steps[1:]
    if step == "*":
        for index, entry in enumerate(value or ()):
            yield from _empty(entry, rest, f"{path}/{index}")
    elif value is None:
        yield f"{path}/{'/'.join(steps)}"
    else:
        yield from _empty(getattr(value, step, None), rest, f"{path}/{step}")
