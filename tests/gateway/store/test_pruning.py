"""Pruning by hard ways: random journals, killed processes, several at once, and what is on disk."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.config.retention import RetentionDays, RetentionSection
from gateway.core.identifiers import InterchangeId, RecordNumber
from gateway.core.ports import Journal
from gateway.core.records import Result, Stored
from gateway.core.retention import Budget, Pruned
from gateway.store.memory import MemoryJournal
from gateway.store.postgres import open_postgres
from gateway.store.sqlite import SqliteJournal, open_sqlite
from gateway.store.sqlite.connection import Concern, connect
from tests.gateway.store.conftest import opened
from tests.gateway.store.samples import (
    GATEWAY,
    POST,
    START,
    ManualClock,
    accept,
    acceptance,
    item,
    legs,
    message,
    refusal,
    settled,
)
from tests.postgres import database

AT_ONCE = Budget(rows=100, rest=0.0, seconds=60.0)
SMALL = Budget(rows=3, rest=0.0, seconds=60.0)
SECTION = RetentionSection(
    days=RetentionDays(
        orders=5, items=9, decisions=12, declarations=12, indicators=12, attachments=3, refused=2
    ),
    kinds={"Referral": 4},
    trace=20,
)
RULES = msgspec.structs.replace(
    SECTION.rules,
    classes=tuple(
        msgspec.structs.replace(rule, days=min(rule.days, 12)) for rule in SECTION.rules.classes
    ),
    trace=20,
    seen=25,
)
KINDS = ("Order", "ItemDeclaration", "CustomsResponse", "Referral", "Attachment", "Unknown")

messages = st.lists(
    st.tuples(
        st.sampled_from(KINDS),
        st.integers(0, 3),  # about which items
        st.lists(st.sampled_from(("risk", "revenue")), max_size=2, unique=True),
    ),
    max_size=4,
)
holds = st.sampled_from(("value", "record", "message", "none", "none", "none"))
steps = st.lists(
    st.one_of(
        st.tuples(st.just("accept"), messages, holds),
        st.tuples(st.just("deliver"), st.sampled_from(("risk", "revenue")), st.integers(1, 3)),
        st.tuples(st.just("bury"), st.sampled_from(("risk", "revenue")), st.integers(1, 3)),
        st.tuples(st.just("wait"), st.integers(1, 30), st.none()),
        st.tuples(st.just("prune"), st.none(), st.none()),
        st.tuples(st.just("release"), st.integers(1, 5), st.none()),
    ),
    min_size=6,
    max_size=40,
)


class Pair:
    """A journal on SQLite and the plain model of it, treated alike."""

    def __init__(self, store: Journal, clock: ManualClock) -> None:
        self.clock = clock
        self.store = store
        self.model = MemoryJournal(gateway=GATEWAY, clock=clock)
        self.records: list[RecordNumber] = []

    async def play(self, name: str, first: Any, second: Any) -> None:
        """One step on both."""
        if name == "wait":
            self.clock.move(days=first)
            return
        if name == "accept":
            await self._accept(first, second)
            return
        outcomes = [await self._play(name, journal, first, second) for journal in self.both]
        assert outcomes[0] == outcomes[1]

    @property
    def both(self) -> tuple[Journal, Journal]:
        return self.store, self.model

    async def _accept(self, given: list[Any], hold: str) -> None:
        record, _ = [await journal.reserve() for journal in self.both]
        planned = tuple(
            message(ordinal, kind=kind, about=item(about), legs=legs(*to), body=b"{}%d" % record)
            for ordinal, (kind, about, to) in enumerate(given, 1)
        )
        build = acceptance if planned else refusal
        changes: dict[str, Any] = {"messages": planned} if planned else {}
        sent = build(record, f"id{len(self.records)}", received_at=self.clock(), **changes)
        for journal in self.both:
            await journal.commit(sent)
            held: dict[str, dict[str, Any]] = {
                "value": {"value": item(given[0][1]).value if given else "X"},
                "record": {"record": record},
                "message": {"record": record, "ordinal": 1},
                "none": {},
            }
            where = held[hold]
            if where:
                await journal.holds.add(reason="case", by="o", now=self.clock(), **where)
        self.records.append(record)

    async def _play(self, name: str, journal: Journal, first: Any, second: Any) -> object:
        now = self.clock()
        if name == "prune":
            pruned = await journal.retention.prune(RULES, now=now, budget=SMALL)
            return msgspec.structs.replace(pruned, others=0)
        if name == "release":
            return await journal.holds.release(first)
        lease = await journal.lease(first, limit=second, seconds=60, now=now)
        if lease is None:
            return None
        result = Result.DELIVERED if name == "deliver" else Result.BURIED
        done = [settled(d, result, detail="J. Doe, Main Street") for d in lease.deliveries]
        await journal.settle(lease, done, now=now)
        return [(d.seq, d.message) for d in lease.deliveries]

    async def _seen(self, journal: Journal, record: RecordNumber) -> tuple[object, ...]:
        name = InterchangeId(f"id{self.records.index(record)}")
        return (
            await journal.raw(record, 0),
            await journal.legs(record),
            await journal.message(record, 1),
            await journal.find(POST, name),
        )

    async def compare(self) -> None:
        """All that anybody can see is the same."""
        for record in self.records:
            found, expected = [await self._seen(journal, record) for journal in self.both]
            assert found == expected
        for about in range(4):
            found, expected = [await j.trace(item(about).value) for j in self.both]
            assert found == expected


@pytest.mark.parametrize(("store", "examples"), [("sqlite", 40), ("postgres", 6)])
def test_random_journals_forget_what_the_plain_model_forgets(store: str, examples: int) -> None:
    async def run(played: list[Any], folder: str) -> None:
        clock = ManualClock()
        async with opened(store, Path(folder), clock) as journal:
            pair = Pair(journal, clock)
            for step in (*played, ("prune", None, None)):
                await pair.play(*step)
            await pair.compare()

    @settings(max_examples=examples, deadline=None)
    @given(played=steps)
    def forgets(played: list[Any]) -> None:
        with tempfile.TemporaryDirectory() as folder:  # Hypothesis does not go with tmp_path
            asyncio.run(run(played, folder))

    forgets()


CANARY = b"CANARY-J-DOE-MAIN-STREET"


def on_disk(path: Path) -> bytes:
    """Everything that the journal's files have."""
    files = (path, path.with_name(f"{path.name}-wal"))
    return b"".join(file.read_bytes() for file in files if file.exists())


async def test_nothing_of_the_content_is_left_on_the_disk(tmp_path: Path) -> None:
    clock, path = ManualClock(), tmp_path / "journal.db"
    journal = await open_sqlite(path, gateway=GATEWAY, clock=clock)
    for number in range(40):
        planned = (message(1, about=item(number), body=CANARY + b"%d" % number),)
        # Short ones stand in a page with others, long ones in pages of their own.
        content = (CANARY + b"%d " % number) * (1 if number % 2 else 400)
        await accept(journal, f"id{number}", messages=planned, content=content, received_at=clock())
    while (lease := await journal.lease("risk", limit=100, seconds=60, now=clock())) is not None:
        done = [settled(d, detail=CANARY.decode()) for d in lease.deliveries]
        await journal.settle(lease, done, now=clock())
    assert CANARY in on_disk(path)
    clock.move(days=10)
    await accept(journal, "young", messages=(message(legs=()),), received_at=clock())
    pruned = await journal.retention.prune(RULES, now=clock(), budget=AT_ONCE)
    remains = on_disk(path)
    await journal.close()

    assert (pruned.bodies, pruned.contents, pruned.details) == (40, 40, 40)
    assert CANARY not in remains
    assert b"ItemDeclaration" in remains  # the files were read, and the messages are there


def test_what_is_deleted_is_overwritten_whatever_sqlite_was_built_for(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    connection = connect(path, Concern.PRUNE, busy_seconds=1, cache_bytes=1 << 20)

    assert connection.execute("PRAGMA secure_delete").fetchone() == (1,)
    connection.close()


async def filled(path: Path, count: int) -> list[Stored]:
    """A journal whose messages are all over by now."""
    clock = ManualClock()
    journal = await open_sqlite(path, gateway=GATEWAY, clock=clock)
    stored = [
        await accept(
            journal,
            f"id{n}",
            messages=(message(1, about=item(n), legs=() if n % 10 else legs("risk")),),
            received_at=clock(),
        )
        for n in range(count)
    ]
    await journal.close()
    return stored


def counted(path: Path) -> tuple[int, int, list[tuple[str]]]:
    connection = sqlite3.connect(path)
    try:
        bodies, contents = (
            connection.execute(statement).fetchone()[0]
            for statement in ("SELECT count(*) FROM body", "SELECT count(*) FROM raw")
        )
        return bodies, contents, connection.execute("PRAGMA integrity_check").fetchall()
    finally:
        connection.close()


def killed_after(lines: int, path: Path, now: datetime) -> list[list[str]]:
    """What a worker has told when it is killed."""
    command = [sys.executable, "-m", "tests.gateway.store.pruning_worker", str(path)]
    with subprocess.Popen([*command, now.isoformat()], stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        told = [worker.stdout.readline().split() for _ in range(lines)]
        worker.kill()
    return told


async def test_a_run_that_was_killed_is_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    await filled(path, 400)
    now = START + timedelta(days=200)
    steps = killed_after(3, path, now)
    killed = counted(path)

    journal = await open_sqlite(path, gateway=GATEWAY, clock=ManualClock(now))
    rest = await journal.retention.prune(RetentionSection().rules, now=now, budget=AT_ONCE)
    [first] = await journal.trace(item(1).value)
    await journal.close()

    assert [rule for rule, _ in steps] == ["items"] * 3
    assert 40 < killed[0] < 400
    assert killed[2] == [("ok",)]
    assert not rest.busy
    assert rest.bodies == killed[0] - 40
    assert rest.left == 40
    assert counted(path) == (40, 40, [("ok",)])
    assert first.message.body is None


async def test_one_run_at_a_time_whoever_asks(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    await filled(path, 200)
    clock = ManualClock(START + timedelta(days=200))
    journals = [await open_sqlite(path, gateway=GATEWAY, clock=clock) for _ in range(3)]
    rules = RetentionSection().rules

    def run(journal: SqliteJournal) -> Any:
        return journal.retention.prune(rules, now=clock(), budget=SMALL)

    runs: list[Pruned] = await asyncio.gather(*(run(journal) for journal in journals))
    again: Pruned = await run(journals[-1])
    for journal in journals:
        await journal.close()

    assert sorted(one.busy for one in runs) == [False, True, True]
    assert sum(one.bodies for one in runs) == 180
    assert not again.busy
    assert not again


async def test_a_run_ends_when_its_time_is_up_and_the_next_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    await filled(path, 50)
    clock = ManualClock(START + timedelta(days=200))
    journal = await open_sqlite(path, gateway=GATEWAY, clock=clock)
    rules = RetentionSection().rules
    none = await journal.retention.prune(
        rules, now=clock(), budget=Budget(rows=100, rest=0.0, seconds=-1.0)
    )
    all_ = await journal.retention.prune(rules, now=clock(), budget=AT_ONCE)
    await journal.close()

    assert not none
    assert not none.over
    assert (all_.bodies, all_.over) == (45, True)


async def test_accepting_goes_on_beside_a_run(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    await filled(path, 300)
    clock = ManualClock(START + timedelta(days=200))
    journal = await open_sqlite(path, gateway=GATEWAY, clock=clock)

    async def submit() -> int:
        for n in range(60):
            await accept(
                journal,
                f"new{n}",
                messages=(message(1, about=item(1_000 + n), legs=()),),
                received_at=clock(),
            )
        return 60

    pruned, accepted = await asyncio.gather(
        journal.retention.prune(RetentionSection().rules, now=clock(), budget=SMALL), submit()
    )
    await journal.close()

    assert (pruned.bodies, accepted) == (270, 60)
    assert counted(path) == (90, 90, [("ok",)])


async def columns_with(url: str, canary: str) -> list[str]:
    """Every column of every table, partitions too, that has the text or bytes."""
    connection = await asyncpg.connect(url)
    try:
        columns = await connection.fetch(
            "SELECT c.table_name, c.column_name, c.data_type FROM information_schema.columns AS c"
            " JOIN information_schema.tables AS t USING (table_schema, table_name)"
            " WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE'"
            " AND c.data_type IN ('text', 'bytea', 'ARRAY')"
        )
        found = []
        for table, column, kind in columns:
            text = f"encode({column}, 'escape')" if kind == "bytea" else f"{column}::text"
            query = f"SELECT EXISTS (SELECT 1 FROM {table} WHERE {text} LIKE '%' || $1 || '%')"  # noqa: S608 - names of columns
            if await connection.fetchval(query, canary):
                found.append(f"{table}.{column}")
        return found
    finally:
        await connection.close()


@pytest.mark.parametrize("days", [13, 60], ids=["by rows", "by windows"])
async def test_nothing_of_the_content_is_left_in_the_tables(days: int) -> None:
    clock = ManualClock()
    with database() as url:
        journal = await open_postgres(url, gateway=GATEWAY, clock=clock)
        planned = (message(1, body=CANARY), message(2, kind="Order", body=CANARY))
        await accept(journal, messages=planned, content=CANARY, received_at=clock())
        await journal.commit(
            refusal(await journal.reserve(), "refused", content=CANARY, received_at=clock())
        )
        while (lease := await journal.lease("risk", limit=9, seconds=60, now=clock())) is not None:
            done = [settled(d, detail=CANARY.decode()) for d in lease.deliveries]
            await journal.settle(lease, done, now=clock())
        before = await columns_with(url, CANARY.decode())
        clock.move(days=days)
        rules: list[str] = []
        pruned = await journal.retention.prune(
            RULES, now=clock(), budget=AT_ONCE, told=lambda rule, _: rules.append(rule)
        )
        after = await columns_with(url, CANARY.decode())
        traces = len(await journal.trace(item(1).value))
        await journal.close()

    assert {name.split("_w")[0] for name in before} >= {"raw", "body_order", "attempt"}
    assert (pruned.bodies, pruned.contents, pruned.details) == (2, 2, 2)
    assert after == []
    assert ("windows" in rules) is (days == 60)
    assert traces == (1 if days == 13 else 0)


async def test_windows_that_are_empty_give_their_disk_back() -> None:
    clock = ManualClock()
    with database() as url:
        journal = await open_postgres(url, gateway=GATEWAY, clock=clock)
        await accept(journal, messages=(message(legs=()),), received_at=clock())
        connection = await asyncpg.connect(url)
        tables = "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relname LIKE 'raw_w%'"
        before = await connection.fetchval(tables)
        clock.move(days=13)
        await journal.retention.prune(RULES, now=clock(), budget=AT_ONCE)
        within = await connection.fetchval(tables)
        clock.move(days=60)
        await journal.retention.prune(RULES, now=clock(), budget=AT_ONCE)
        afterwards = await connection.fetchval(tables)
        again = await accept(journal, "young", messages=(message(legs=()),), received_at=clock())
        raw = await journal.raw(again.record, 0)
        await connection.close()
        await journal.close()

    assert within == before
    assert afterwards < before
    assert raw == b"<content/>"


async def test_one_run_at_a_time_among_nodes() -> None:
    clock = ManualClock()
    with database() as url:
        nodes = [await open_postgres(url, gateway=GATEWAY, clock=clock) for _ in range(2)]
        for n in range(30):
            planned = (message(1, about=item(n), legs=()),)
            await accept(nodes[0], f"id{n}", messages=planned, received_at=clock())
        clock.move(days=10)
        runs = await asyncio.gather(
            *(node.retention.prune(RULES, now=clock(), budget=SMALL) for node in nodes)
        )
        again = await nodes[1].retention.prune(RULES, now=clock(), budget=SMALL)
        for node in nodes:
            await node.close()

    assert sorted(run.busy for run in runs) == [False, True]
    assert sum(run.bodies for run in runs) == 30
    assert (again.busy, bool(again)) == (False, False)
