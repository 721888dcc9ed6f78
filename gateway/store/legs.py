"""Where legs stand, from their queue rows and their attempts: rules of all stores. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gateway.core.identifiers import MessageId
from gateway.core.records import Attempt, Leg, LegState, Result
from gateway.store.accounts import HELD, LEASED, WAITING

_CLOSED = {Result.DELIVERED: LegState.DELIVERED, Result.SKIPPED: LegState.SKIPPED}
_FIRST = {LEASED: LegState.LEASED, WAITING: LegState.RETRYING, HELD: LegState.BURIED}


class OpenLeg(NamedTuple):
    """An unsettled leg: its place in the key's queue, and the state of the key's head."""

    tries: int
    first: bool
    within_lease: bool
    state: int


def standing(
    message: MessageId, destination: str, unsettled: OpenLeg | None, made: Sequence[Attempt]
) -> Leg:
    """Where one leg stands; ``made`` are the message's attempts, in the order of recording."""
    mine = [attempt for attempt in made if attempt.destination == destination]
    if unsettled is None:
        # A report that came late, from a lease that was over, closes nothing.
        mine = [attempt for attempt in mine if attempt.result in _CLOSED]
        state = _CLOSED[mine[-1].result] if mine else LegState.DELIVERED
        tries = mine[-1].n if mine else 0
    else:
        state, tries = _open(unsettled), unsettled.tries
    last = mine[-1] if mine else None
    return Leg(
        message_id=message,
        destination=destination,
        state=state,
        tries=tries,
        at=last.at if last else None,
        code=last.code if last else "",
        detail=last.detail if last else "",
    )


def _open(leg: OpenLeg) -> LegState:
    if leg.state == LEASED:
        return LegState.LEASED if leg.within_lease else LegState.WAITING
    return _FIRST.get(leg.state, LegState.WAITING) if leg.first else LegState.WAITING
