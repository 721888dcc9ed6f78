"""Who has got work, told between processes: LISTEN and NOTIFY on a connection of their own.

Notices are sent after the commit of what they tell of, and what gathers while one is under way
goes in one statement: a NOTIFY inside would make those who commit wait for each other. What is
lost with a connection is found by the next tick.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import asyncpg

from gateway.core.errors import Unavailable
from gateway.store.postgres.connection import Concern, connect
from gateway.store.postgres.errors import mapped
from gateway.store.wakeups import Wakeups

CHANNEL = "luxor_work"
_PAUSE_SECONDS = 1.0
"""Before a lost connection is opened again."""
_LONGEST = 2_000
"""Bytes of a destination's name in a notice; PostgreSQL takes just under 8,000."""


class Listener:
    """Tells this process's destinations to the others, and theirs to ``wakeups``."""

    def __init__(self, url: str, wakeups: Wakeups, *, seconds: float, password: str | None) -> None:
        self._url, self._password, self._seconds = url, password, seconds
        self._wakeups = wakeups
        self._touched: set[str] = set()
        self._changed = asyncio.Event()
        self.listening = asyncio.Event()
        """Set as long as what others tell is heard."""
        self._lost = False
        self._pid = 0  # of the connection's server process, which hears its own notices too
        self._task = asyncio.create_task(self._serve(), name="journal-listen")

    def touched(self, destinations: Iterable[str]) -> None:
        """Something is ready at these now: tell everybody."""
        fresh = frozenset(destinations)
        if fresh:
            self._wakeups.add(fresh)
            if self.listening.is_set():
                self._touched |= fresh
                self._changed.set()

    async def close(self) -> None:
        """Tell what is left to tell, then let go. May be called twice."""
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _serve(self) -> None:
        while True:
            with suppress(Unavailable, asyncpg.PostgresError):
                await self._listen()
            self.listening.clear()
            self._touched.clear()
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _listen(self) -> None:
        with mapped():
            connection = await connect(
                self._url, Concern.LISTEN, seconds=self._seconds, password=self._password
            )
            try:
                self._lost = False
                self._pid = connection.get_server_pid()
                connection.add_termination_listener(self._ended)
                await connection.add_listener(CHANNEL, self._heard)
                self.listening.set()
                while not self._lost:
                    await self._changed.wait()
                    self._changed.clear()
                    await self._tell(connection)
            finally:
                connection.terminate()

    async def _tell(self, connection: Any) -> None:
        names = [name for name in self._touched if len(name.encode()) <= _LONGEST]
        self._touched.clear()
        if names:
            await connection.execute(
                "SELECT pg_notify($1, name) FROM unnest($2::text[]) AS name", CHANNEL, names
            )

    def _heard(self, connection: Any, pid: int, channel: str, payload: str) -> None:
        if pid != self._pid:
            self._wakeups.add((payload,))

    def _ended(self, connection: Any) -> None:
        self._lost = True
        self._changed.set()
