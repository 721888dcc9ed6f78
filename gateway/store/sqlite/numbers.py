"""Blocks of record numbers, and the time that they were drawn at, in the file."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from gateway.store.leaf import instant, microseconds
from gateway.store.numbers import BLOCK, Block, latest_known
from gateway.store.sqlite.rows import draw


def drawn(connection: sqlite3.Connection, mine: datetime) -> Block:
    """Within a write transaction: a new block, for a process whose latest time is ``mine``."""
    first = draw(connection, "record", BLOCK)
    row = connection.execute("SELECT value FROM meta WHERE name = 'latest'").fetchone()
    latest = latest_known(mine, None if row is None else instant(row[0]))
    connection.execute("INSERT OR REPLACE INTO meta VALUES ('latest', ?)", (microseconds(latest),))
    return Block(range(first, first + BLOCK), latest)
