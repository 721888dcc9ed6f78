"""Connections: what each is for, how it is set, how it comes back when it was lost."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from enum import StrEnum
from typing import Any, Protocol

import asyncpg

from gateway.core.errors import Unavailable
from gateway.store.postgres.errors import LOST, mapped

Row = tuple[Any, ...]
"""One row, by position."""


class Connection(Protocol):
    """What is used of an ``asyncpg.Connection``, which has no types of its own."""

    async def execute(self, query: str, *args: object) -> str:
        """Run a statement, or several without arguments; the command's tag."""

    async def fetch(self, query: str, *args: object) -> list[Row]:
        """All rows of a query."""

    async def fetchrow(self, query: str, *args: object) -> Row | None:
        """The first row of a query."""

    async def fetchval(self, query: str, *args: object) -> Any:
        """The first value of the first row."""

    def transaction(
        self, *, isolation: str | None = None, readonly: bool = False
    ) -> AbstractAsyncContextManager[object]:
        """A transaction: all of it or, when anything raises, nothing."""


class Concern(StrEnum):
    """What a connection is for; each concern has its own, so that none waits for another."""

    ACCEPT = "accept"
    CLAIM = "claim"
    SETTLE = "settle"
    READ = "read"
    LISTEN = "listen"
    PRUNE = "prune"


_COMMON = {
    # Plans are made once for statements that run in microseconds.
    "jit": "off",
    "idle_in_transaction_session_timeout": "60s",  # one that is stuck holds up every vacuum
    "timezone": "UTC",
}
# Statistics must never turn the probe of an index into a walk through all that waits.
_PROBES = dict.fromkeys(
    ("enable_seqscan", "enable_bitmapscan", "enable_hashjoin", "enable_mergejoin"), "off"
)
_OF_CONCERN = {
    Concern.ACCEPT: {"synchronous_commit": "on", **_PROBES},
    # A node outlives the database's crash with its claim in memory: the claim must survive too.
    Concern.CLAIM: {"synchronous_commit": "on", **_PROBES},
    # What a crash undoes of a settlement is a redelivery under the same message id.
    Concern.SETTLE: {"synchronous_commit": "off", **_PROBES},
    # Of many partitions only those that the arguments name are planned for and locked.
    Concern.READ: {
        "default_transaction_read_only": "on",
        "plan_cache_mode": "force_custom_plan",
    },
    Concern.LISTEN: {"synchronous_commit": "off"},
    Concern.PRUNE: {"synchronous_commit": "off", "plan_cache_mode": "force_custom_plan"},
}


def settings(concern: Concern) -> dict[str, str]:
    """The server's settings of a connection of that concern."""
    return {**_COMMON, **_OF_CONCERN[concern], "application_name": f"luxor {concern}"}


async def connect(
    url: str,
    concern: Concern,
    *,
    seconds: float,
    password: str | None,
    statement_seconds: float | None = None,
) -> Any:
    """A connection of its own, as asyncpg has it; ``seconds`` bounds the connecting.

    ``statement_seconds`` bounds each statement; when it is not given, ``seconds`` does.
    """
    return await asyncpg.connect(
        url,
        password=password,
        timeout=seconds,
        command_timeout=statement_seconds or seconds,
        server_settings=settings(concern),
    )


class Pool:
    """The connections of one concern; lost ones are replaced when they are wanted.

    ``limit`` bounds the calls that are under way or wait.
    """

    def __init__(self, pool: Any, *, limit: int, seconds: float) -> None:
        self._pool = pool
        self._limit = limit
        self._seconds = seconds
        self._under_way = 0
        self._closed = False

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection for a call; raises ``Unavailable`` for what happens to the store."""
        if self._closed:
            raise Unavailable("the journal is closed")
        if self._under_way >= self._limit:
            raise Unavailable("too much is asked of the journal", retry_after=1.0)
        self._under_way += 1
        try:
            with mapped():
                async with self._pool.acquire(timeout=self._seconds) as connection:
                    try:
                        yield connection
                    except LOST:
                        connection.terminate()  # whatever state it is in, the next one is new
                        raise
        finally:
            self._under_way -= 1

    @asynccontextmanager
    async def transaction(
        self, *, isolation: str | None = None, readonly: bool = False
    ) -> AsyncIterator[Connection]:
        """A connection within a transaction of its own, and the same failures.

        ``isolation="repeatable_read"`` gives several reads one state.
        """
        async with (
            self.connection() as connection,
            connection.transaction(isolation=isolation, readonly=readonly),
        ):
            yield connection

    async def close(self) -> None:
        """Wait for the calls under way, then close. May be called twice."""
        self._closed = True
        await self._pool.close()


async def _kept_as_it_is(connection: object) -> None:
    """Nothing that runs on a pooled connection changes its settings."""


async def open_pool(
    url: str,
    concern: Concern,
    *,
    size: int,
    limit: int,
    seconds: float,
    password: str | None = None,
) -> Pool:
    """Up to ``size`` connections, opened when they are wanted; ``seconds`` bounds each wait."""
    pool = await asyncpg.create_pool(
        url,
        password=password,
        min_size=0,
        max_size=size,
        max_queries=1 << 62,
        max_inactive_connection_lifetime=0,
        reset=_kept_as_it_is,
        timeout=seconds,
        command_timeout=seconds,
        server_settings=settings(concern),
    )
    return Pool(pool, limit=limit, seconds=seconds)


def columns(rows: Sequence[Row], width: int) -> list[list[Any]]:
    """Rows as one list for each column, as ``unnest`` takes them; ``width`` of none too."""
    return (
        [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]
    )
