"""Short reads by the event loop itself, as long as the file answers at once.

A row or two of pages that are in memory are read in less time than a call takes to a thread and
back. A disk that is slow, or a file that is busy, must not hold up everybody: after one slow look
reads go to the threads for a while.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from gateway.core.errors import Unavailable
from gateway.store.sqlite.connection import mapped
from gateway.store.sqlite.pool import Pool

T = TypeVar("T")

SLOW_SECONDS = 0.005
"""A look that takes longer is a slow one."""
REST_SECONDS = 1.0
"""How long after a slow look the threads read."""


class Glance:
    """A connection of its own, before the threads of ``pool``, which is closed first.

    From here on the connection waits for no lock. ``now`` is a monotonic clock in seconds.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        pool: Pool,
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        connection.execute("PRAGMA busy_timeout = 0")
        self._connection, self._pool, self._now = connection, pool, now
        self._rests_until = 0.0
        self.seconds = 0.0
        """What looking took so far."""
        self._looking = threading.Lock()  # an event loop in another thread asks the pool

    async def run(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """The result of a job that reads single rows; it may be run a second time."""
        began = self._now()
        if began < self._rests_until or not self._looking.acquire(blocking=False):
            return await self._pool.run(job)
        try:
            if self._pool.closed:
                raise Unavailable("the journal is closed")
            with mapped():
                return job(self._connection)
        except Unavailable:
            self._rests_until = began + REST_SECONDS
        finally:
            self._looking.release()
            ended = self._now()
            self.seconds += ended - began
            if ended - began > SLOW_SECONDS:
                self._rests_until = ended + REST_SECONDS
        return await self._pool.run(job)

    def close(self) -> None:
        """Close the connection after what reads from it. May be called twice."""
        with self._looking:
            self._connection.close()
