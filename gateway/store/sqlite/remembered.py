"""What may be used once within its time, in a table of its own."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from gateway.store.once import GRACE, REMOVED_EACH, Once

TABLE = """
CREATE TABLE remembered (
  digest BLOB PRIMARY KEY, until INTEGER NOT NULL, holder TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;
CREATE INDEX remembered_until ON remembered (until);
"""
"""A step of ``schema.MIGRATIONS``."""

_REMEMBER = """
INSERT INTO remembered VALUES (?1, ?2, ?4)
 ON CONFLICT (digest) DO UPDATE SET until = excluded.until, holder = excluded.holder
  WHERE until <= ?3 OR (?4 <> '' AND holder = ?4)
"""
_REMOVE = """
DELETE FROM remembered WHERE digest IN
 (SELECT digest FROM remembered WHERE until <= ? ORDER BY until LIMIT ?)
"""


def remember(connection: sqlite3.Connection, group: Sequence[Once]) -> list[bool]:
    """Within a write transaction: for each, in order, whether it was new; it is not any more."""
    fresh = [
        connection.execute(_REMEMBER, (one.digest, one.until, one.now, one.holder)).rowcount == 1
        for one in group
    ]
    over = min(one.now for one in group) - GRACE
    connection.execute(_REMOVE, (over, REMOVED_EACH * len(group)))
    return fresh
