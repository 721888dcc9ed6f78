"""The outbox: answers that wait until the gateway has acknowledged them, in order per key."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from datetime import datetime

import msgspec


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """One answer that is to be sent."""

    number: int
    interchange_id: str
    kind: str
    key: str
    content: bytes


def take(
    connection: sqlite3.Connection, *, limit: int, in_flight: frozenset[int]
) -> tuple[Waiting, ...]:
    """The oldest waiting answers, one of each key, without those in flight; counts an attempt.

    A key of which one answer is in flight gives no other, so that the gateway gets the answers
    about one thing in the order in which they were given.
    """
    rows = connection.execute(
        "SELECT number, interchange_id, kind, key, content FROM outbox AS o"
        " WHERE state = 'waiting' AND number NOT IN (SELECT value FROM json_each(?))"
        " AND NOT EXISTS (SELECT 1 FROM outbox AS e"
        "  WHERE e.key = o.key AND e.number < o.number AND e.state = 'waiting')"
        " ORDER BY number LIMIT ?",
        (json.dumps(sorted(in_flight)), limit),
    ).fetchall()
    connection.executemany(
        "UPDATE outbox SET attempts = attempts + 1 WHERE number = ?", [(row[0],) for row in rows]
    )
    return tuple(
        Waiting(number=row[0], interchange_id=row[1], kind=row[2], key=row[3], content=row[4])
        for row in rows
    )


def acknowledge(
    connection: sqlite3.Connection, numbers: Iterable[tuple[int, str]], now: datetime
) -> None:
    """Note the gateway's receipts, given as (number, receipt)."""
    connection.executemany(
        "UPDATE outbox SET state = 'acknowledged', receipt = ?, settled_at = ? WHERE number = ?",
        [(receipt, now.isoformat(), number) for number, receipt in numbers],
    )


def refuse(connection: sqlite3.Connection, number: int, code: str, now: datetime) -> None:
    """Note that the gateway will never take this answer; those after it go on."""
    connection.execute(
        "UPDATE outbox SET state = 'refused', code = ?, settled_at = ? WHERE number = ?",
        (code, now.isoformat(), number),
    )


def retry_refused(connection: sqlite3.Connection) -> int:
    """Have refused answers sent again, after their cause was mended at the gateway; how many."""
    return connection.execute(
        "UPDATE outbox SET state = 'waiting', code = NULL, settled_at = NULL"
        " WHERE state = 'refused'"
    ).rowcount
