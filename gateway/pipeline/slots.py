"""Places for deliveries under way, some of them kept free for what is urgent."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Slots:
    """``total`` places; all but ``reserved`` may be taken by what is not urgent.

    Urgent ones come before all others that wait, otherwise who came first is first.
    """

    def __init__(self, total: int, *, reserved: int) -> None:
        self._free = total
        self._common = max(1, total - reserved)
        self._urgent: deque[asyncio.Future[None]] = deque()
        self._others: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def taken(self, *, urgent: bool) -> AsyncIterator[None]:
        """Hold a place while the block runs, once there is one."""
        waiting = self._urgent if urgent else self._others
        place = asyncio.get_running_loop().create_future()
        waiting.append(place)
        self._fill()
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():  # given and not used
                self._give_back(urgent=urgent)
            elif place in waiting:
                waiting.remove(place)
            raise
        try:
            yield
        finally:
            self._give_back(urgent=urgent)

    def _give_back(self, *, urgent: bool) -> None:
        self._free += 1
        self._common += not urgent
        self._fill()

    def _fill(self) -> None:
        """Give what is free to who waits."""
        while self._free and self._urgent:
            self._free -= 1
            self._urgent.popleft().set_result(None)
        while self._free and self._common and self._others:
            self._free -= 1
            self._common -= 1
            self._others.popleft().set_result(None)
