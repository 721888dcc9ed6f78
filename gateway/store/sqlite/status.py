"""The file itself: its version, who has it open, and bringing it up to date by hand."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from gateway.core.errors import Unavailable
from gateway.store.sqlite.connection import Concern, connect, mapped
from gateway.store.sqlite.members import alive
from gateway.store.sqlite.schema import MIGRATIONS, migrate
from gateway.store.sqlite.turnstile import Turnstile
from gateway.store.status import Migrated, StoreStatus

_BUSY_SECONDS = 5.0
_CACHE_BYTES = 16 << 20


def status_of_file(path: Path) -> StoreStatus:
    """What is at ``path``; blocks. Raises ``Unavailable`` when it can not be read."""
    if not path.is_file():
        return _status(path, version=0)
    with mapped(), closing(_read_only(path)) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == 0:
            return _status(path, version=0)
        row = connection.execute("SELECT value FROM meta WHERE name = 'gateway'").fetchone()
    folder = _locks(path)
    if not folder.is_dir():
        return _status(path, version=version, gateway=row and row[0])
    turnstile = Turnstile(folder, seconds=_BUSY_SECONDS)
    try:
        with turnstile.turn():
            processes = alive(folder)
    finally:
        turnstile.close()
    return _status(path, version=version, gateway=row and row[0], processes=processes)


def migrate_file(path: Path, *, gateway: int) -> Migrated:
    """Bring the file to the newest version, or make it; blocks.

    Raises ``JournalMismatch`` for a file that is not this gateway's, ``Unavailable`` when steps
    are pending while processes have it open: they would go on with tables that they do not know.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = _locks(path)
    folder.mkdir(mode=0o700, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    turnstile = Turnstile(folder, seconds=_BUSY_SECONDS)
    try:
        with (
            mapped(),
            closing(_writing(path)) as connection,
            turnstile.turn(),
        ):
            (before,) = connection.execute("PRAGMA user_version").fetchone()
            if before < len(MIGRATIONS) and (running := alive(folder)):
                raise Unavailable(f"{len(running)} processes have the journal open: stop them")
            migrate(connection, gateway=gateway)
    finally:
        turnstile.close()
    return Migrated(before=before, after=len(MIGRATIONS))


def _status(
    path: Path, *, version: int, gateway: int | None = None, processes: tuple[str, ...] = ()
) -> StoreStatus:
    return StoreStatus(
        store="sqlite",
        place=str(path),
        server=f"SQLite {sqlite3.sqlite_version}",
        version=version,
        needed=len(MIGRATIONS),
        gateway=gateway,
        processes=processes,
    )


def _locks(path: Path) -> Path:
    return path.with_name(f"{path.name}.locks")


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode=ro",  # https://www.sqlite.org/uri.html
        uri=True,
        timeout=_BUSY_SECONDS,
        isolation_level=None,
    )


def _writing(path: Path) -> sqlite3.Connection:
    return connect(path, Concern.ACCEPT, busy_seconds=_BUSY_SECONDS, cache_bytes=_CACHE_BYTES)
