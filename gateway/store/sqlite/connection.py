"""Connections: how the file is opened, how a write is begun and ended, what errors mean."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from gateway.core.errors import Unavailable
from gateway.store.sqlite.turnstile import Turnstile

OLDEST_SQLITE = (3, 35, 0)  # RETURNING

# https://www.sqlite.org/rescode.html: conditions of the machine, not mistakes of the program
_PASSING = {
    sqlite3.SQLITE_BUSY: "the journal is busy",
    sqlite3.SQLITE_LOCKED: "the journal is busy",
    sqlite3.SQLITE_PROTOCOL: "the journal is busy",
    sqlite3.SQLITE_FULL: "the journal's disk is full",
    sqlite3.SQLITE_IOERR: "the journal's disk fails",
    sqlite3.SQLITE_NOMEM: "the journal is out of memory",
    sqlite3.SQLITE_CANTOPEN: "the journal cannot be opened",
    sqlite3.SQLITE_READONLY: "the journal is read-only",
    sqlite3.SQLITE_CORRUPT: "the journal is damaged",
    sqlite3.SQLITE_NOTADB: "the journal is damaged",
}
_RETRY_AFTER = 1.0  # seconds


class Concern(StrEnum):
    """What a connection is for; each concern has its own."""

    ACCEPT = "accept"
    DISPATCH = "dispatch"
    READ = "read"
    PRUNE = "prune"


_SYNCHRONOUS = {
    # Only acceptance must survive a power cut by itself; what it undoes elsewhere is a redelivery.
    Concern.ACCEPT: "FULL",
    Concern.DISPATCH: "NORMAL",
    Concern.READ: "NORMAL",
    Concern.PRUNE: "NORMAL",  # what a power cut undoes is over still
}
_CACHE_SHARES = {Concern.ACCEPT: 1, Concern.DISPATCH: 2, Concern.READ: 8, Concern.PRUNE: 8}
"""By what the bound of cached pages is divided."""
_CHECKPOINT_PAGES = 4_000
_WAL_KEPT_BYTES = 64 << 20


def connect(
    path: Path,
    concern: Concern,
    *,
    busy_seconds: float,
    cache_bytes: int,
    max_bytes: int | None = None,
) -> sqlite3.Connection:
    """A new connection for one concern, usable from any thread, by one at a time."""
    connection = sqlite3.connect(
        path,
        timeout=busy_seconds,
        isolation_level=None,  # transactions are begun and ended by name
        check_same_thread=False,
        cached_statements=512,
    )
    # auto_vacuum counts only before the first table; see retention in the manual page.
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {_SYNCHRONOUS[concern]}")
    connection.execute(f"PRAGMA cache_size = -{cache_bytes // _CACHE_SHARES[concern] >> 10}")
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
    connection.execute(f"PRAGMA journal_size_limit = {_WAL_KEPT_BYTES}")
    if max_bytes is not None:
        (page,) = connection.execute("PRAGMA page_size").fetchone()
        connection.execute(f"PRAGMA max_page_count = {max(1, max_bytes // page)}")
    if concern is Concern.PRUNE:
        # https://www.sqlite.org/pragma.html#pragma_secure_delete: with zeros, not only forgotten
        connection.execute("PRAGMA secure_delete = ON")
    if concern is Concern.READ:
        connection.execute("PRAGMA query_only = ON")
    return connection


@contextmanager
def mapped() -> Iterator[None]:
    """Turn what the machine does to the store into ``Unavailable``; mistakes pass through.

    A row that contradicts one already there is a caller's mistake: ``ValueError``.
    """
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise ValueError(f"contradicts what is stored: {error}") from error
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", None)
        reason = None if code is None else _PASSING.get(code & 0xFF)
        if reason is None:
            raise
        raise Unavailable(reason, retry_after=_RETRY_AFTER) from error


@contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """Several reads of one state: what is committed meanwhile is in none of them."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("COMMIT")


@contextmanager
def transaction(connection: sqlite3.Connection, turnstile: Turnstile) -> Iterator[None]:
    """One write transaction: all of it or, when anything raises, nothing."""
    with turnstile.turn():
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            # SQLite has rolled back by itself after some errors (full disk, I/O).
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
