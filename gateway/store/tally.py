"""What an acceptance adds to the counts of its sender's data quality. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date

import msgspec

from gateway.core.records import Acceptance, State
from trust.identity import PartyId

JudgedKey = tuple[PartyId, date, str]
"""Party, day (UTC) and kind of message."""
FoundKey = tuple[PartyId, date, str, str]
"""The same and a fault code."""


class _Fault(msgspec.Struct, frozen=True):
    code: str


class _Outcome(msgspec.Struct, frozen=True):
    ordinal: int
    status: State
    kind: str | None = None
    faults: tuple[_Fault, ...] = ()


_outcomes = msgspec.json.Decoder(tuple[_Outcome, ...])


class Tally:
    """Counts that grow: messages and refusals by sender, messages and findings by fault code."""

    def __init__(self) -> None:
        self.judged: dict[JudgedKey, tuple[int, int]] = {}
        self.found: dict[FoundKey, tuple[int, int]] = {}

    def count_judged(self, key: JudgedKey, messages: int, refused: int) -> None:
        """Add judged messages, and how many of them were refused."""
        before = self.judged.get(key, (0, 0))
        self.judged[key] = (before[0] + messages, before[1] + refused)

    def count_found(self, key: FoundKey, messages: int, findings: int) -> None:
        """Add findings, and how many messages they are in."""
        before = self.found.get(key, (0, 0))
        self.found[key] = (before[0] + messages, before[1] + findings)

    @staticmethod
    def of(acceptance: Acceptance) -> Tally:
        """Count the messages of one judged interchange.

        Faults of the interchange as a whole (ordinal 0) say nothing about the data in messages.
        """
        tally = Tally()
        party, day = acceptance.party, acceptance.received_at.astimezone(UTC).date()
        for outcome in _outcomes.decode(acceptance.outcomes):
            if outcome.ordinal == 0:
                continue
            kind = outcome.kind or ""
            tally.count_judged((party, day, kind), 1, outcome.status is State.REFUSED)
            for code, findings in Counter(fault.code for fault in outcome.faults).items():
                tally.count_found((party, day, kind, code), 1, findings)
        return tally

    @staticmethod
    def sum(tallies: Iterable[Tally]) -> Tally:
        """All of them together."""
        whole = Tally()
        for tally in tallies:
            for key, counts in tally.judged.items():
                whole.count_judged(key, *counts)
            for code, counts in tally.found.items():
                whole.count_found(code, *counts)
        return whole
