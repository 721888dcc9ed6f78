"""Values that may be used once within their time: the contract, the file, killed processes."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.core.errors import Unavailable
from gateway.core.ports import Journal
from gateway.store.sqlite import Limits, SqliteJournal, open_sqlite
from gateway.store.sqlite.schema import MIGRATIONS
from tests.gateway.store.samples import GATEWAY, START, ManualClock, accept

LATER = START + timedelta(minutes=5)

WORKER = """
import asyncio, sys
from datetime import timedelta
from pathlib import Path
from gateway.store.sqlite import open_sqlite
from tests.gateway.store.samples import GATEWAY, START

async def work() -> None:
    journal = await open_sqlite(Path(sys.argv[1]), gateway=GATEWAY, clock=lambda: START)
    async def one(number: int) -> None:
        later = START + timedelta(minutes=5)
        if await journal.remember("nonces", str(number), until=later, now=START):
            sys.stdout.write(f"{number}\\n")
            sys.stdout.flush()
    await asyncio.gather(*map(one, range(int(sys.argv[2]))))
    sys.stdout.write("done\\n")
    sys.stdout.flush()
    await asyncio.Event().wait()

asyncio.run(work())
"""


async def new(
    journal: Journal, value: str, scope: str = "nonces", *, after: float = 0, lasts: float = 300
) -> bool:
    """Whether the value is new ``after`` so many seconds."""
    now = START + timedelta(seconds=after)
    return await journal.remember(scope, value, until=now + timedelta(seconds=lasts), now=now)


async def test_a_value_is_new_once(journal: Journal) -> None:
    answers = [await new(journal, "one"), await new(journal, "one"), await new(journal, "two")]
    assert answers == [True, False, True]


async def test_who_holds_a_value_may_come_again_and_nobody_else(journal: Journal) -> None:
    until = START + timedelta(seconds=300)

    answers = [
        await journal.remember("signatures", "one", until=until, now=START, holder=holder)
        for holder in ("i-1", "i-1", "i-2", "", "i-1")
    ]

    assert answers == [True, True, False, False, True]


async def test_a_value_that_nobody_holds_is_known_to_all(journal: Journal) -> None:
    until = START + timedelta(seconds=300)
    answers = [
        await journal.remember("signatures", "one", until=until, now=START, holder=holder)
        for holder in ("", "", "i-1")
    ]
    assert answers == [True, False, False]


async def test_scopes_are_apart_also_where_their_texts_run_together(journal: Journal) -> None:
    answers = [await new(journal, value, scope) for scope, value in (("a", "bc"), ("ab", "c"))]
    assert answers == [True, True]


@pytest.mark.parametrize("value", ["", "x" * 1_000_000, "\x00", "\udcff", "ü"])
async def test_any_text_is_a_value(journal: Journal, value: str) -> None:
    assert [await new(journal, value), await new(journal, value)] == [True, False]


async def test_a_value_is_known_until_its_time_and_not_at_it(journal: Journal) -> None:
    assert await new(journal, "one", lasts=300)
    assert not await new(journal, "one", after=299.999_999)
    assert await new(journal, "one", after=300)
    assert not await new(journal, "one", after=301)


async def test_of_many_at_once_one_is_told_that_it_is_new(journal: Journal) -> None:
    answers = await asyncio.gather(*(new(journal, f"v{n % 10}") for n in range(200)))
    assert sum(answers) == 10


async def test_asking_again_does_not_prolong(journal: Journal) -> None:
    assert await new(journal, "one", lasts=10)
    assert not await new(journal, "one", after=5, lasts=1_000)
    assert await new(journal, "one", after=11)


async def test_who_judges_by_a_slightly_earlier_time_still_finds_what_is_over(
    sqlite: SqliteJournal,
) -> None:
    assert await new(sqlite, "one", lasts=10)
    for number in range(50):
        assert await new(sqlite, f"other {number}", after=11)
    assert not await new(sqlite, "one", after=9)


def kept(path: Path) -> int:
    connection = sqlite3.connect(path)
    try:
        (count,) = connection.execute("SELECT count(*) FROM remembered").fetchone()
        return int(count)
    finally:
        connection.close()


async def test_old_values_go_a_few_with_each_new_one(sqlite: SqliteJournal, tmp_path: Path) -> None:
    await asyncio.gather(*(new(sqlite, f"old {n}", lasts=10) for n in range(400)))
    assert await new(sqlite, "first", after=1_000)
    assert kept(tmp_path / "journal.db") == 400 - 4 + 1
    for number in range(110):
        assert await new(sqlite, f"new {number}", after=1_000)
    assert kept(tmp_path / "journal.db") == 111


async def test_a_restart_forgets_nothing(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "journal.db"
    for expected in (True, False):
        journal = await open_sqlite(path, gateway=GATEWAY, clock=clock)
        assert await new(journal, "one") is expected
        await journal.close()


async def test_a_journal_from_before_remembers_too(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "journal.db"
    before = next(n for n, step in enumerate(MIGRATIONS) if "remembered" in step)
    with sqlite3.connect(path, isolation_level=None) as old:
        for step in MIGRATIONS[:before]:
            old.executescript(step)
        old.execute(f"PRAGMA user_version = {before}")
    old.close()
    journal = await open_sqlite(path, gateway=GATEWAY, clock=clock)
    assert await new(journal, "one")
    await journal.close()


async def test_values_and_acceptances_at_once_do_not_wait_for_each_other(
    sqlite: SqliteJournal,
) -> None:
    async def both(number: int) -> bool:
        fresh = await new(sqlite, f"v{number}")
        await accept(sqlite, f"id{number}", control_reference=f"R{number}")
        return fresh

    assert all(await asyncio.gather(*map(both, range(100))))
    groups, committed = sqlite.groups
    assert committed == 100
    assert groups < 100


async def test_a_store_that_cannot_write_says_so_instead_of_yes(
    tmp_path: Path, clock: ManualClock
) -> None:
    path = tmp_path / "journal.db"
    journal = await open_sqlite(
        path, gateway=GATEWAY, clock=clock, limits=Limits(busy_seconds=0.05)
    )
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable):
        await new(journal, "one")
    blocker.execute("ROLLBACK")
    blocker.close()
    assert await new(journal, "one")
    await journal.close()


def started(path: Path, count: int) -> subprocess.Popen[bytes]:
    """A process that asks for ``count`` values and prints those that were new to it."""
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, str(path), str(count)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def lines(process: subprocess.Popen[bytes], *, most: int | None = None) -> list[str]:
    """What it prints until it is done, or the first ``most`` lines."""
    assert process.stdout is not None
    found: list[str] = []
    for line in process.stdout:
        if line == b"done\n" or len(found) == most:
            break
        found.append(line.decode().strip())
    return found


async def test_two_processes_share_the_values_and_killing_them_forgets_none(
    tmp_path: Path, clock: ManualClock
) -> None:
    path = tmp_path / "journal.db"
    journal = await open_sqlite(path, gateway=GATEWAY, clock=clock)  # makes the file
    processes = [started(path, 2_000) for _ in range(2)]
    try:
        told = [number for process in processes for number in lines(process)]
    finally:
        for process in processes:
            process.send_signal(signal.SIGKILL)
            process.wait()
            assert process.stdout is not None
            process.stdout.close()
    assert sorted(told, key=int) == [str(number) for number in range(2_000)]
    answers = await asyncio.gather(*(new(journal, number) for number in told))
    assert not any(answers)
    await journal.close()


async def test_a_process_killed_at_its_first_answers_has_them_remembered(
    tmp_path: Path, clock: ManualClock
) -> None:
    path = tmp_path / "journal.db"
    process = started(path, 4_000)
    try:
        told = lines(process, most=1)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert process.stdout is not None
        rest = process.stdout.read().decode().split()
        process.stdout.close()
    told += [line for line in rest if line != "done"]
    journal = await open_sqlite(path, gateway=GATEWAY, clock=clock)
    assert told
    assert not any([await new(journal, number) for number in told[:50]])
    await journal.close()
