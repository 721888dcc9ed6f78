"""The database itself: its version, who has the journal open, what holds back its upkeep."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import asyncpg

from gateway.store.postgres import schema
from gateway.store.postgres.connection import Concern, Connection, connect
from gateway.store.postgres.errors import UrlUnusable, mapped
from gateway.store.status import Migrated, StoreStatus

_SECONDS = 10.0
"""For connecting and for each question."""
_STEP_SECONDS = 6 * 3_600.0
"""For one step of a migration, which may have to go through all rows of a table."""

# Others' transactions are seen by their owners and by members of pg_read_all_stats alone.
_OLDEST = """
SELECT extract(epoch FROM max(clock_timestamp() - xact_start))::float8
FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
# What an absent standby or a forgotten prepared transaction holds back too.
_SNAPSHOT = """
SELECT max(age) FROM (
 SELECT age(backend_xmin) FROM pg_stat_activity WHERE pid <> pg_backend_pid()
 UNION ALL SELECT age(xmin) FROM pg_replication_slots
 UNION ALL SELECT age(transaction) FROM pg_prepared_xacts
) AS held(age)
"""


def place_of(url: str) -> str:
    """A database as people are told of it: without user, password and options."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"postgresql://{host}{parts.path}"


async def reach(
    url: str, concern: Concern, *, password: str | None, statement_seconds: float = _SECONDS
) -> Any:
    """A connection for a command, or for the first look at a start.

    Raises ``UrlUnusable`` for a URI with a mistake, otherwise what :func:`mapped` maps.
    """
    try:
        return await connect(
            url,
            concern,
            seconds=_SECONDS,
            password=password,
            statement_seconds=statement_seconds,
        )
    except (ValueError, asyncpg.SyntaxOrAccessError) as error:
        raise UrlUnusable(str(error)) from error


async def status_of_database(url: str, *, password: str | None) -> StoreStatus:
    """What is there. Raises ``Unavailable`` when the database can not be asked."""
    with mapped():
        connection = await reach(url, Concern.READ, password=password)
        try:
            return await _status(connection, place_of(url))
        finally:
            await connection.close()


async def _status(connection: Connection, place: str) -> StoreStatus:
    server = await connection.fetchval("SHOW server_version")
    version = await schema.version(connection)
    oldest, snapshot = await upkeep(connection)
    gateway, processes = None, []
    if version is not None:
        gateway = await connection.fetchval("SELECT value FROM meta WHERE name = 'gateway'")
        processes = await connection.fetch("SELECT id FROM process ORDER BY id")
    return StoreStatus(
        store="postgresql",
        place=place,
        server=f"PostgreSQL {server}",
        version=version or 0,
        needed=len(schema.MIGRATIONS),
        gateway=gateway,
        processes=tuple(row[0] for row in processes),
        oldest_transaction_seconds=oldest,
        oldest_snapshot_age=snapshot,
    )


async def upkeep(connection: Connection) -> tuple[float, int]:
    """How long the oldest transaction lasts (seconds), and how far the oldest snapshot is behind.

    The second in transactions: what it may still see, vacuum does not remove.
    """
    oldest = await connection.fetchval(_OLDEST)
    snapshot = await connection.fetchval(_SNAPSHOT)
    return max(0.0, oldest or 0.0), snapshot or 0


async def migrate_database(url: str, *, gateway: int, password: str | None) -> Migrated:
    """Bring the database to the newest version, or make the journal in it.

    Raises ``JournalMismatch`` for one that is not this gateway's, ``Unavailable`` when it can not
    be done now.
    """
    with mapped():
        connection = await reach(
            url, Concern.ACCEPT, password=password, statement_seconds=_STEP_SECONDS
        )
        try:
            before = await schema.version(connection)
            await schema.migrate(connection, gateway=gateway)
        finally:
            await connection.close()
    return Migrated(before=before or 0, after=len(schema.MIGRATIONS))
