"""A database that is lost, stopped, locked or another's: told clearly, and mended by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import asyncpg
import pytest

from gateway.core.errors import Unavailable
from gateway.core.records import Stored
from gateway.store.postgres import JournalMismatch, Limits, PostgresJournal, claim, open_postgres
from gateway.store.postgres.schema import MIGRATIONS, migrate, version
from tests.gateway.store.samples import (
    GATEWAY,
    START,
    ManualClock,
    accept,
    all_settled,
    ids,
    item,
    lease,
    legs,
    message,
)
from tests.postgres import Server, database

T = TypeVar("T")
HANG_SECONDS = 60


@asynccontextmanager
async def opened(url: str, **limits: Any) -> AsyncIterator[PostgresJournal]:
    journal = await open_postgres(
        url, gateway=GATEWAY, clock=ManualClock(), limits=Limits(**limits)
    )
    try:
        yield journal
    finally:
        await journal.close()


@pytest.fixture
def server() -> Iterator[Server]:
    """One that may be killed."""
    started = Server()
    started.start()
    yield started
    started.stop()


async def at_last(call: Callable[[], Awaitable[T]]) -> T:
    """The result of a call that is made again as long as the journal is not there."""
    async with asyncio.timeout(HANG_SECONDS):
        while True:
            try:
                return await call()
            except Unavailable as error:
                await asyncio.sleep(min(0.05, error.retry_after or 0.05))


async def cut(url: str) -> None:
    """End every other connection to the database, as a broken network would."""
    connection = await asyncpg.connect(url)
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await connection.close()


async def test_lost_connections_come_back_by_themselves() -> None:
    with database() as url:
        async with opened(url) as first, opened(url) as second:
            await accept(first, "before")
            await cut(url)
            assert (await at_last(lambda: accept(first, "after"))).interchange_id == "after"
            taken = await at_last(lambda: lease(first))
            assert ids(taken) == ["before", "after"]
            await at_last(lambda: first.settle(taken, all_settled(taken), now=ManualClock().at))
            assert await at_last(second.backlog) == ()


async def test_what_others_commit_is_heard_again_after_the_connection_was_lost() -> None:
    with database() as url:
        async with opened(url) as first, opened(url) as second:
            async with asyncio.timeout(HANG_SECONDS):
                await second._opened.listener.listening.wait()
                await cut(url)
                while second._opened.listener.listening.is_set():  # noqa: ASYNC110 - it has no end to wait for
                    await asyncio.sleep(0.01)
                await second._opened.listener.listening.wait()
                await first._opened.listener.listening.wait()
            await at_last(lambda: accept(first))
            assert await second.wake(seconds=HANG_SECONDS) == {"risk"}


async def test_while_the_database_is_down_everybody_is_told_and_nothing_is_lost_after_it(
    server: Server,
) -> None:
    with server.database() as url:
        async with opened(url) as journal:
            first = await accept(journal, "first")
            taken = await lease(journal)
            server.kill(whole=True)
            for call in (
                lambda: accept(journal, "second"),
                lambda: journal.settle(taken, all_settled(taken), now=ManualClock().at),
                lambda: journal.lease("risk", limit=1, seconds=1, now=ManualClock().at),
                lambda: journal.tick(now=ManualClock().at),
                lambda: journal.trace("x"),
            ):
                with pytest.raises(Unavailable) as told:
                    await call()
                assert told.value.retry_after
            server.start()
            again = await at_last(lambda: accept(journal, "first"))
            assert (again.record, again.repeated) == (first.record, True)
            # The settlement failed, so the message comes again, under the same id.
            assert await journal.lease("risk", limit=9, seconds=60, now=ManualClock().at) is None
            late = ManualClock().move(seconds=61)
            assert await journal.tick(now=late) == {"risk"}
            second = await lease(journal, now=late)
            assert [d.message.message_id for d in second.deliveries] == [
                d.message.message_id for d in taken.deliveries
            ]


async def test_a_claim_is_not_given_to_another_node_after_a_crash_of_the_database(
    server: Server,
) -> None:
    with server.database() as url:
        async with opened(url) as first, opened(url) as second:
            for n in range(20):
                await accept(first, f"m{n}", messages=[message(about=item(n), legs=legs("risk"))])
            mine = await lease(first, limit=10)
            server.kill()
            server.start()
            theirs = await at_last(lambda: lease(second, limit=20))
            assert not {d.key for d in mine.deliveries} & {d.key for d in theirs.deliveries}
            assert len(theirs.deliveries) == 10


async def test_what_a_claim_took_whose_answer_was_lost_is_free_at_the_next_tick(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = claim.lease

    async def cut(*arguments: Any, **named: Any) -> None:
        assert await real(*arguments, **named) is not None
        raise Unavailable("the journal cannot be reached")

    with database() as url:
        async with opened(url) as journal:
            await accept(journal, messages=(message(about=item(1)),))
            held = await lease(journal)
            await accept(journal, "second", messages=(message(about=item(2)),))
            monkeypatch.setattr(claim, "lease", cut)
            with pytest.raises(Unavailable):
                await lease(journal)
            monkeypatch.undo()

            assert await journal.lease("risk", limit=100, seconds=60, now=START) is None
            await journal.tick(now=START)
            again = await lease(journal)

            assert [item(2)] == [delivery.message.key for delivery in again.deliveries]
            assert held == await journal.held("risk", held.token), "what is in hand stays so"


async def test_what_waits_to_be_written_is_bounded() -> None:
    with database() as url:
        async with opened(url, waiting=3, linger_seconds=0) as journal:
            numbers = [await journal.reserve() for _ in range(2)]
            assert len(set(numbers)) == 2
            locker = await asyncpg.connect(url)
            lock = locker.transaction()
            await lock.start()
            await locker.execute("LOCK TABLE seen IN ACCESS EXCLUSIVE MODE")
            begun = [asyncio.create_task(accept(journal, f"m{n}")) for n in range(8)]
            answers: list[Stored | BaseException] = []
            async with asyncio.timeout(HANG_SECONDS):
                while len(answers) < 4:
                    done, _ = await asyncio.wait(begun, return_when=asyncio.FIRST_COMPLETED)
                    answers += [task.exception() or task.result() for task in done]
                    begun = [task for task in begun if task not in done]
                await lock.rollback()
                written = await asyncio.gather(*begun)
            await locker.close()
        assert all(isinstance(answer, Unavailable) for answer in answers)
        assert len(answers) + len(written) == 8
        assert len(written) <= 4


async def test_closing_writes_what_waits_and_takes_no_more() -> None:
    with database() as url:
        async with opened(url) as journal:
            begun = [asyncio.create_task(accept(journal, f"m{n}")) for n in range(30)]
            await asyncio.sleep(0)
            await journal.reserve()
            await journal.close()
            assert len({stored.record for stored in await asyncio.gather(*begun)}) == 30
            with pytest.raises(Unavailable):
                await accept(journal, "late")


async def test_a_database_that_is_not_there_is_unavailable(server: Server) -> None:
    with pytest.raises(Unavailable, match="not there"):
        await open_postgres(server.url("nothing"), gateway=GATEWAY, clock=ManualClock())
    url = server.url("postgres")
    server.kill(whole=True)
    with pytest.raises(Unavailable, match="reached"):
        await open_postgres(url, gateway=GATEWAY, clock=ManualClock())


async def test_only_a_journal_of_this_gateway_and_version_is_opened() -> None:
    with database() as url:
        with pytest.raises(JournalMismatch, match="belongs to gateway 7, not to 8"):
            await open_postgres(url, gateway=8, clock=ManualClock())
        connection = await asyncpg.connect(url)
        for shift, match in ((1, "version"), (-1, "version")):
            await connection.execute(
                "UPDATE meta SET value = value + $1 WHERE name = 'schema'", shift
            )
            with pytest.raises(JournalMismatch, match=match):
                await open_postgres(url, gateway=GATEWAY, clock=ManualClock())
            await connection.execute(
                "UPDATE meta SET value = value - $1 WHERE name = 'schema'", shift
            )
        await connection.close()


async def test_processes_that_make_the_tables_at_once_wait_for_each_other() -> None:
    with database(gateway=None) as url:
        with pytest.raises(JournalMismatch, match="no journal yet"):
            await open_postgres(url, gateway=GATEWAY, clock=ManualClock())
        connections = [await asyncpg.connect(url) for _ in range(3)]
        await asyncio.gather(*(migrate(c, gateway=GATEWAY) for c in connections))
        assert await version(connections[0]) == len(MIGRATIONS)
        with pytest.raises(JournalMismatch, match="belongs to gateway 7"):
            await migrate(connections[0], gateway=8)
        for connection in connections:
            await connection.close()


async def test_a_step_that_fails_leaves_the_version_before(monkeypatch: pytest.MonkeyPatch) -> None:
    with database(gateway=None) as url:
        connection = await asyncpg.connect(url)
        broken = (*MIGRATIONS, "CREATE TABLE half (n integer); SELECT 1 / 0")
        monkeypatch.setattr("gateway.store.postgres.schema.MIGRATIONS", broken)
        with pytest.raises(asyncpg.DivisionByZeroError):
            await migrate(connection, gateway=GATEWAY)
        assert await version(connection) == len(MIGRATIONS)
        assert await connection.fetchval("SELECT to_regclass('half')") is None
        await connection.close()


async def test_a_database_of_another_program_is_left_alone() -> None:
    with database(gateway=None) as url:
        connection = await asyncpg.connect(url)
        await connection.execute("CREATE TABLE theirs (n integer)")
        with pytest.raises(JournalMismatch, match="no journal"):
            await migrate(connection, gateway=GATEWAY)
        assert await connection.fetchval("SELECT to_regclass('meta')") is None
        await connection.close()
