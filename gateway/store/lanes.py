"""How one claim is shared out between urgent and patient work."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from gateway.core.lanes import LANES, PATIENCE, WEIGHTS
from gateway.core.records import PlannedLeg

__all__ = ["LANES", "PATIENCE", "WEIGHTS", "due", "share"]


def due(leg: PlannedLeg, accepted_at: datetime) -> datetime:
    """The absolute time by which a leg of a message accepted then is due."""
    if leg.due is not None:
        return leg.due
    if leg.patience is not None:
        return accepted_at + timedelta(seconds=leg.patience)
    return accepted_at + PATIENCE[leg.lane]


def share(
    available: Sequence[int], limit: int, weights: Sequence[int] = WEIGHTS
) -> tuple[int, ...]:
    """How many of ``limit`` places each lane gets when ``available`` are ready in each.

    Quotas follow ``weights``, at least one each (the most urgent first when there are fewer
    places than lanes); what a lane does not use goes to the lanes below it, then upwards.
    """
    quotas = _quotas(limit, weights)
    taken = [0] * LANES
    left, spare = limit, 0
    for lane in range(LANES):
        taken[lane] = min(available[lane], quotas[lane] + spare)
        spare += quotas[lane] - taken[lane]
        left -= taken[lane]
    for lane in reversed(range(LANES)):
        more = min(available[lane] - taken[lane], left)
        taken[lane] += more
        left -= more
    return tuple(taken)


def _quotas(limit: int, weights: Sequence[int]) -> list[int]:
    """Places by weight; what rounding leaves goes to lane 0, what it lacks the largest gives."""
    if limit < LANES:
        return [int(lane < limit) for lane in range(LANES)]
    quotas = [max(1, limit * weight // sum(weights)) for weight in weights]
    quotas[0] += max(0, limit - sum(quotas))
    while sum(quotas) > limit:
        quotas[quotas.index(max(quotas))] -= 1
    return quotas
