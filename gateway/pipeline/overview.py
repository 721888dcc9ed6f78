"""Destinations as an operator looks at them and switches them, by command or over HTTP."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import msgspec

from gateway.core.destinations import Breaker, Destinations, LaneBacklog, Standing, switched
from gateway.routing import INBOX


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """One destination: how it stands, and what waits for it.

    ``since`` is when the breaker got into this state, if it was ever in another; ``next_try`` the
    nearest time at which something is tried again. ``configured`` is false for one that is not in
    the configuration any more: what waits for it waits until it is there again.
    """

    id: str
    configured: bool
    on: bool
    switched_at: datetime | None
    switched_by: str
    switch_reason: str
    breaker: Breaker
    since: datetime | None
    failures: int
    reason: str
    next_try: datetime | None
    oldest: datetime | None
    lanes: tuple[LaneBacklog, ...]

    @property
    def waits(self) -> int:
        """Unsettled keys."""
        return sum(lane.ready + lane.leased + lane.waiting + lane.held for lane in self.lanes)


async def overviews(
    destinations: Destinations, *, configured: Collection[str]
) -> tuple[Overview, ...]:
    """Every destination of the configuration, of which something was changed or waits."""
    standings = await destinations.all()
    lanes: dict[str, list[LaneBacklog]] = {}
    for backlog in await destinations.lanes():
        lanes.setdefault(backlog.destination, []).append(backlog)
    return tuple(
        _overview(
            standings.get(name, Standing(id=name)),
            lanes=tuple(lanes.get(name, ())),
            configured=name in configured or name.startswith(INBOX),
        )
        for name in sorted({*configured, *standings, *lanes})
    )


async def switch(
    destinations: Destinations,
    destination: str,
    *,
    on: bool,
    by: str,
    reason: str,
    configured: Collection[str],
    now: datetime,
) -> Standing:
    """Switch a destination. Raises ``ValueError`` for one that there is not, or a bad reason."""
    if destination not in configured and destination not in await destinations.all():
        known = ", ".join(sorted(configured)) or "none"
        raise ValueError(f"no destination is called {destination}; there are {known}")
    step = switched(on=on, by=by, reason=reason, now=now)
    return (await destinations.change(destination, step)).after


def _overview(standing: Standing, *, lanes: tuple[LaneBacklog, ...], configured: bool) -> Overview:
    tries = [lane.next_try for lane in lanes if lane.next_try is not None]
    if standing.open_until is not None:
        tries = [standing.open_until]  # nothing is tried before the destination is probed
    return Overview(
        id=standing.id,
        configured=configured,
        on=standing.on,
        switched_at=standing.switched_at,
        switched_by=standing.switched_by,
        switch_reason=standing.switch_reason,
        breaker=standing.breaker,
        since=standing.since,
        failures=standing.failures,
        reason=standing.reason,
        next_try=min(tries, default=None) if standing.on else None,
        oldest=min((lane.oldest for lane in lanes if lane.oldest is not None), default=None),
        lanes=lanes,
    )
