"""The journal in a PostgreSQL database: any number of processes and nodes share it."""

from gateway.store.postgres.errors import JournalMismatch
from gateway.store.postgres.journal import PostgresJournal, open_postgres
from gateway.store.postgres.opening import Limits

__all__ = ["JournalMismatch", "Limits", "PostgresJournal", "open_postgres"]
