"""Threads that each have a connection of one concern, for calls that may block."""

from __future__ import annotations

import asyncio
import queue
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from gateway.core.errors import Unavailable
from gateway.store.sqlite.connection import mapped

T = TypeVar("T")


class Pool:
    """As many threads as connections; ``limit`` bounds the calls that are under way or wait."""

    def __init__(self, name: str, connections: Sequence[sqlite3.Connection], *, limit: int) -> None:
        self._connections: queue.LifoQueue[sqlite3.Connection] = queue.LifoQueue()
        for connection in connections:
            self._connections.put(connection)
        self._all = tuple(connections)
        self._executor = ThreadPoolExecutor(len(connections), thread_name_prefix=name)
        self._limit = limit
        self._under_way = 0
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether it takes no more calls."""
        return self._closed

    async def run(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """The job's result; raises ``Unavailable`` for what the machine does to the store."""
        if self._closed:
            raise Unavailable("the journal is closed")
        if self._under_way >= self._limit:
            raise Unavailable("too much is asked of the journal", retry_after=1.0)
        self._under_way += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, self._call, job)
        finally:
            self._under_way -= 1

    def _call(self, job: Callable[[sqlite3.Connection], T]) -> T:
        connection = self._connections.get_nowait()
        try:
            with mapped():
                return job(connection)
        finally:
            self._connections.put(connection)

    def close(self) -> None:
        """End the threads after what they do, then the connections. Blocks; may be called twice."""
        self._closed = True
        self._executor.shutdown(wait=True)
        for connection in self._all:
            connection.close()
