"""Where legs stand: open ones by the queue, settled ones by their attempts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

from gateway.core.deliveries import state_of
from gateway.core.records import Attempt, Leg, LegState, Result, Settlement, StoredMessage
from gateway.store.memory.queue import Outbox, Place

Attempts = list[tuple[Place, Attempt]]
_CLOSED = {Result.DELIVERED: LegState.DELIVERED, Result.SKIPPED: LegState.SKIPPED}


class Kept(Protocol):
    """An accepted message and the number of the key that it is ordered by."""

    @property
    def message(self) -> StoredMessage:
        """The message with its body."""

    @property
    def key(self) -> int:
        """The number of its key."""


def attempt_of(settlement: Settlement, *, now: datetime) -> Attempt:
    """A settlement as it is recorded."""
    return Attempt(
        destination=settlement.delivery.destination,
        n=settlement.delivery.tries + 1,
        at=now,
        result=settlement.result,
        code=settlement.code,
        detail=settlement.detail,
        report=settlement.report,
        evidence=settlement.evidence,
    )


def standing(kept: Kept, attempts: Attempts, outbox: Outbox) -> Iterator[Leg]:
    """The legs of a message, in the order in which they were planned."""
    message = kept.message
    place = (message.record, message.ordinal)
    for destination in message.destinations:
        mine = [a for at, a in attempts if at == place and a.destination == destination]
        state, tries, made = _stands(kept, destination, mine, outbox)
        last = made[-1] if made else None
        yield Leg(
            message_id=message.message_id,
            destination=destination,
            state=state,
            tries=tries,
            at=last.at if last else None,
            code=last.code if last else "",
            detail=last.detail if last else "",
        )


def _stands(
    kept: Kept, destination: str, made: Sequence[Attempt], outbox: Outbox
) -> tuple[LegState, int, Sequence[Attempt]]:
    """Its state, its tries, and the attempts that say so."""
    place = (kept.message.record, kept.message.ordinal)
    queue = outbox.queues.get((destination, kept.key))
    leg = next((leg for leg in queue.legs if leg.place == place), None) if queue else None
    if queue is None or leg is None:
        made = [attempt for attempt in made if attempt.result in _CLOSED]
        return _CLOSED[made[-1].result], made[-1].n, made
    first, leased = leg is queue.legs[0], leg.seq <= queue.last
    return state_of(queue.state, first=first, within_lease=leased), leg.tries, made
