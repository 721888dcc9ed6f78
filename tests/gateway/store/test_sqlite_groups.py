"""What waits for the writer of a file together is flushed together."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from gateway.core.errors import Unavailable
from gateway.core.records import Stored
from gateway.store.sqlite import SqliteJournal
from tests.gateway.store.samples import START, acceptance

LATER = START + timedelta(minutes=5)


@asynccontextmanager
async def held_up(journal: SqliteJournal) -> AsyncIterator[list[str]]:
    """While the block runs nothing is written; the statements of what is written after it."""
    begun, ended = threading.Event(), threading.Event()
    statements: list[str] = []

    def wait(connection: sqlite3.Connection) -> None:
        begun.set()
        ended.wait(timeout=60)
        connection.set_trace_callback(statements.append)

    holding = asyncio.create_task(journal._writer.run(wait))
    await asyncio.to_thread(begun.wait, 60)
    yield statements
    ended.set()
    await holding


async def at_once(*calls: Coroutine[Any, Any, object]) -> list[asyncio.Task[object]]:
    """Calls that are under way."""
    tasks: list[asyncio.Task[object]] = [asyncio.create_task(call) for call in calls]
    await asyncio.sleep(0)
    return tasks


def remembered(journal: SqliteJournal) -> Callable[[str], Coroutine[Any, Any, bool]]:
    return lambda value: journal.remember("nonces", value, until=LATER, now=START)


async def test_acceptances_and_nonces_that_wait_together_share_a_flush(
    sqlite: SqliteJournal,
) -> None:
    nonce = remembered(sqlite)
    given = [acceptance(await sqlite.reserve(), f"i-{n}") for n in range(3)]
    async with held_up(sqlite) as statements:
        calls = await at_once(*map(sqlite.commit, given), nonce("a"), nonce("b"), nonce("a"))
    assert await asyncio.gather(*calls) == [*map(Stored.of, given), True, True, False]
    assert statements.count("COMMIT") == 2  # that of what held it up, and theirs


async def test_an_acceptance_that_cannot_be_written_harms_no_nonce_and_no_other(
    sqlite: SqliteJournal,
) -> None:
    nonce = remembered(sqlite)
    first = acceptance(await sqlite.reserve(), "first")
    await sqlite.commit(first)
    contradicts = acceptance(first.record, "contradicts", content=b"other")
    other = acceptance(await sqlite.reserve(), "other")
    async with held_up(sqlite):
        calls = await at_once(sqlite.commit(contradicts), nonce("a"), sqlite.commit(other))
    refused, fresh, stored = await asyncio.gather(*calls, return_exceptions=True)
    assert isinstance(refused, ValueError)
    assert fresh is True
    assert stored == Stored.of(other)
    assert await nonce("a") is False


async def test_what_cannot_be_written_at_all_is_told_to_everybody(sqlite: SqliteJournal) -> None:
    nonce = remembered(sqlite)
    given = acceptance(await sqlite.reserve())

    connection = sqlite._writer._connection
    async with held_up(sqlite):
        calls = await at_once(sqlite.commit(given), nonce("a"))
        connection.execute("PRAGMA query_only = ON")  # the writer's thread only waits meanwhile
    told = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(one) for one in told] == [Unavailable, Unavailable]
    connection.execute("PRAGMA query_only = OFF")
    assert await sqlite.commit(given) == Stored.of(given)
