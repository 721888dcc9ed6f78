"""Plain reads: interchanges, raw content, backlog, the party registry.

A record number names the partition. It is always an argument of the statement, never a value that
a join finds: partitions are then left out before they are looked into.
"""

from __future__ import annotations

from gateway.core.errors import Unavailable
from gateway.core.records import Backlog, Stored
from gateway.store.codec import Codec
from gateway.store.postgres.connection import Connection
from gateway.store.postgres.rows import STORED_COLUMNS, stored

_REFUSALS = f"""
SELECT {STORED_COLUMNS} FROM interchange AS i
WHERE i.state = 'refused' AND i.interchange_id = $1 ORDER BY i.record LIMIT $2
"""  # noqa: S608 - constants
_BACKLOG = """
SELECT destination, count(*) FILTER (WHERE state = 0), count(*) FILTER (WHERE state = 1),
 count(*) FILTER (WHERE state = 2), count(*) FILTER (WHERE state = 3)
FROM head GROUP BY destination ORDER BY destination
"""
_RAW = """
SELECT r.content FROM raw AS r WHERE r.record = $1 AND r.slice = $2
AND EXISTS (SELECT 1 FROM interchange AS i WHERE i.record = $1)
"""
_NEWEST = "SELECT version, document FROM registry ORDER BY version DESC LIMIT 1"
_REGISTRIES = "SELECT version, document FROM registry ORDER BY version DESC"
# Whoever comes second waits for the first one's outcome at the primary key.
_STORE = """
INSERT INTO registry SELECT $1::bigint + 1, $2
WHERE (SELECT coalesce(max(version), 0) FROM registry) = $1 ON CONFLICT DO NOTHING
RETURNING version
"""


async def refusals(
    connection: Connection, codec: Codec, interchange_id: str, limit: int
) -> tuple[Stored, ...]:
    """Refused attempts under an id, of any party, in order of their records."""
    rows = await connection.fetch(_REFUSALS, interchange_id, limit)
    return tuple(stored(row, codec) for row in rows)


async def raw(connection: Connection, codec: Codec, record: int, at: int) -> bytes | None:
    """A slice of the received bytes of an interchange that is no longer staged."""
    content: bytes | None = await connection.fetchval(_RAW, record, at)
    return None if content is None else codec.unpack(content)


async def backlog(connection: Connection) -> tuple[Backlog, ...]:
    """Heads by destination and state."""
    return tuple(
        Backlog(destination=row[0], ready=row[1], leased=row[2], waiting=row[3], held=row[4])
        for row in await connection.fetch(_BACKLOG)
    )


async def registry(connection: Connection) -> tuple[int, bytes] | None:
    """The newest registry with its version."""
    row = await connection.fetchrow(_NEWEST)
    return None if row is None else (row[0], row[1])


async def registries(connection: Connection) -> tuple[tuple[int, bytes], ...]:
    """Every version of the registry, the newest first."""
    return tuple((row[0], row[1]) for row in await connection.fetch(_REGISTRIES))


async def store_registry(connection: Connection, document: bytes, expected: int) -> int:
    """Add the next version; the earlier ones stay as evidence. A transaction of its own."""
    version: int | None = await connection.fetchval(_STORE, expected, document)
    if version is None:
        raise Unavailable("the registry has been changed by somebody else")
    return version
