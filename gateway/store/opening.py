"""The one place that chooses the store: a PostgreSQL database, or a SQLite file."""

from __future__ import annotations

from pathlib import Path

from gateway.keys.secret import Secret
from gateway.store.postgres import Limits as PostgresLimits
from gateway.store.postgres.store import PostgresStore
from gateway.store.settings import JournalSettings
from gateway.store.sqlite import Limits as SqliteLimits
from gateway.store.sqlite.store import SqliteStore
from gateway.store.store import Store

FILE = "journal.db"


def store_of(
    settings: JournalSettings, *, gateway: int, data: Path, password: Secret | None
) -> Store:
    """Where the journal of the gateway with that number is; ``data`` is the folder of a file."""
    if settings.url is None:
        return SqliteStore(
            file=data / FILE,
            gateway=gateway,
            limits=SqliteLimits(
                waiting=settings.waiting,
                group_messages=settings.group_messages,
                lease_bytes=settings.lease_bytes,
                readers=settings.readers,
                busy_seconds=settings.answer_timeout,
                max_bytes=settings.max_bytes,
            ),
        )
    return PostgresStore(
        url=settings.url,
        gateway=gateway,
        password=password,
        limits=PostgresLimits(
            waiting=settings.waiting,
            group_messages=settings.group_messages,
            lease_bytes=settings.lease_bytes,
            readers=settings.readers,
            writers=settings.writers,
            claimers=settings.claimers,
            settlers=settings.settlers,
            answer_seconds=settings.answer_timeout,
        ),
    )
