"""Lanes: how one claim is shared out between urgent and patient work."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from gateway.core.records import PlannedLeg

LANES = 4
WEIGHTS = (8, 4, 2, 1)
PATIENCE = (
    timedelta(minutes=1),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=24),
)
"""What a leg without a deadline may wait, by lane: always finite, so age itself wins at last."""


def due(leg: PlannedLeg, accepted_at: datetime) -> datetime:
    """The absolute time by which a leg of a message accepted then is due."""
    return leg.due if leg.due is not None else accepted_at + PATIENCE[leg.lane]


def share(available: Sequence[int], limit: int) -> tuple[int, ...]:
    """How many of ``limit`` places each lane gets when ``available`` are ready in each.

    Quotas follow :data:`WEIGHTS`, at least one each (the most urgent first when there are fewer
    places than lanes); what a lane does not use goes to the lanes below it, then upwards.
    """
    if limit < LANES:
        quotas = [int(lane < limit) for lane in range(LANES)]
    else:
        quotas = [max(1, limit * weight // sum(WEIGHTS)) for weight in WEIGHTS]
        quotas[0] += limit - sum(quotas)
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
