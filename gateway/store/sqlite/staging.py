"""Large interchanges while they are read: chunks that nobody sees until the last commit."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import msgspec

from gateway.core.records import PlannedMessage
from gateway.store.prepared import PreparedChunk
from gateway.store.sqlite import reports
from gateway.store.sqlite.rows import insert

_PLANS = """
SELECT ordinal, plan FROM plan WHERE record = ? AND ordinal > ? ORDER BY ordinal LIMIT 256
"""
_COMMITTED = "SELECT 1 FROM interchange WHERE record = ?"


def stage(connection: sqlite3.Connection, chunk: PreparedChunk, *, owner: str) -> None:
    """Write a chunk. The first one records who is writing, so that a crash can be cleared up.

    Raises ``ValueError`` when the record is committed already.
    """
    if connection.execute(_COMMITTED, (chunk.record,)).fetchone() is not None:
        raise ValueError(f"record {chunk.record} is committed already")
    connection.execute(
        "INSERT OR IGNORE INTO staged VALUES (?, ?, ?, ?, 0)",
        (chunk.record, chunk.party, chunk.interchange_id, owner),
    )
    (slices,) = connection.execute(
        "UPDATE staged SET slices = slices + ? WHERE record = ? RETURNING slices",
        (len(chunk.raw), chunk.record),
    ).fetchall()[0]
    start = slices - len(chunk.raw)
    insert(
        connection,
        "raw",
        [(chunk.record, at, piece) for at, piece in enumerate(chunk.raw, start)],
    )
    insert(connection, "body", chunk.bodies)
    insert(connection, "plan", chunk.plans)
    reports.write_readings(connection, chunk.reports)


def release(connection: sqlite3.Connection, record: int) -> int:
    """End the staging of a record that is being committed; the number of slices written.

    Its plans are still to be taken. Raises ``ValueError`` when nothing was staged.
    """
    rows = connection.execute(
        "DELETE FROM staged WHERE record = ? RETURNING slices", (record,)
    ).fetchall()
    if not rows:
        raise ValueError(f"nothing is staged under record {record}")
    return int(rows[0][0])


def plans(connection: sqlite3.Connection, record: int) -> Iterator[PlannedMessage]:
    """The staged messages of a record in order, few at a time; they are gone when all are read."""
    after = 0
    while rows := connection.execute(_PLANS, (record, after)).fetchall():
        after = rows[-1][0]
        for _, plan in rows:
            yield msgspec.msgpack.decode(plan, type=PlannedMessage)
    forget(connection, record)


def forget(connection: sqlite3.Connection, record: int) -> None:
    """Remove the plans of a record."""
    connection.execute("DELETE FROM plan WHERE record = ?", (record,))


def discard(connection: sqlite3.Connection, record: int) -> None:
    """Remove everything that is staged under a record; nothing of committed ones."""
    gone = connection.execute(
        "DELETE FROM staged WHERE record = ? RETURNING record", (record,)
    ).fetchall()
    if gone:
        for table in ("raw", "body", "plan", "reading"):
            connection.execute(f"DELETE FROM {table} WHERE record = ?", (record,))  # noqa: S608 - four names above
