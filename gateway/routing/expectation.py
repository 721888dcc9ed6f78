"""Expectations: rows of the configuration that say what is to be answered, by whom and when."""

from __future__ import annotations

import msgspec

from gateway.core.bounds import Seconds
from gateway.core.kinds import speaks_of
from gateway.core.records import Escalation, Expected
from gateway.routing.endpoint import Endpoint


class Expectation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row. Messages of ``kinds`` that are delivered there are answered by ``answers``.

    Either ``destination`` or ``party``, which is all destinations of that party and its inbox.
    Both kinds are globs. ``within`` is in seconds from the delivery.
    """

    kinds: tuple[str, ...]
    answers: tuple[str, ...]
    within: Seconds
    destination: str | None = None
    party: str | None = None
    escalate: Escalation = Escalation.EVENT

    def concerns(self, kind: str, endpoint: Endpoint) -> bool:
        """True when a delivery of that kind to that endpoint is to be answered."""
        if self.destination not in (None, endpoint.id) or self.party not in (None, endpoint.party):
            return False
        return speaks_of(self, kind)


class Expectations(msgspec.Struct, frozen=True):
    """All expectations; every one that concerns a delivery counts."""

    entries: tuple[Expectation, ...] = ()

    def of(self, kind: str, endpoint: Endpoint) -> tuple[Expected, ...]:
        """What is expected of a delivery of that kind to that endpoint; mostly nothing."""
        if not self.entries:
            return ()
        return tuple(
            Expected(
                party=endpoint.party,
                answers=entry.answers,
                within=entry.within,
                escalate=entry.escalate,
            )
            for entry in self.entries
            if entry.concerns(kind, endpoint)
        )
