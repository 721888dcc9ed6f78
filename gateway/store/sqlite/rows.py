"""Rows in and out: inserts of many rows in few statements, and rows read as values.

Python releases and retakes its global lock around every statement, and retaking can take
milliseconds beside a busy event loop; so a group of hundreds of rows goes down in a few statements.
"""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, Final

import msgspec

from gateway.core.identifiers import InterchangeId, RecordNumber
from gateway.core.records import State, Stored
from gateway.store.codec import Codec
from gateway.store.leaf import instant
from translators.translator import FormatId
from trust.identity import PartyId

Row = tuple[Any, ...]
_CHUNKS: Final = (128, 96, 64, 48, 32, 24, 16, 12, 8, 6, 4, 3, 2, 1)
"""Rows in one statement: few distinct texts, so that all stay prepared."""

STORED_COLUMNS = (
    "i.record, i.party, i.interchange_id, i.attempt, i.state, i.format, i.transport, i.digest,"
    " i.size, i.received_at, i.accepted, i.refused, i.receipt, i.outcomes"
)


def insert(
    connection: sqlite3.Connection, table: str, rows: Sequence[Row], conflict: str = ""
) -> None:
    """Insert whole rows; ``table`` and ``conflict`` are texts of this package, never input."""
    if not rows:
        return
    at = 0
    for size in _CHUNKS:
        while len(rows) - at >= size:
            connection.execute(
                _inserting(table, len(rows[0]), size, conflict),
                list(chain.from_iterable(rows[at : at + size])),
            )
            at += size


@functools.cache  # as many texts as tables times chunks
def _inserting(table: str, columns: int, size: int, conflict: str) -> str:
    places = "(" + ",".join("?" * columns) + ")"
    return f"INSERT INTO {table} VALUES {','.join([places] * size)} {conflict}"  # noqa: S608 - see insert


def listed(values: Iterable[object]) -> str:
    """Values as the JSON text that ``json_each`` reads as a table."""
    return msgspec.json.encode(list(values)).decode()


def draw(connection: sqlite3.Connection, counter: str, count: int) -> int:
    """Take ``count`` numbers from a counter of the store; the first of them."""
    (after,) = connection.execute(
        "UPDATE counter SET next = next + ? WHERE name = ? RETURNING next", (count, counter)
    ).fetchall()[0]
    return int(after) - count


def stored(row: Row, codec: Codec, *, repeated: bool = False) -> Stored:
    """The interchange in a row of :data:`STORED_COLUMNS`."""
    return Stored(
        record=RecordNumber(row[0]),
        party=PartyId(row[1]),
        interchange_id=InterchangeId(row[2]),
        attempt=row[3],
        state=State(row[4]),
        format=FormatId(row[5]),
        transport=row[6],
        digest=row[7].hex(),
        size=row[8],
        received_at=instant(row[9]),
        accepted=row[10],
        refused=row[11],
        receipt=codec.unpack(row[12]).decode(),
        outcomes=codec.unpack(row[13]),
        repeated=repeated,
    )
