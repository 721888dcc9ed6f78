"""The one place that chooses the store: a PostgreSQL database, or a SQLite file."""

from __future__ import annotations

from pathlib import Path

from gateway.keys.secret import Secret
from gateway.store.settings import JournalSettings
from gateway.store.sqlite.store import SqliteStore
from gateway.store.store import Store

FILE = "journal.db"


def store_of(
    settings: JournalSettings, *, gateway: int, data: Path, password: Secret | None
) -> Store:
    """Where the journal of the gateway with that number is; ``data`` is the folder of a file."""
    return SqliteStore(file=data / FILE, gateway=gateway)
