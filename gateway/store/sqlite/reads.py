"""Plain reads: interchanges, messages, raw content, backlog, the party registry."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from gateway.core.errors import Unavailable
from gateway.core.records import Backlog, Stored
from gateway.store.codec import Codec
from gateway.store.sqlite.rows import STORED_COLUMNS, stored

_KNOWN = """
SELECT ifnull(
 (SELECT s.record FROM seen AS s WHERE s.id = ?1 AND s.party = ?2 AND s.kind = 0),
 (SELECT i.record FROM interchange AS i
  WHERE i.state = 'refused' AND i.interchange_id = ?1 AND i.party = ?2
  ORDER BY i.attempt DESC, i.record DESC LIMIT 1))
"""
_INTERCHANGE = f"SELECT {STORED_COLUMNS} FROM interchange AS i WHERE i.record = ?"  # noqa: S608 - constants
_REFUSALS = f"""
SELECT {STORED_COLUMNS} FROM interchange AS i
WHERE i.state = 'refused' AND i.interchange_id = ? ORDER BY i.record LIMIT ?
"""  # noqa: S608 - constants
_BACKLOG = """
SELECT destination, sum(state = 0), sum(state = 1), sum(state = 2), sum(state = 3)
FROM head GROUP BY destination ORDER BY destination
"""
_RAW = """
SELECT r.content FROM interchange AS i CROSS JOIN raw AS r ON r.record = i.record AND r.slice = ?2
WHERE i.record = ?1
"""


def find(
    connection: sqlite3.Connection, codec: Codec, party: str, interchange_id: str
) -> Stored | None:
    """The accepted interchange, otherwise the latest refused attempt."""
    # Nearly always there is neither: one statement tells, and only then is a row read.
    (record,) = connection.execute(_KNOWN, (interchange_id, party)).fetchone()
    if record is None:
        return None
    row = connection.execute(_INTERCHANGE, (record,)).fetchone()
    return None if row is None else stored(row, codec)


def refusals(
    connection: sqlite3.Connection, codec: Codec, interchange_id: str, limit: int
) -> tuple[Stored, ...]:
    """Refused attempts under an id, of any party, in order of their records."""
    rows = connection.execute(_REFUSALS, (interchange_id, limit))
    return tuple(stored(row, codec) for row in rows)


def raw(connection: sqlite3.Connection, codec: Codec, record: int, at: int) -> bytes | None:
    """A slice of the received bytes of an interchange that is no longer staged."""
    row = connection.execute(_RAW, (record, at)).fetchone()
    return None if row is None else codec.unpack(row[0])


def backlog(connection: sqlite3.Connection) -> tuple[Backlog, ...]:
    """Heads by destination and state."""
    return tuple(
        Backlog(destination=row[0], ready=row[1], leased=row[2], waiting=row[3], held=row[4])
        for row in connection.execute(_BACKLOG)
    )


def registry(connection: sqlite3.Connection) -> tuple[int, bytes] | None:
    """The newest registry with its version."""
    row: tuple[int, bytes] | None = connection.execute(
        "SELECT version, document FROM registry ORDER BY version DESC LIMIT 1"
    ).fetchone()
    return row


def registries(connection: sqlite3.Connection) -> Iterator[tuple[int, bytes]]:
    """Every version of the registry, the newest first."""
    yield from connection.execute("SELECT version, document FROM registry ORDER BY version DESC")


def store_registry(connection: sqlite3.Connection, document: bytes, expected: int) -> int:
    """Within a write transaction: add the next version; the earlier ones stay as evidence."""
    current = registry(connection)
    if (current[0] if current else 0) != expected:
        raise Unavailable("the registry has been changed by somebody else")
    connection.execute("INSERT INTO registry VALUES (?, ?)", (expected + 1, document))
    return expected + 1
