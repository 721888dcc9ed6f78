"""The ledger: grouped commits, pieces that fail alone, one process at a time."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from backends.service.ledger import Ledger, LedgerBusy, LedgerError, Work
from backends.service.reading import open_for_reading

TABLE = "CREATE TABLE IF NOT EXISTS notes (text TEXT NOT NULL);"


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    opened = Ledger(tmp_path / "ledger.sqlite", tables=TABLE)
    yield opened
    await opened.close()


def note(text: str | None) -> Work[int]:
    return lambda connection: connection.execute("INSERT INTO notes VALUES (?)", (text,)).rowcount


def notes(connection: sqlite3.Connection) -> list[str]:
    return [text for (text,) in connection.execute("SELECT text FROM notes ORDER BY rowid")]


async def test_what_was_answered_is_there_for_another_connection(
    ledger: Ledger, tmp_path: Path
) -> None:
    await ledger.run(note("one"))
    with closing(open_for_reading(tmp_path / "ledger.sqlite")) as reader:
        assert notes(reader) == ["one"]


async def test_work_is_done_in_the_order_in_which_it_was_submitted(ledger: Ledger) -> None:
    futures = [ledger.submit(note(str(number))) for number in range(50)]
    await asyncio.gather(*futures)
    assert await ledger.run(notes) == [str(number) for number in range(50)]


async def test_a_piece_that_fails_is_undone_alone(ledger: Ledger) -> None:
    def half(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO notes VALUES ('half')")
        raise ValueError("changed my mind")

    good, bad, after = (ledger.submit(work) for work in (note("a"), half, note("b")))
    with pytest.raises(ValueError, match="changed my mind"):
        await bad
    assert (await good, await after) == (1, 1)
    assert await ledger.run(notes) == ["a", "b"]


async def test_a_statement_that_fails_is_told_to_its_caller(ledger: Ledger) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        await ledger.run(note(None))
    assert await ledger.run(notes) == []


async def test_too_much_work_is_refused(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "small.sqlite", tables=TABLE, waiting=1)
    loop = asyncio.get_running_loop()
    begun, gate = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        begun.set()
        await gate.wait()

    def slow(_connection: sqlite3.Connection) -> None:
        asyncio.run_coroutine_threadsafe(hold(), loop).result(timeout=10)

    first = ledger.submit(slow)
    await begun.wait()
    second = ledger.submit(notes)
    with pytest.raises(LedgerBusy):
        ledger.submit(notes)
    gate.set()
    await first
    assert await second == []
    await ledger.close()


async def test_one_ledger_has_one_process(ledger: Ledger, tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="another process"):
        Ledger(tmp_path / "ledger.sqlite")


async def test_closing_finishes_what_was_submitted(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "closing.sqlite", tables=TABLE)
    futures = [ledger.submit(note(str(number))) for number in range(20)]
    await ledger.close()
    await ledger.close()
    assert await asyncio.gather(*futures) == [1] * 20
    with pytest.raises(LedgerError, match="closed"):
        ledger.submit(notes)


def test_a_ledger_that_is_not_there_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="no ledger"):
        open_for_reading(tmp_path / "none.sqlite")


async def test_a_file_of_another_version_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "old.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(LedgerError, match="another version"):
        Ledger(path)
