"""The journal in one SQLite file: record and outbox in the same transactions."""

from gateway.store.sqlite.journal import SqliteJournal, open_sqlite
from gateway.store.sqlite.opening import Limits
from gateway.store.sqlite.schema import JournalMismatch

__all__ = ["JournalMismatch", "Limits", "SqliteJournal", "open_sqlite"]
