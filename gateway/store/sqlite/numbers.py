"""Record numbers: a counter reserved from the store in blocks, joined with the time."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import timedelta

from gateway.core.identifiers import RecordNumber, record_number
from gateway.core.ports import Clock
from gateway.store.leaf import instant, microseconds
from gateway.store.sqlite.rows import draw

BLOCK = 1_024
_TRUSTED_STEP = timedelta(hours=1)


class Numbers:
    """Hands out record numbers; unique across processes and crashes, rising within a process.

    A clock that is set back does not let the numbers fall: they stay at the latest time known,
    also across a restart, unless that lies more than an hour ahead and was plainly wrong.
    """

    def __init__(
        self,
        clock: Clock,
        write: Callable[[Callable[[sqlite3.Connection], range]], Awaitable[range]],
    ) -> None:
        self._clock = clock
        self._write = write
        self._block = range(0)
        self._drawing = asyncio.Lock()
        self._latest = clock()

    async def reserve(self) -> RecordNumber:
        """The next number; waits for the store once in a block."""
        while not self._block:
            async with self._drawing:
                if not self._block:
                    self._block = await self._write(self._draw)
        counter, self._block = self._block[0], self._block[1:]
        self._latest = max(self._latest, self._clock())
        return record_number(self._latest, counter)

    def _draw(self, connection: sqlite3.Connection) -> range:
        first = draw(connection, "record", BLOCK)
        row = connection.execute("SELECT value FROM meta WHERE name = 'latest'").fetchone()
        if row is not None and instant(row[0]) - self._latest < _TRUSTED_STEP:
            self._latest = max(self._latest, instant(row[0]))
        connection.execute(
            "INSERT OR REPLACE INTO meta VALUES ('latest', ?)", (microseconds(self._latest),)
        )
        return range(first, first + BLOCK)
