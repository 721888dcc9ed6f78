"""What wakes dispatchers: new work, retries that are due, destinations that stand otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from gateway.core.errors import Unavailable
from gateway.core.ports import Clock, Journal
from gateway.pipeline.bell import Bell
from gateway.pipeline.switchboard import Switchboard


class Waking:
    """Rings for dispatchers and inboxes. ``seconds`` gives the time between two ticks.

    ``told`` hears of each tick whether the journal could be used.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        board: Switchboard,
        bell: Bell,
        seconds: Callable[[], float],
        clock: Clock,
        told: Callable[[Unavailable | None], None],
    ) -> None:
        self._journal = journal
        self._board = board
        self._bell = bell
        self._seconds = seconds
        self._clock = clock
        self._told = told

    async def run(self) -> None:
        """Until cancelled; while the journal can not be used it is asked again every tick."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen())
            tasks.create_task(self._tick())

    async def _listen(self) -> None:
        while True:
            try:
                self._bell.ring(await self._journal.wake(seconds=self._seconds()))
            except Unavailable:
                await asyncio.sleep(self._seconds())

    async def _tick(self) -> None:
        """Return expired leases and due retries, and look how destinations stand."""
        while True:
            try:
                self._bell.ring(await self._board.refresh())
                self._bell.ring(await self._journal.tick(now=self._clock()))
                self._told(None)
            except Unavailable as error:
                self._told(error)
                self._bell.ring_all()  # whoever waits finds out by itself what can be done
            await asyncio.sleep(self._seconds())
