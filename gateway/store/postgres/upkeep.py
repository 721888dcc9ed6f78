"""What has to be done again and again: signs of life, partitions before their time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress

import asyncpg

from gateway.core.errors import Unavailable
from gateway.core.ports import Clock
from gateway.store.postgres.connection import Pool
from gateway.store.postgres.members import Member
from gateway.store.postgres.partitions import AHEAD, ensure, window, window_at

LIFE_SECONDS = 10.0
"""From one sign of life to the next: several are missed before a process counts as gone."""


class Windows:
    """The windows of records that are known to have their partitions."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._known: set[int] = set()

    async def cover(self, records: Iterable[int]) -> None:
        """Make the partitions of these records when they are missing."""
        for number in sorted({window(record) for record in records} - self._known):
            await self._make(range(number, number + 1))

    async def cover_ahead(self, clock: Clock) -> None:
        """Make the partitions of now and of the next windows."""
        now = window_at(clock())
        wanted = range(now, now + 1 + AHEAD)
        if not self._known.issuperset(wanted):
            await self._make(wanted)

    async def _make(self, windows: range) -> None:
        async with self._pool.connection() as connection:
            await ensure(connection, windows)
        self._known.update(windows)


class Upkeep:
    """The task that keeps the journal in order as long as it is open."""

    def __init__(self, pool: Pool, member: Member, windows: Windows, *, clock: Clock) -> None:
        self._pool, self._member, self._windows, self._clock = pool, member, windows, clock
        self._task = asyncio.create_task(self._serve(), name="journal-upkeep")

    async def _serve(self) -> None:
        while True:
            await asyncio.sleep(LIFE_SECONDS)
            # Whoever needs what is missing tells its caller; the next time it may work again.
            with suppress(Unavailable, asyncpg.PostgresError):
                async with self._pool.transaction() as connection:
                    await self._member.live(connection)
            with suppress(Unavailable, asyncpg.PostgresError):
                await self._windows.cover_ahead(self._clock)

    async def close(self) -> None:
        """End the task. May be called twice."""
        self._task.cancel()
        await asyncio.wait([self._task])
