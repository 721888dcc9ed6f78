"""How destinations stand, in a dictionary."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from gateway.core.destinations import Change, LaneBacklog, Standing, Step
from gateway.core.identifiers import record_time
from gateway.store.memory.queue import Head, Outbox, Queue


class MemoryDestinations:
    """Implements :class:`gateway.core.destinations.Destinations`."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._standings: dict[str, Standing] = {}

    async def all(self) -> Mapping[str, Standing]:
        """See the port."""
        return dict(self._standings)

    async def change(self, destination: str, step: Step) -> Change:
        """See the port."""
        before = self._standings.get(destination, Standing(id=destination))
        after = step(before)
        if after != before:
            self._standings[destination] = after
        return Change(before, after)

    async def lanes(self) -> tuple[LaneBacklog, ...]:
        """See the port."""
        found: dict[tuple[str, int], list[Queue]] = {}
        for (destination, _), queue in self._outbox.queues.items():
            found.setdefault((destination, queue.lane), []).append(queue)
        return tuple(_backlog(*at, queues) for at, queues in sorted(found.items()))


def _backlog(destination: str, lane: int, queues: list[Queue]) -> LaneBacklog:
    states = [queue.state for queue in queues]
    wakes: list[datetime] = [queue.wake for queue in queues if queue.state is Head.WAITING]
    return LaneBacklog(
        destination=destination,
        lane=lane,
        ready=states.count(Head.READY),
        leased=states.count(Head.LEASED),
        waiting=states.count(Head.WAITING),
        held=states.count(Head.HELD),
        oldest=min(record_time(queue.legs[0].place[0]) for queue in queues),
        next_try=min(wakes, default=None),
    )
