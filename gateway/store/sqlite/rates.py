"""Token buckets that all processes on the store draw from."""

from __future__ import annotations

import sqlite3

from gateway.core.bucket import Bucket, Drawn, Rate, draw

TABLE = """
-- at: seconds since 1970. A scope is a party's rate, so there are as many rows as parties.
CREATE TABLE bucket (scope TEXT PRIMARY KEY, level REAL NOT NULL, at REAL NOT NULL) WITHOUT ROWID;
"""
"""A step of ``schema.MIGRATIONS``."""

_READ = "SELECT level, at FROM bucket WHERE scope = ?"
_WRITE = "INSERT OR REPLACE INTO bucket VALUES (?, ?, ?)"


def drawn(
    connection: sqlite3.Connection, scope: str, *, want: int, rate: Rate, now: float
) -> Drawn:
    """Within a write transaction: take up to ``want`` tokens of the bucket of that name."""
    row = connection.execute(_READ, (scope,)).fetchone()
    before = None if row is None else Bucket(*row)
    after, taken = draw(before, want=want, rate=rate, now=now)
    if after != before:
        connection.execute(_WRITE, (scope, after.level, after.at))
    return taken
