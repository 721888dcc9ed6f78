"""Reads by the event loop itself: only while the file answers at once."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.core.errors import Unavailable
from gateway.store.sqlite.glance import REST_SECONDS, SLOW_SECONDS, Glance
from gateway.store.sqlite.pool import Pool


class Stopwatch:
    """A monotonic clock that is moved."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


class Desk:
    """A glance before a pool of one thread, over a file of one row."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.clock = Stopwatch()
        near = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        far = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        near.execute("CREATE TABLE one (n INTEGER)")
        near.execute("INSERT INTO one VALUES (7)")
        self.pool = Pool("test-read", [far], limit=10)
        self.glance = Glance(near, self.pool, now=self.clock)
        self.takes = 0.0

    def read(self, connection: sqlite3.Connection) -> tuple[int, bool]:
        """The row, and whether this thread is the event loop's."""
        self.clock.at += self.takes
        (number,) = connection.execute("SELECT n FROM one").fetchone()
        return number, threading.current_thread() is threading.main_thread()


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    desk = Desk(tmp_path / "one.db")
    yield desk
    await asyncio.to_thread(desk.pool.close)
    desk.glance.close()


async def test_a_quick_file_is_read_without_a_thread(desk: Desk) -> None:
    assert await desk.glance.run(desk.read) == (7, True)
    assert await desk.glance.run(desk.read) == (7, True)


async def test_after_a_slow_look_threads_read_for_a_while(desk: Desk) -> None:
    desk.takes = SLOW_SECONDS * 2
    assert await desk.glance.run(desk.read) == (7, True)
    desk.takes = 0.0
    assert await desk.glance.run(desk.read) == (7, False)
    desk.clock.at += REST_SECONDS * 1.01
    assert await desk.glance.run(desk.read) == (7, True)


async def test_a_slow_disk_holds_up_the_loop_once_in_a_while_only(desk: Desk) -> None:
    desk.takes = SLOW_SECONDS * 2
    looks = [await desk.glance.run(desk.read) for _ in range(10)]
    assert [mine for _, mine in looks] == [True] + 9 * [False]


async def test_a_busy_file_is_waited_for_in_a_thread(desk: Desk) -> None:
    other = sqlite3.connect(desk.file, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    reading = asyncio.create_task(desk.glance.run(desk.read))
    await asyncio.sleep(0)
    other.execute("COMMIT")
    other.close()
    assert await reading == (7, False)


async def test_a_mistake_of_the_program_is_no_slowness(desk: Desk) -> None:
    with pytest.raises(sqlite3.OperationalError):
        await desk.glance.run(lambda c: c.execute("SELECT nothing FROM nowhere"))
    assert await desk.glance.run(desk.read) == (7, True)


async def test_a_closed_journal_reads_nothing(desk: Desk) -> None:
    await asyncio.to_thread(desk.pool.close)
    with pytest.raises(Unavailable):
        await desk.glance.run(desk.read)
