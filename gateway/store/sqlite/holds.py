"""Legal holds: a small table that each step of pruning looks into."""

from __future__ import annotations

import sqlite3

from gateway.core.identifiers import RecordNumber
from gateway.core.retention import Hold
from gateway.store.leaf import instant, microseconds
from gateway.store.sqlite.rows import Row

_COLUMNS = "no, value, record, ordinal, reason, placed_by, since, until"
_ADD = "INSERT INTO hold VALUES (NULL, ?, ?, ?, ?, ?, ?, ?) RETURNING no"
_ALL = f"SELECT {_COLUMNS} FROM hold ORDER BY no"  # noqa: S608 - constants


def add(connection: sqlite3.Connection, hold: Hold) -> Hold:
    """Within a write transaction: the hold, under a number of its own."""
    row = (
        hold.value,
        hold.record,
        hold.ordinal,
        hold.reason,
        hold.by,
        microseconds(hold.since),
        None if hold.until is None else microseconds(hold.until),
    )
    ((no,),) = connection.execute(_ADD, row).fetchall()
    return _hold((no, *row))


def all_of(connection: sqlite3.Connection) -> tuple[Hold, ...]:
    """Every hold that was not released, by number."""
    return tuple(_hold(row) for row in connection.execute(_ALL))


def release(connection: sqlite3.Connection, no: int) -> bool:
    """Within a write transaction: whether there was one of that number."""
    return connection.execute("DELETE FROM hold WHERE no = ?", (no,)).rowcount == 1


def _hold(row: Row) -> Hold:
    no, value, record, ordinal, reason, by, since, until = row
    return Hold(
        no=no,
        value=value,
        record=None if record is None else RecordNumber(record),
        ordinal=ordinal,
        reason=reason,
        by=by,
        since=instant(since),
        until=None if until is None else instant(until),
    )
