"""Settlements as they come: whatever ended while the last ones were written goes down together.

So a slow delivery does not hold up the settlement of the others, and a crash repeats only what was
under way and what was being written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

from gateway.core.errors import Unavailable
from gateway.core.ports import Clock, Journal
from gateway.core.records import Lease, Settlement

Observe = Callable[[Settlement], None]
"""Told of every attempt."""


class _Group:
    """Settlements of one lease that are written together."""

    __slots__ = ("lease", "settlements", "written")

    def __init__(self, lease: Lease) -> None:
        self.lease = lease
        self.settlements: list[Settlement] = []
        self.written: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class Settling:
    """Writes settlements of one dispatcher, in the order in which they came.

    While the journal can not be written it is tried again every ``pause`` seconds until the lease
    is over: then the deliveries come back and are made again.
    """

    def __init__(self, *, journal: Journal, clock: Clock, observe: Observe, pause: float) -> None:
        self._journal = journal
        self._clock = clock
        self._observe = observe
        self._pause = pause
        self._pending: dict[str, _Group] = {}
        self._added = asyncio.Event()
        self._closing = False

    def add(self, lease: Lease, settlement: Settlement) -> asyncio.Future[None]:
        """Take one over; done when it, and all that came before it, was written or given up."""
        group = self._pending.get(lease.token)
        if group is None:
            group = self._pending[lease.token] = _Group(lease)
        group.settlements.append(settlement)
        self._added.set()
        return group.written

    async def run(self) -> None:
        """Write until :meth:`close`, and then what is left."""
        while self._pending or not self._closing:
            await self._added.wait()
            self._added.clear()
            await self.flush()

    def close(self) -> None:
        """End :meth:`run` once everything is written; nothing is added any more."""
        self._closing = True
        self._added.set()

    async def flush(self) -> None:
        """Write what is pending now."""
        groups, self._pending = list(self._pending.values()), {}
        for group in groups:
            try:
                await self._write(group)
            finally:
                if not group.written.done():
                    group.written.set_result(None)

    async def _write(self, group: _Group) -> None:
        while True:
            now = self._clock()
            try:
                await self._journal.settle(group.lease, group.settlements, now=now)
            except Unavailable:
                if now + timedelta(seconds=self._pause) >= group.lease.until:
                    return  # the lease runs out and everything in it is delivered again
                await asyncio.sleep(self._pause)
            else:
                break
        for settlement in group.settlements:
            self._observe(settlement)
