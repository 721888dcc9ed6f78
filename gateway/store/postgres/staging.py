"""Large interchanges while they are read: chunks that nobody sees until the last commit."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection

import msgspec

from gateway.core.errors import Unavailable
from gateway.core.records import PlannedMessage
from gateway.store.postgres import reports
from gateway.store.postgres.connection import Connection, columns
from gateway.store.prepared import PreparedChunk

CLEARED = "what was written of it before was cleared away"
_STAGE = """
INSERT INTO staged AS s VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (record) DO UPDATE SET slices = s.slices + excluded.slices RETURNING slices
"""
_GO_ON = "UPDATE staged SET slices = slices + $2 WHERE record = $1 RETURNING slices"
_RAW = "INSERT INTO raw SELECT * FROM unnest($1::bigint[], $2::integer[], $3::bytea[])"
_BODIES = """
INSERT INTO body SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bytea[])
"""
_NEW_PLANS = """
INSERT INTO plan SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::bytea[])
"""
_PLANS = """
SELECT ordinal, size, plan FROM plan WHERE record = $1 AND ordinal > $2
ORDER BY ordinal LIMIT 256
"""
_RELEASE = "DELETE FROM staged WHERE record = ANY ($1::bigint[]) RETURNING record, slices"


class NotStaged(ValueError):
    """A record is to be committed of which nothing is staged."""


async def stage(connection: Connection, chunk: PreparedChunk, *, owner: str, begun: bool) -> None:
    """Write a chunk. The first one records who is writing, so that a crash can be cleared up.

    ``begun``: this process has written chunks of it before. Raises ``Unavailable`` when these are
    gone (it was silent, and taken for dead), ``ValueError`` when the record is committed already.
    """
    if await connection.fetchval("SELECT 1 FROM interchange WHERE record = $1", chunk.record):
        raise ValueError(f"record {chunk.record} is committed already")
    added = len(chunk.raw)
    slices: int | None = (
        await connection.fetchval(_GO_ON, chunk.record, added)
        if begun
        else await connection.fetchval(
            _STAGE, chunk.record, chunk.party, chunk.interchange_id, owner, added
        )
    )
    if slices is None:
        raise Unavailable(CLEARED, retry_after=1.0)
    start = slices - added
    raw = [(chunk.record, at, piece) for at, piece in enumerate(chunk.raw, start)]
    if raw:
        await connection.execute(_RAW, *columns(raw, 3))
    if chunk.plans:
        plans = []
        bodies = []
        for (record, ordinal, content), (_, _, plan) in zip(chunk.bodies, chunk.plans, strict=True):
            kind = msgspec.msgpack.decode(plan, type=PlannedMessage).kind
            bodies.append((kind, record, ordinal, content))
            plans.append((record, ordinal, len(content), plan))
        await connection.execute(_NEW_PLANS, *columns(plans, 4))
        await connection.execute(_BODIES, *columns(bodies, 4))
    await reports.write_readings(connection, chunk.reports)


async def release(connection: Connection, records: Collection[int]) -> dict[int, int]:
    """End the staging of records that are being committed; the number of slices of each.

    Their plans are still to be taken. Raises :class:`NotStaged` when nothing was staged under one.
    """
    if not records:
        return {}
    released = {row[0]: row[1] for row in await connection.fetch(_RELEASE, list(records))}
    for record in records:
        if record not in released:
            raise NotStaged(f"nothing is staged under record {record}")
    return released


async def plans(connection: Connection, record: int) -> AsyncIterator[tuple[PlannedMessage, int]]:
    """The staged messages of a record in order with the stored bytes of each, few at a time."""
    after = 0
    while rows := await connection.fetch(_PLANS, record, after):
        after = rows[-1][0]
        for _, size, plan in rows:
            yield msgspec.msgpack.decode(plan, type=PlannedMessage), size


async def forget(connection: Connection, records: Collection[int]) -> None:
    """Remove the plans of records."""
    if records:
        await connection.execute("DELETE FROM plan WHERE record = ANY ($1)", list(records))


async def forget_bodies(connection: Connection, records: Collection[int]) -> None:
    """Remove the bodies of records that are refused."""
    if records:
        await connection.execute("DELETE FROM body WHERE record = ANY ($1)", list(records))


async def discard(connection: Connection, record: int) -> None:
    """Remove everything that is staged under a record; nothing of committed ones."""
    if await connection.fetchval("DELETE FROM staged WHERE record = $1 RETURNING record", record):
        for table in ("raw", "body", "plan", "reading"):
            await connection.execute(f"DELETE FROM {table} WHERE record = $1", record)  # noqa: S608 - four names above
