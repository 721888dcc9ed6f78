"""Group commit: everything that is waiting is written as one transaction, then what came meanwhile.

While a group is being written and flushed the next one gathers (double buffering), so the number of
flushes depends on the disk and not on the number of callers.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress

import asyncpg

from gateway.core.errors import Unavailable
from gateway.core.records import Stored
from gateway.store.codec import Codec
from gateway.store.pace import Pace
from gateway.store.postgres.accept import Committed, Raced, accept
from gateway.store.postgres.connection import Pool
from gateway.store.postgres.upkeep import Windows
from gateway.store.prepared import Prepared

_TRIES = 10
"""Transactions for one group: each that fails lets another node's succeed."""

_Waiting = tuple[Prepared, "asyncio.Future[Stored]"]


class GroupWriter:
    """The task that has the accept connection.

    ``touched`` is called with the destinations that got work. ``limit`` bounds what waits,
    ``largest`` the messages of one transaction; ``linger`` is in seconds.
    """

    def __init__(
        self,
        pool: Pool,
        codec: Codec,
        windows: Windows,
        *,
        limit: int,
        largest: int,
        linger: float,
        touched: Callable[[frozenset[str]], None],
    ) -> None:
        self._pool, self._codec, self._windows = pool, codec, windows
        self._limit, self._largest = limit, largest
        self._pace = Pace(linger=linger, largest=largest)
        self._touched = touched
        self._queue: deque[_Waiting] = deque()
        self._some = asyncio.Event()
        self._enough = asyncio.Event()
        self._closing = False
        self.groups = 0
        self.committed = 0
        self._task = asyncio.create_task(self._serve(), name="journal-accept")

    async def commit(self, prepared: Prepared) -> Stored:
        """Write an acceptance durably with whatever else is waiting."""
        if self._closing:
            raise Unavailable("the journal is closing")
        if len(self._queue) >= self._limit:
            raise Unavailable("too much waits to be written", retry_after=1.0)
        future: asyncio.Future[Stored] = asyncio.get_running_loop().create_future()
        self._queue.append((prepared, future))
        self._some.set()
        if len(self._queue) >= self._pace.wanted:
            self._enough.set()
        return await future

    async def close(self) -> None:
        """Write what waits, then end the task. May be called twice."""
        self._closing = True
        self._some.set()
        self._enough.set()
        await self._task

    async def _serve(self) -> None:
        while True:
            await self._some.wait()
            await self._gather()
            if group := self._take():
                await self._commit(group)
            elif self._closing:
                return

    async def _gather(self) -> None:
        """Wait for as many acceptances as are worth a flush."""
        if self._closing or not self._queue:
            return
        self._enough.clear()
        if len(self._queue) < self._pace.wanted:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pace.patience):
                    await self._enough.wait()
        if not self._closing:
            self._pace.gathered(len(self._queue))

    def _take(self) -> list[_Waiting]:
        group: list[_Waiting] = []
        messages = 0
        while self._queue:
            messages += max(1, len(self._queue[0][0].acceptance.messages))
            if group and messages > self._largest:
                break
            group.append(self._queue.popleft())
        if not self._queue and not self._closing:
            self._some.clear()
        return group

    async def _commit(self, group: Sequence[_Waiting]) -> None:
        began = time.monotonic()
        try:
            committed = await self._accept([prepared for prepared, _ in group])
        except Unavailable as error:
            _fail(group, error)
        except Exception as error:
            if len(group) == 1:
                _fail(group, error)
                return
            # One of them cannot be written; alone it cannot harm its neighbours.
            for waiting in group:
                await self._commit([waiting])
        else:
            self._pace.wrote(time.monotonic() - began)
            self.groups += 1
            self.committed += len(group)
            self._touched(committed.destinations)
            for (_, future), answer in zip(group, committed.answers, strict=True):
                if future.done():  # its caller was cancelled
                    continue
                if isinstance(answer, Exception):
                    future.set_exception(answer)
                else:
                    future.set_result(answer)

    async def _accept(self, group: Sequence[Prepared]) -> Committed:
        await self._windows.cover(prepared.acceptance.record for prepared in group)
        hoping = True
        for _ in range(_TRIES):
            try:
                async with self._pool.connection() as connection:
                    try:
                        async with connection.transaction():
                            return await accept(connection, group, self._codec, hoping=hoping)
                    except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError):
                        continue
            except Raced:
                hoping = False
        raise Unavailable("the journal is busy", retry_after=1.0)


def _fail(group: Sequence[_Waiting], error: Exception) -> None:
    for _, future in group:
        if not future.done():
            future.set_exception(error)
