"""The outbound half for one destination: claim → minimise → encode → deliver → settle.

At least once: what was sent and not settled before a crash is sent again under the same message
id. A destination that can not be reached costs its messages nothing: they are given back and the
destination is left alone for a while. Claims go on while deliveries are under way, those of lane 0
whatever else is: nothing that is slow holds up what is urgent.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from enum import Enum
from functools import partial
from itertools import groupby

from gateway.core.bucket import Rate
from gateway.core.errors import Unavailable
from gateway.core.lanes import LANES
from gateway.core.ports import Clock, Destination, Journal
from gateway.core.records import Delivery, Lease, Result, Settlement
from gateway.pipeline.attempt import Attempts, Buried, Failed, Prepares
from gateway.pipeline.bell import Bell
from gateway.pipeline.expired import Expired
from gateway.pipeline.reach import Pace, Reach
from gateway.pipeline.replaying import Replaying
from gateway.pipeline.settings import DispatchSettings
from gateway.pipeline.settling import Observe, Settling
from gateway.pipeline.slots import Slots
from gateway.pipeline.switchboard import Switchboard
from gateway.routing import Endpoint

__all__ = ["Buried", "Dispatcher", "Failed", "Observe"]

URGENT = 0
"""The lane for which slots are kept."""
CLOCKS_APART_S = 1.0
"""By how much clocks of nodes may differ: no lease is over by another's clock while we send."""
PROBES = 2
"""Keys that show whether a destination is back: were it one, a message on which the receiver hangs
would be asked for again and again, and hold all others."""


class Hand(Enum):
    """By which claim a key came."""

    COMMON = "common"
    URGENT = "urgent"
    PROBE = "probe"


class _Run:
    """The legs of one key that were claimed together; they go out one after the other."""

    __slots__ = ("hand", "lease", "legs")

    def __init__(self, lease: Lease, legs: deque[Delivery], hand: Hand) -> None:
        self.lease = lease
        self.legs = legs
        self.hand = hand

    @property
    def is_urgent(self) -> bool:
        """Whether the next leg is."""
        return self.hand is Hand.URGENT or self.legs[0].lane == URGENT


class Dispatcher:
    """Delivers what waits for one destination, until stopped."""

    def __init__(
        self,
        *,
        journal: Journal,
        destination: Destination,
        endpoint: Endpoint,
        preparer: Prepares,
        settings: DispatchSettings,
        board: Switchboard,
        bell: Bell,
        clock: Clock,
        random: Callable[[], float],
        buried: Buried,
        observe: Observe,
        failed: Failed,
    ) -> None:
        self._journal = journal
        self._id = endpoint.id
        self._settings = settings
        self._bell = bell
        self._clock = clock
        self._reach = Reach(board, endpoint.id, settings=settings, clock=clock, random=random)
        self._attempts = Attempts(
            destination=destination,
            endpoint=endpoint,
            preparer=preparer,
            settings=settings,
            reach=self._reach,
            clock=clock,
            random=random,
            buried=buried,
            failed=failed,
        )
        self._settling = Settling(
            journal=journal, clock=clock, observe=observe, pause=settings.idle
        )
        self._expired = Expired(
            journal=journal,
            destination=endpoint.id,
            settings=settings,
            clock=clock,
            bury=buried,
            failed=failed,
        )
        self._replaying = Replaying(
            journal=journal, board=board, destination=endpoint.id, clock=clock
        )
        self._slots: Slots[_Run] = Slots(settings.in_flight, reserved=settings.reserved)
        self._carriers = 0
        self._hands: Counter[Hand] = Counter()
        self._credit = 0
        self._not_before: datetime | None = None
        self._stopping = asyncio.Event()

    @property
    def in_hand(self) -> int:
        """Keys that are claimed and not settled."""
        return sum(self._hands.values())

    async def run(self) -> None:
        """Work until :meth:`stop`; what is under way then is finished, the rest is given back."""
        try:
            async with asyncio.TaskGroup() as writing:
                writing.create_task(self._settling.run())
                try:
                    async with asyncio.TaskGroup() as keys:
                        await self._claim_until_stopped(keys)
                finally:
                    self._settling.close()
        finally:
            await asyncio.shield(self._leave())

    def stop(self) -> None:
        """Begin nothing further."""
        self._stopping.set()
        self._bell.ring((self._id,))

    async def _leave(self) -> None:
        await self._settling.flush()
        await self._reach.leave()

    async def _claim_until_stopped(self, keys: asyncio.TaskGroup) -> None:
        while not self._stopping.is_set():
            try:
                await self._claim(keys)
            except Unavailable:
                await self._bell.wait(self._id, seconds=self._settings.idle)
                continue
            await self._bell.wait(self._id, seconds=self._until_next_look())

    def _until_next_look(self) -> float:
        if self._not_before is None:
            return self._reach.next_look
        return max(0.0, (self._not_before - self._clock()).total_seconds())

    async def _claim(self, keys: asyncio.TaskGroup) -> None:
        """Claim what there is room for, as fast as the destination may be sent to now."""
        pace = self._reach.pace
        if pace is Pace.ALL:
            self._begin_replay(keys)
            while await self._claim_urgent(keys) or await self._claim_common(keys):
                if self._stopping.is_set() or self._reach.pace is not Pace.ALL:
                    return
        elif pace is Pace.NOTHING:
            await self._bury_expired()
        elif not self._hands[Hand.PROBE] and await self._reach.may_probe():
            await self._take(keys, Hand.PROBE, limit=PROBES)

    async def _bury_expired(self) -> None:
        while await self._expired.bury():
            if self._stopping.is_set() or self._reach.pace is not Pace.NOTHING:
                return

    def _begin_replay(self, keys: asyncio.TaskGroup) -> None:
        if self._replaying.is_due:
            keys.create_task(self._replaying.run(self._stopping))

    async def _claim_urgent(self, keys: asyncio.TaskGroup) -> bool:
        room = self._settings.in_flight - self._hands[Hand.URGENT]
        return room > 0 and await self._take(keys, Hand.URGENT, limit=room, lanes=(URGENT,))

    async def _claim_common(self, keys: asyncio.TaskGroup) -> bool:
        """By halves of a batch: few large claims cost less than many small ones."""
        room = self._settings.batch - self._hands[Hand.COMMON]
        if 2 * room < self._settings.batch:
            return False
        return await self._take(keys, Hand.COMMON, limit=room)

    async def _take(
        self,
        keys: asyncio.TaskGroup,
        hand: Hand,
        *,
        limit: int,
        lanes: Sequence[int] = range(LANES),
    ) -> bool:
        """Claim keys and begin with them; False when there was none, or none may be sent now."""
        allowed = await self._allowed(limit)
        if allowed == 0:
            return False
        lease = await self._journal.lease(
            self._id,
            limit=limit if allowed is None else min(limit, allowed),
            seconds=self._settings.lease + CLOCKS_APART_S,
            now=self._clock(),
            legs=allowed,
            weights=self._settings.weights,
            lanes=lanes,
        )
        if lease is None:
            return False
        self._credit -= 0 if allowed is None else min(allowed, len(lease.deliveries))
        for _, legs in groupby(lease.deliveries, key=lambda delivery: delivery.key):
            self._hands[hand] += 1
            self._begin(keys, _Run(lease, deque(legs), hand))
        return True

    def _begin(self, keys: asyncio.TaskGroup, run: _Run) -> None:
        """Have a run wait, and see that somebody carries it."""
        self._slots.add(run, urgent=run.is_urgent)
        if self._carriers < self._settings.in_flight:  # otherwise one that is at work comes to it
            self._carriers += 1
            keys.create_task(self._carry())

    async def _allowed(self, limit: int) -> int | None:
        """How many may be sent by the destination's rate, which all nodes share; None: any."""
        rate = self._settings.rate
        if not rate:
            return None
        if self._not_before is not None and self._not_before > self._clock():
            return self._credit
        self._not_before = None
        if self._credit < limit:
            drawn = await self._journal.draw(
                f"dispatch:{self._id}",
                want=limit - self._credit,
                rate=Rate(rate, max(1, round(rate))),
                now=self._clock(),
            )
            self._credit += drawn.granted
            if not self._credit:
                self._not_before = self._clock() + timedelta(seconds=drawn.wait)
        return self._credit

    async def _carry(self) -> None:
        """Deliver what waits, leg by leg, while there is something and a place for it."""
        try:
            while (taken := self._slots.take()) is not None:
                run, urgent = taken
                try:
                    settlement = await self._attempt(run.lease, run.legs.popleft())
                finally:
                    self._slots.leave(urgent=urgent)
                self._settle(run, settlement)
                await asyncio.sleep(0)  # a destination that never waits holds up nothing else
        finally:
            self._carriers -= 1

    def _settle(self, run: _Run, settlement: Settlement) -> None:
        """See a leg settled. The next one of its key waits its turn, unless this one must first."""
        written = self._settling.add(run.lease, settlement)
        if settlement.result is Result.DELIVERED and run.legs:
            self._slots.add(run, urgent=run.is_urgent)
        else:
            written.add_done_callback(partial(self._over, run.hand))

    def _over(self, hand: Hand, _: asyncio.Future[None]) -> None:
        """A key is out of our hands."""
        self._hands[hand] -= 1
        if hand is not Hand.COMMON or 2 * self._hands[hand] <= self._settings.batch:
            self._bell.ring((self._id,))

    async def _attempt(self, lease: Lease, delivery: Delivery) -> Settlement:
        until = lease.until - timedelta(seconds=CLOCKS_APART_S + self._settings.timeout)
        if self._clock() > until or self._stopping.is_set() or not self._reach.sends:
            return Settlement(delivery=delivery, result=Result.RETURNED)
        return await self._attempts.make(delivery, until=until)
