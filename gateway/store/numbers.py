"""Record numbers: a counter reserved from the store in blocks, joined with the time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from gateway.core.identifiers import RecordNumber, record_number
from gateway.core.ports import Clock

BLOCK = 1_024
_TRUSTED_STEP = timedelta(hours=1)


class Block(NamedTuple):
    """Counters that nobody else gets, and the latest time that a process has drawn a block at."""

    counters: range
    latest: datetime


class Numbers:
    """Hands out record numbers; unique across processes and crashes, rising within a process.

    A clock that is set back does not let the numbers fall: they stay at the latest time known,
    also across a restart, unless that lies more than an hour ahead and was plainly wrong. ``draw``
    gets the time of this process and durably stores what :func:`latest_known` makes of it.
    """

    def __init__(self, clock: Clock, draw: Callable[[datetime], Awaitable[Block]]) -> None:
        self._clock = clock
        self._draw = draw
        self._block = range(0)
        self._drawing = asyncio.Lock()
        self._latest = clock()

    async def reserve(self) -> RecordNumber:
        """The next number; waits for the store once in a block."""
        while not self._block:
            async with self._drawing:
                if not self._block:
                    self._block, self._latest = await self._draw(self._latest)
        counter, self._block = self._block[0], self._block[1:]
        self._latest = max(self._latest, self._clock())
        return record_number(self._latest, counter)


def latest_known(mine: datetime, stored: datetime | None) -> datetime:
    """The time below which no number is given, from a process's own and that of the store."""
    if stored is not None and stored - mine < _TRUSTED_STEP:
        return max(mine, stored)
    return mine
