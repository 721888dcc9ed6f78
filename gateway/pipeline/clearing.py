"""Answering parties whether items may go. Whoever has nothing to do with an item gets the answer
for one that nobody knows, and nobody learns from a reason what was not said to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from gateway.agreements import Agreement, Source
from gateway.core.clearance import Clearance
from gateway.core.errors import Refused
from gateway.core.histories import Histories
from gateway.core.ports import Clock
from gateway.pipeline.bearing import Said, bears, declarations
from gateway.pipeline.clearance import UNKNOWN, ClearanceSettings
from gateway.pipeline.plan import Network
from gateway.pipeline.weighing import Weighed, weigh
from translators.canonical import CustomsResponse
from trust.identity import PartyId
from trust.party import Registry as Parties

CLEARANCE = "Clearance"
"""The name under which an agreement lets a party ask about the items of others."""
MAX_ITEM = 35
"""Characters of an item's identifier, as in the canonical model."""
UNDISCLOSED = "undisclosed"
"""The reason that is told where the message behind it is not the asker's."""


class Clearing:
    """Answers parties out of the journal. Safe to call concurrently."""

    def __init__(
        self,
        *,
        histories: Histories,
        settings: Callable[[], ClearanceSettings],
        network: Callable[[], Network],
        parties: Callable[[], Parties],
        clock: Clock,
        observe: Callable[[Clearance], None] = lambda _: None,
    ) -> None:
        """``observe`` is told of every answer."""
        self._histories = histories
        self._settings = settings
        self._network = network
        self._parties = parties
        self._clock = clock
        self._observe = observe

    async def answer(self, party: PartyId, items: Sequence[str]) -> tuple[Clearance, ...]:
        """One answer for each item, in order, as far as the party may know it.

        Raises ``Refused("request.invalid")`` for too many, none, or what is no identifier.
        """
        settings = self._settings()
        check_items(items, most=settings.most_items)
        weighed = await weigh(
            self._histories, items, now=self._clock(), settings=settings, asker=party
        )
        asker = _Asker(party, self._network(), self._parties())
        answers = tuple(asker.told(one, settings) for one in weighed)
        for one in answers:
            self._observe(one)
        return answers


def check_items(items: Sequence[str], *, most: int) -> None:
    """Raise ``Refused("request.invalid")`` for too many, none, or what is no identifier."""
    if not 0 < len(items) <= most:
        raise Refused("request.invalid", f"ask about 1 to {most} items at once")
    if not all(0 < len(item) <= MAX_ITEM for item in items):
        raise Refused("request.invalid", f"an item has 1 to {MAX_ITEM} characters")


def in_full(weighed: Weighed) -> Clearance:
    """Everything, for the operator."""
    concluded = weighed.concluded
    basis = concluded.basis
    return Clearance(
        item=weighed.item,
        answer=basis.verdict,
        reason=basis.reason,
        as_of=weighed.as_of,
        until=basis.until,
        then=concluded.then,
        decided_by=basis.by,
        messages=tuple(one.stored.message_id for one in basis.said),
        ambiguous=weighed.ambiguous,
    )


class _Asker:
    """What a party may be told."""

    def __init__(self, party: PartyId, network: Network, parties: Parties) -> None:
        self._party = party
        self._network = network
        self._parties = parties
        self._agreement = self._clearance_agreement()

    def _clearance_agreement(self) -> Agreement | None:
        """One that names it: ``*`` is about messages, and gives nobody this."""
        found = self._parties.parties.get(self._party)
        if found is None:
            return None
        return next(
            (
                entry
                for entry in self._network.agreements.entries
                if CLEARANCE in entry.kinds and entry.covers(found, CLEARANCE)
            ),
            None,
        )

    def told(self, weighed: Weighed, settings: ClearanceSettings) -> Clearance:
        """The answer for this party."""
        if self._agreement is None and not self._concerns(weighed):
            return Clearance(
                item=weighed.item,
                answer=settings.unknown,
                reason=UNKNOWN,
                as_of=weighed.as_of,
            )
        answer = in_full(weighed)
        said = weighed.concluded.basis.said
        seen = tuple(one for one in said if self._saw(one))
        named = len(seen) == len(said) and all(self._is_named(one) for one in seen)
        changes: dict[str, object] = {}
        if len(seen) < len(said) and not self._covers("reason"):
            changes["reason"] = UNDISCLOSED
        if not named and not self._covers("decided_by"):
            changes["decided_by"] = None
        if not self._covers("messages"):
            changes["messages"] = tuple(one.stored.message_id for one in seen)
        return msgspec.structs.replace(answer, **changes) if changes else answer

    def _covers(self, field: str) -> bool:
        agreement = self._agreement
        return agreement is not None and self._network.minimisers[agreement.name].covers(
            f"/{field}"
        )

    def _concerns(self, weighed: Weighed) -> bool:
        """Whether it declared the item, or was told what customs decided on it."""
        return any(self._is_own(one) for one in declarations(weighed.item, weighed.told)) or any(
            isinstance(one.content, CustomsResponse)
            and bears(one.content, weighed.known)
            and self._saw(one)
            for one in weighed.told
        )

    def _is_own(self, one: Said) -> bool:
        return self._party in (one.stored.party, one.stored.on_behalf_of)

    def _saw(self, one: Said) -> bool:
        return self._is_own(one) or self._by_way_of(one) is not None

    def _by_way_of(self, one: Said) -> str | None:
        """The destination by which it got the message."""
        endpoints = self._network.endpoints
        return next(
            (name for name in one.stored.destinations if endpoints.party_of(name) == self._party),
            None,
        )

    def _is_named(self, one: Said) -> bool:
        """Whether it is told who said this: not where an agreement hides the source."""
        if self._is_own(one):
            return True
        way = self._by_way_of(one)
        if way is None:
            return False
        endpoint = self._network.endpoints.get(way)
        agreement = self._network.agreement(self._parties, endpoint, one.stored.kind)
        return agreement is not None and agreement.source is Source.NAMED
