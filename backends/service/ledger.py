"""The ledger: one SQLite file, one writing thread, one fsync for as many callers as are waiting.

Work is a synchronous function over the open transaction. The thread takes whatever waits (at most
``group`` pieces), runs each in a savepoint of its own, and commits once; only then do the callers
hear of it. A piece that raises is undone alone. What a caller has heard of survives ``kill -9``
and loss of power (WAL, synchronous FULL).
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from backends.service.reading import LedgerError
from backends.service.schema import SCHEMA_VERSION, TABLES

__all__ = ["Ledger", "LedgerBusy", "LedgerError", "Work"]

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]


class LedgerBusy(Exception):
    """More work is waiting than the configuration allows: to be tried again later."""


class _Piece:
    __slots__ = ("future", "loop", "work")

    def __init__(self, work: Work[Any], loop: asyncio.AbstractEventLoop) -> None:
        self.work = work
        self.loop = loop
        self.future: asyncio.Future[Any] = loop.create_future()


class Ledger:
    """An open ledger. All methods belong to the event loop that calls them."""

    def __init__(self, path: Path, *, tables: str = "", group: int = 512, waiting: int = 10_000):
        """Open or make the file. Raises :class:`LedgerError` when another process has it."""
        self._lock = _lock(path)
        try:
            self._connection = _connect(path, tables)
        except sqlite3.Error as error:
            os.close(self._lock)
            raise LedgerError(f"{path}: {error}") from error
        self._group = group
        self._queue: queue.Queue[_Piece | None] = queue.Queue(maxsize=waiting)
        self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)
        self._thread.start()
        self._closed = False

    def submit(self, work: Work[T]) -> asyncio.Future[T]:
        """Have ``work`` done after everything submitted before it; the result once committed.

        Raises :class:`LedgerBusy` when too much is waiting.
        """
        if self._closed:
            raise LedgerError("the ledger is closed")
        piece = _Piece(work, asyncio.get_running_loop())
        try:
            self._queue.put_nowait(piece)
        except queue.Full as error:
            raise LedgerBusy("the ledger is behind") from error
        return piece.future

    async def run(self, work: Work[T]) -> T:
        """:meth:`submit` and wait."""
        return await self.submit(work)

    async def close(self) -> None:
        """Finish what was submitted and let go of the file. May be called twice."""
        if self._closed:
            return
        self._closed = True
        await asyncio.to_thread(self._finish)

    def _finish(self) -> None:
        self._queue.put(None)
        self._thread.join()
        self._connection.close()
        os.close(self._lock)

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            pieces = [first]
            last = False
            while len(pieces) < self._group:
                try:
                    piece = self._queue.get_nowait()
                except queue.Empty:
                    break
                if piece is None:
                    last = True
                    break
                pieces.append(piece)
            self._commit(pieces)
            if last:
                return

    def _commit(self, pieces: Sequence[_Piece]) -> None:
        """Do the pieces in one transaction and tell their callers, also when it fails."""
        connection = self._connection
        ends: list[tuple[_Piece, Any, BaseException | None]] = []
        try:
            connection.execute("BEGIN IMMEDIATE")
            ends.extend((piece, *_attempt(connection, piece.work)) for piece in pieces)
            connection.execute("COMMIT")
        except Exception as error:  # disk full, a lock held too long: nothing was kept
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            ends = [(piece, None, error) for piece in pieces]
        for piece, result, failure in ends:
            with suppress(RuntimeError):  # the loop is gone: nobody waits any more
                piece.loop.call_soon_threadsafe(_tell, piece.future, result, failure)


def _attempt(connection: sqlite3.Connection, work: Work[Any]) -> tuple[Any, BaseException | None]:
    connection.execute("SAVEPOINT piece")
    try:
        result = work(connection)
    except Exception as error:  # handed to the caller, whose piece is undone alone
        connection.execute("ROLLBACK TO piece")
        connection.execute("RELEASE piece")
        return None, error
    connection.execute("RELEASE piece")
    return result, None


def _tell(future: asyncio.Future[Any], result: Any, failure: BaseException | None) -> None:
    if future.done():
        return
    if failure is None:
        future.set_result(result)
    else:
        future.set_exception(failure)


def _lock(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise LedgerError(f"{path}: another process has this ledger open") from error
    return descriptor


def _connect(path: Path, tables: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA busy_timeout = 5000")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version not in (0, SCHEMA_VERSION):
        connection.close()
        raise LedgerError(f"{path}: made by another version ({version}, not {SCHEMA_VERSION})")
    connection.executescript(TABLES + tables + f"PRAGMA user_version = {SCHEMA_VERSION};")
    return connection
