"""The SQLite journal as a file: whose it is, who has it open, what a full disk does to it."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from gateway.core.errors import Unavailable
from gateway.core.identifiers import InterchangeId
from gateway.core.records import Acceptance, LegState, Stored
from gateway.store.leaf import leaf_hash
from gateway.store.sqlite import JournalMismatch, Limits, SqliteJournal, open_sqlite
from tests.gateway.store.samples import (
    GATEWAY,
    POST,
    RECEIPT,
    START,
    ManualClock,
    accept,
    acceptance,
    all_settled,
    ids,
    item,
    lease,
    legs,
    message,
    refusal,
)


def rows(journal: Path, statement: str) -> list[tuple[object, ...]]:
    """What another program reads from the file."""
    connection = sqlite3.connect(journal)
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()


def table_rows(journal: Path, table: str) -> list[tuple[object, ...]]:
    return rows(journal, f"SELECT * FROM {table}")  # noqa: S608 - the tests name their tables


@contextmanager
def locked(journal: Path) -> Iterator[None]:
    """Another program holds the write lock meanwhile."""
    connection = sqlite3.connect(journal, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")
    finally:
        connection.close()


async def reopened(path: Path, clock: ManualClock, **limits: int) -> SqliteJournal:
    return await open_sqlite(path, gateway=GATEWAY, clock=clock, limits=Limits(**limits))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


async def test_what_was_committed_is_there_after_a_restart(path: Path, clock: ManualClock) -> None:
    first = await reopened(path, clock)
    stored = await accept(first, messages=[message(legs=legs("risk", "revenue"))])
    taken = await lease(first, "revenue")
    await first.settle(taken, all_settled(taken), now=START)
    await first.close()
    second = await reopened(path, clock)
    assert await second.find(POST, InterchangeId("first")) == stored
    assert (await accept(second)).repeated
    assert await second.tick(now=START) == {"risk"}
    assert ids(await lease(second)) == ["first"]
    await second.close()


async def test_the_file_is_its_owners_alone(path: Path, sqlite: SqliteJournal) -> None:
    await accept(sqlite)
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in path.parent.glob("journal.db*")}
    assert modes == {
        "journal.db": 0o600,
        "journal.db-wal": 0o600,
        "journal.db-shm": 0o600,
        "journal.db.locks": 0o700,
    }


async def test_a_journal_belongs_to_one_gateway_number(path: Path, clock: ManualClock) -> None:
    await (await reopened(path, clock)).close()
    with pytest.raises(JournalMismatch, match="gateway 7"):
        await open_sqlite(path, gateway=8, clock=clock)


async def test_a_journal_of_a_later_version_is_left_alone(path: Path, clock: ManualClock) -> None:
    await (await reopened(path, clock)).close()
    rows(path, "PRAGMA user_version = 99")
    with pytest.raises(JournalMismatch, match="newer"):
        await reopened(path, clock)


async def test_another_programs_database_is_left_alone(path: Path, clock: ManualClock) -> None:
    rows(path, "CREATE TABLE mine (x)")
    with pytest.raises(JournalMismatch, match="not a journal"):
        await reopened(path, clock)


async def test_a_file_that_is_no_database_is_left_alone(path: Path, clock: ManualClock) -> None:
    await asyncio.to_thread(path.write_bytes, b"no database, but long enough to be one" * 100)
    with pytest.raises(Unavailable, match="damaged"):
        await reopened(path, clock)


async def test_the_leaf_hash_is_kept_of_accepted_and_refused_ones(
    path: Path, sqlite: SqliteJournal
) -> None:
    given = acceptance(await sqlite.reserve())
    await sqlite.commit(given)
    refused = refusal(await sqlite.reserve(), "second")
    await sqlite.commit(refused)
    kept = rows(path, "SELECT leaf FROM interchange ORDER BY record")
    assert kept == [(leaf_hash(given),), (leaf_hash(refused),)]


async def test_the_version_of_the_model_is_kept(path: Path, clock: ManualClock) -> None:
    journal = await open_sqlite(path, gateway=GATEWAY, clock=clock, model_version=3)
    await accept(journal)
    await journal.close()
    assert rows(path, "SELECT model FROM interchange") == [(3,)]


async def test_two_processes_share_a_journal(path: Path, clock: ManualClock) -> None:
    one, two = await reopened(path, clock), await reopened(path, clock)
    answers = await asyncio.gather(
        *(
            accept(journal, f"id{n}", content=b"%d" % n, messages=[message(about=item(n))])
            for n in range(40)
            for journal in (one, two)
        )
    )
    assert [answer.repeated for answer in answers].count(False) == 40
    assert len({answer.record for answer in answers}) == 40
    taken = await asyncio.gather(*(lease(journal, limit=20) for journal in (one, two)))
    assert sorted(ids(taken[0]) + ids(taken[1])) == sorted(f"id{n}" for n in range(40))
    assert taken[0].token != taken[1].token
    await one.close()
    assert await two.held("risk", taken[1].token) == taken[1]
    await two.close()


async def test_work_that_another_process_committed_is_told_by_the_tick(
    path: Path, clock: ManualClock
) -> None:
    one, two = await reopened(path, clock), await reopened(path, clock)
    await accept(one)
    assert await two.tick(now=START) == {"risk"}
    await one.close()
    await two.close()


async def test_the_leases_of_a_process_end_with_it(path: Path, clock: ManualClock) -> None:
    first = await reopened(path, clock)
    await accept(first)
    await lease(first, seconds=3600)
    await first.close()
    second = await reopened(path, clock)
    assert ids(await lease(second)) == ["first"]
    await second.close()


async def test_a_lasting_lease_outlives_the_process(path: Path, clock: ManualClock) -> None:
    first = await reopened(path, clock)
    await accept(first)
    taken = await first.lease("risk", limit=1, seconds=3600, now=START, lasting=True)
    assert taken is not None
    await first.close()
    second = await reopened(path, clock)
    assert await second.held("risk", taken.token) == taken
    assert await second.lease("risk", limit=1, seconds=1, now=START) is None
    await second.settle(taken, all_settled(taken), now=START)
    (leg,) = await second.legs(taken.deliveries[0].message.record)
    assert leg.state is LegState.DELIVERED
    await second.close()


async def test_staged_chunks_go_with_their_process(path: Path, clock: ManualClock) -> None:
    first, other = await reopened(path, clock), await reopened(path, clock)
    mine, theirs = await first.reserve(), await other.reserve()
    for journal, record in ((first, mine), (other, theirs)):
        await journal.stage(
            record,
            party=POST,
            interchange_id=InterchangeId("large"),
            raw=(b"<a>",),
            messages=(message(),),
        )
    await first.close()
    for table in ("staged", "raw", "body", "plan"):
        assert {row[0] for row in table_rows(path, table)} == {theirs}
    await other.commit(acceptance(theirs, "large", messages=(), staged=True))
    assert ids(await lease(other)) == ["large"]
    await other.close()


async def test_a_full_disk_refuses_and_leaves_nothing_half_stored(
    path: Path, clock: ManualClock
) -> None:
    journal = await reopened(path, clock, max_bytes=400_000)
    kept: list[Stored] = []
    failure: Unavailable | None = None
    while failure is None and len(kept) < 1_000:
        n = len(kept)
        raw = (n.to_bytes(4, "big") + bytes(range(256))) * 20
        try:
            kept.append(
                await accept(
                    journal,
                    f"id{n}",
                    content=b"%d" % n,
                    raw=(raw[n % 256 :],),
                    messages=[message(about=item(n), legs=legs("risk", "revenue"))],
                )
            )
        except Unavailable as error:
            failure = error
    assert failure is not None
    assert "full" in failure.reason
    assert failure.retry_after
    count = len(kept)
    assert 0 < count < 1_000
    assert await journal.find(POST, InterchangeId(f"id{count}")) is None
    assert await journal.trace(item(count).value) == ()
    assert await journal.find(POST, InterchangeId("id0")) == kept[0]
    for table in ("seen", "interchange", "raw", "message", "body", "subject", "ref"):
        assert len(table_rows(path, table)) == count
    for table in ("leg", "head"):
        assert len(table_rows(path, table)) == 2 * count
    await journal.close()
    larger = await reopened(path, clock)
    assert not (await accept(larger, f"id{count}", content=b"%d" % count)).repeated
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]
    await larger.close()


async def test_a_bad_acceptance_does_not_harm_its_neighbours(sqlite: SqliteJournal) -> None:
    answers = await asyncio.gather(
        accept(sqlite, "a", content=b"a"),
        accept(sqlite, "b", content=b"b", messages=[message(key_of=(1, 1))]),
        accept(sqlite, "c", content=b"c"),
        accept(sqlite, "d", content=b"d", transport="\ud800"),
        accept(sqlite, "e", content=b"e"),
        return_exceptions=True,
    )
    assert [isinstance(answer, Stored) for answer in answers] == [True, False, True, False, True]
    assert ids(await lease(sqlite)) == ["a", "c", "e"]


async def test_concurrent_acceptances_share_transactions(path: Path, sqlite: SqliteJournal) -> None:
    given = [
        acceptance(await sqlite.reserve(), f"id{n}", messages=[message(about=item(n))])
        for n in range(200)
    ]
    with locked(path):
        tasks = [asyncio.create_task(sqlite.commit(one)) for one in given]
        await asyncio.sleep(0.05)
    await asyncio.gather(*tasks)
    groups, committed = sqlite.groups
    assert committed == 200
    assert groups <= 3


async def test_too_many_waiting_acceptances_are_turned_away(path: Path, clock: ManualClock) -> None:
    journal = await reopened(path, clock, waiting=4)
    given = [acceptance(await journal.reserve(), f"id{n}") for n in range(20)]
    with locked(path):
        tasks = [asyncio.create_task(journal.commit(one)) for one in given]
        # Some are being written, as many wait; the others hear at once that it is too much.
        await asyncio.wait(tasks, timeout=0.2)
        turned_away = [task for task in tasks if task.done()]
        assert len(turned_away) >= 12
        assert all(isinstance(task.exception(), Unavailable) for task in turned_away)
    kept = [await task for task in tasks if task not in turned_away]
    assert kept
    for stored in kept:
        assert await journal.find(POST, stored.interchange_id) == stored
    await journal.close()


async def test_waiting_for_another_programs_lock_ends_with_unavailable(
    path: Path, clock: ManualClock
) -> None:
    journal = await open_sqlite(
        path, gateway=GATEWAY, clock=clock, limits=Limits(busy_seconds=0.05)
    )
    given = acceptance(await journal.reserve())
    with locked(path), pytest.raises(Unavailable, match="busy"):
        await journal.commit(given)
    assert not (await journal.commit(given)).repeated
    await journal.close()


async def test_a_cancelled_caller_loses_the_answer_and_nothing_else(
    sqlite: SqliteJournal,
) -> None:
    record = await sqlite.reserve()
    task = asyncio.create_task(sqlite.commit(acceptance(record)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await accept(sqlite)).record == record


async def test_a_closed_journal_takes_nothing(path: Path, clock: ManualClock) -> None:
    journal = await reopened(path, clock)
    record = await journal.reserve()
    await journal.close()
    with pytest.raises(Unavailable):
        await journal.commit(acceptance(record))
    with pytest.raises(Unavailable):
        await journal.find(POST, InterchangeId("first"))
    with pytest.raises(Unavailable):
        await journal.lease("risk", limit=1, seconds=1, now=START)


async def test_closing_waits_for_what_was_handed_over(path: Path, clock: ManualClock) -> None:
    journal = await reopened(path, clock)
    given = [acceptance(await journal.reserve(), f"id{n}") for n in range(20)]
    tasks = [asyncio.create_task(journal.commit(one)) for one in given]
    await asyncio.sleep(0)
    await journal.close()
    assert [(await task).record for task in tasks] == [one.record for one in given]


async def test_record_numbers_of_several_blocks_and_processes_are_distinct(
    path: Path, clock: ManualClock
) -> None:
    numbers: list[int] = []
    for _ in range(3):
        one, two = await reopened(path, clock), await reopened(path, clock)
        numbers += [await journal.reserve() for _ in range(1_100) for journal in (one, two)]
        await one.close()
        await two.close()
    assert len(set(numbers)) == len(numbers) == 6_600


async def test_record_numbers_rise_over_a_restart_with_the_clock_set_back(
    path: Path, clock: ManualClock
) -> None:
    first = await reopened(path, clock)
    before = await first.reserve()
    await first.close()
    clock.move(minutes=-30)
    second = await reopened(path, clock)
    assert await second.reserve() > before
    await second.close()


async def test_a_clock_that_was_far_ahead_is_not_believed_for_ever(
    path: Path, clock: ManualClock
) -> None:
    clock.move(days=2_000)
    first = await reopened(path, clock)
    ahead = await first.reserve()
    await first.close()
    clock.move(days=-2_000)
    second = await reopened(path, clock)
    assert await second.reserve() < ahead
    await second.close()


async def test_a_damaged_row_is_noticed_when_it_is_read(path: Path, sqlite: SqliteJournal) -> None:
    stored = await accept(sqlite, raw=(b"<item/>" * 500,))
    (content,) = rows(path, "SELECT content FROM raw")[0]
    assert isinstance(content, bytes)
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("UPDATE raw SET content = ?", (content[:-1] + b"\x00",))
    connection.close()
    with pytest.raises(ValueError, match="damaged"):
        await sqlite.raw(stored.record, 0)


async def test_receipts_are_stored_in_fewer_bytes_and_given_back_exactly(
    path: Path, sqlite: SqliteJournal
) -> None:
    long = ".".join((RECEIPT.split(".")[0], "eyJh" * 200, "c2ln" * 20))
    given: Acceptance = acceptance(await sqlite.reserve(), receipt=long)
    await sqlite.commit(given)
    found = await sqlite.find(POST, InterchangeId("first"))
    assert found is not None
    assert found.receipt == long
    ((stored,),) = rows(path, "SELECT length(receipt) FROM interchange")
    assert isinstance(stored, int)
    assert stored < len(long) * 0.8


async def test_a_lease_has_no_more_bodies_than_its_bound(path: Path, clock: ManualClock) -> None:
    journal = await reopened(path, clock, lease_bytes=2_500)
    for n in range(3):
        same, body = message(about=item(1)), random.Random(n).randbytes(1_000)
        await accept(journal, f"a{n}", content=b"a%d" % n, messages=[replace(same, body=body)])
    await accept(journal, "b", content=b"b", messages=[message(about=item(2))])
    first = await lease(journal)
    assert ids(first) == ["a0", "a1"]
    assert await journal.held("risk", first.token) == first
    assert ids(await lease(journal)) == ["b"]
    await journal.settle(first, all_settled(first), now=START)
    assert ids(await lease(journal)) == ["a2"]
    await journal.close()


async def test_a_body_beyond_the_bound_goes_alone(path: Path, clock: ManualClock) -> None:
    journal = await reopened(path, clock, lease_bytes=10)
    for n in range(3):
        await accept(journal, f"a{n}", content=b"%d" % n, messages=[message(about=item(n))])
    assert [ids(await lease(journal)) for _ in range(3)] == [["a0"], ["a1"], ["a2"]]
    await journal.close()
