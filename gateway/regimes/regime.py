"""The seam of admission rules and the weighing of their findings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import msgspec

from translators.canonical import Message
from translators.faults import Fault, Severity


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
