"""Blocks of record numbers, and the time that they were drawn at, in the database."""

from __future__ import annotations

from datetime import datetime

from gateway.store.leaf import instant, microseconds
from gateway.store.numbers import BLOCK, Block, latest_known
from gateway.store.postgres.connection import Connection

_STORE = """
INSERT INTO meta VALUES ('latest', $1) ON CONFLICT (name) DO UPDATE SET value = $1
"""


async def drawn(connection: Connection, mine: datetime) -> Block:
    """Within a transaction: a new block, for a process whose latest time is ``mine``.

    A block whose transaction fails is lost, and never given again.
    """
    await connection.execute("SELECT 1 FROM meta WHERE name = 'gateway' FOR UPDATE")
    number: int = await connection.fetchval("SELECT nextval('record_block')")
    stored: int | None = await connection.fetchval("SELECT value FROM meta WHERE name = 'latest'")
    latest = latest_known(mine, None if stored is None else instant(stored))
    await connection.execute(_STORE, microseconds(latest))
    first = (number - 1) * BLOCK
    return Block(range(first, first + BLOCK), latest)
