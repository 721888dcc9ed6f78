"""The seam of admission rules and the weighing of their findings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import msgspec

from translators.canonical import Message
from translators.faults import Fault, Severity
from translators.translator import Entry


class Regime(Protocol):
    """A set of admission rules."""

    def check(self, message: Message) -> tuple[Fault, ...]:
        """Every fault of a message under these rules; never raises."""

    def check_draft(self, kind: str | None, draft: Any) -> tuple[Fault, ...]:
        """What can already be said of a message that could not be understood; never raises.

        ``draft`` is a mapping of what was read, as plain values of any type.
        """


def weigh(faults: Iterable[Fault], severities: Mapping[str, str]) -> tuple[Fault, ...]:
    """Faults with the severity that the configuration gives their code; ``ignore`` removes."""
    weighed = []
    for fault in faults:
        severity = severities.get(fault.code)
        if severity == "ignore":
            continue
        if severity is not None and severity != fault.severity:
            fault = msgspec.structs.replace(fault, severity=Severity(severity))
        weighed.append(fault)
    return tuple(weighed)


def examine(entry: Entry, regimes: Iterable[Regime]) -> tuple[Fault, ...]:
    """What rules find in one entry of a document, with its place there; beside what it says itself.

    Of an entry that could not be understood, what can be said of its draft.
    """
    if entry.message is not None:
        found = [fault for regime in regimes for fault in regime.check(entry.message)]
    elif entry.draft is not None:
        said = {fault.path for fault in entry.faults}
        kind = entry.draft.get("type")
        drafted = (fault for regime in regimes for fault in regime.check_draft(kind, entry.draft))
        found = [fault for fault in drafted if fault.path not in said]
    else:
        return ()
    return located(found, entry)


def located(faults: Iterable[Fault], entry: Entry) -> tuple[Fault, ...]:
    """Faults that were found later, with the place in the sender's own document."""
    if entry.locate is None:
        return tuple(faults)
    found = []
    for fault in faults:
        if fault.path and fault.source_path is None and fault.line is None:
            source_path, line = entry.locate(fault.path)
            fault = msgspec.structs.replace(fault, source_path=source_path, line=line)
        found.append(fault)
    return tuple(found)
