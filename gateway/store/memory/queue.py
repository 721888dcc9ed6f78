"""The outbox as plain lists: one queue per destination and key, one head for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum

from gateway.core.records import Result, Settlement
from gateway.store.contract import LEGS_PER_KEY, LOOK_AHEAD
from gateway.store.lanes import LANES, share

Place = tuple[int, int]
_NEVER = datetime.min.replace(tzinfo=UTC)


class Head(IntEnum):
    """What a queue waits for."""

    READY = 0
    LEASED = 1
    WAITING = 2
    HELD = 3


@dataclass(slots=True)
class QueuedLeg:
    """A leg that is not settled."""

    seq: int
    place: Place
    route: str
    lane: int
    due: datetime
    tries: int = 0


@dataclass(slots=True)
class Queue:
    """The unsettled legs of one key at one destination, in order; never empty."""

    legs: list[QueuedLeg]
    lane: int
    due: datetime
    urgent: int = 0
    """Sequence number of the leg whose lane and due the queue has inherited."""
    state: Head = Head.READY
    wake: datetime = _NEVER
    token: str = ""
    last: int = 0

    def become(self, state: Head, *, wake: datetime = _NEVER, token: str = "") -> None:
        """Change what it waits for."""
        self.state, self.wake, self.token = state, wake, token

    def look_ahead(self) -> None:
        """Take over the most urgent lane among the next legs, and the nearest time in it."""
        ahead = self.legs[:LOOK_AHEAD]
        self.urgent = 0
        self.lane = min(leg.lane for leg in ahead)
        self.due = min(leg.due for leg in ahead if leg.lane == self.lane)

    def leased(self) -> list[QueuedLeg]:
        """The legs that its present lease covers."""
        return [leg for leg in self.legs if leg.seq <= self.last][:LEGS_PER_KEY]


@dataclass(slots=True)
class Outbox:
    """All queues, by destination and key."""

    queues: dict[tuple[str, int], Queue] = field(default_factory=dict)
    drawn: int = 0

    def add(self, added: Sequence[tuple[str, int, QueuedLeg]]) -> None:
        """Append the legs of one commit; a more urgent one pulls what is before it along."""
        nearest: dict[tuple[str, int], QueuedLeg] = {}
        for destination, key, leg in added:
            self.drawn += 1
            leg.seq = self.drawn
            at = (destination, key)
            if at in self.queues:
                self.queues[at].legs.append(leg)
            else:
                self.queues[at] = Queue([leg], leg.lane, leg.due)
            if at not in nearest or (leg.lane, leg.due) < (nearest[at].lane, nearest[at].due):
                nearest[at] = leg
        for at, leg in nearest.items():
            queue = self.queues[at]
            if (leg.lane, leg.due) < (queue.lane, queue.due):
                queue.lane, queue.due, queue.urgent = leg.lane, leg.due, leg.seq

    def lease(
        self,
        destination: str,
        *,
        limit: int,
        legs: int | None,
        until: datetime,
        token: str,
        weights: Sequence[int],
        lanes: Sequence[int],
    ) -> bool:
        """Put ready queues under lease; whether there were any."""
        ready = [
            sorted(
                (queue.due, key, queue)
                for (name, key), queue in self.queues.items()
                if name == destination
                and queue.lane == lane
                and lane in lanes
                and queue.state is Head.READY
            )
            for lane in range(LANES)
        ]
        chosen = share([len(queues) for queues in ready], limit, weights)
        left = None if legs is None else max(1, legs)
        for queues, count in zip(ready, chosen, strict=True):
            for _, _, queue in queues[:count]:
                first = queue.legs[: LEGS_PER_KEY if left is None else min(LEGS_PER_KEY, left)]
                if not first:
                    break
                queue.become(Head.LEASED, wake=until, token=token)
                queue.last = first[-1].seq
                left = None if left is None else left - len(first)
        return any(chosen)

    def under(self, destination: str, token: str) -> list[tuple[int, Queue]]:
        """The queues that stand under a lease, with their keys."""
        return [
            (key, queue)
            for (d, key), queue in self.queues.items()
            if d == destination and queue.state is Head.LEASED and queue.token == token
        ]

    def settle(
        self, destination: str, token: str, settlements: Sequence[Settlement], now: datetime
    ) -> bool:
        """Apply what was reported of the queues still under that lease; whether any is ready."""
        ready = False
        for key, queue in self.under(destination, token):
            mine = sorted(
                (s for s in settlements if s.delivery.key == key), key=lambda s: s.delivery.seq
            )
            if mine:
                ready |= self._advance((destination, key), queue, mine, now)
        return ready

    def _advance(
        self, at: tuple[str, int], queue: Queue, mine: Sequence[Settlement], now: datetime
    ) -> bool:
        done = {s.delivery.seq for s in mine if s.result in (Result.DELIVERED, Result.SKIPPED)}
        queue.legs = [leg for leg in queue.legs if leg.seq not in done]
        if not queue.legs:
            del self.queues[at]
            return False
        first = queue.legs[0]
        stopped = next((s for s in mine if s.delivery.seq not in done), None)
        if stopped is None or stopped.delivery.seq != first.seq:
            # What is before it stays under its lease.
            if stopped is not None and stopped.delivery.seq > first.seq:
                queue.last = min(queue.last, stopped.delivery.seq - 1)
            if first.seq > queue.last:
                queue.become(Head.READY)
        elif stopped.result is Result.RETURNED:
            queue.become(Head.READY)
        else:
            first.tries += 1
            if stopped.result is Result.RETRY:
                queue.become(Head.WAITING, wake=stopped.not_before or now)
            else:
                queue.become(Head.HELD)
        if first.seq > queue.urgent:
            queue.look_ahead()
        return queue.state is Head.READY

    def skip(self, at: tuple[str, int], leg: QueuedLeg) -> None:
        """Remove a leg that is not under lease; when it was the first, the next one is ready."""
        queue = self.queues[at]
        was_first = queue.legs[0] is leg
        queue.legs.remove(leg)
        if not queue.legs:
            del self.queues[at]
            return
        if was_first:
            queue.become(Head.READY)
        if queue.legs[0].seq > queue.urgent or leg.seq == queue.urgent:
            queue.look_ahead()

    def tick(self, now: datetime) -> frozenset[str]:
        """Free what is due; the destinations that have something ready."""
        for queue in self.queues.values():
            if queue.state in (Head.LEASED, Head.WAITING) and queue.wake <= now:
                queue.become(Head.READY)
        return frozenset(d for (d, _), q in self.queues.items() if q.state is Head.READY)

    def free(self, destination: str, key: int | None) -> int:
        """Make held and waiting queues ready; how many."""
        stuck = [
            queue
            for (d, k), queue in self.queues.items()
            if d == destination and key in (None, k) and queue.state in (Head.WAITING, Head.HELD)
        ]
        for queue in stuck:
            queue.become(Head.READY)
        return len(stuck)
