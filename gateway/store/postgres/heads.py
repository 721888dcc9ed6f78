"""Heads by time and by hand: leases that ran out, retries that are due, what is set free again."""

from __future__ import annotations

from datetime import datetime

from gateway.store.leaf import microseconds
from gateway.store.postgres.connection import Connection

_AT_A_TIME = 1_000
FREE_DUE = f"""
UPDATE head SET state = 0, wake = 0, token = '' WHERE ctid = ANY (ARRAY(
 SELECT ctid FROM head WHERE state IN (1, 2) AND wake <= $1
 ORDER BY wake LIMIT {_AT_A_TIME} FOR UPDATE SKIP LOCKED))
"""  # noqa: S608 - a number
# From one destination to the next through the index, whatever the number of heads.
READY = """
WITH RECURSIVE ready(destination) AS (
 (SELECT destination FROM head WHERE state = 0 ORDER BY destination LIMIT 1)
 UNION ALL
 SELECT (SELECT h.destination FROM head AS h
  WHERE h.state = 0 AND h.destination > ready.destination ORDER BY h.destination LIMIT 1)
 FROM ready WHERE ready.destination IS NOT NULL
)
SELECT destination FROM ready WHERE destination IS NOT NULL
"""
_FREE = """
UPDATE head SET state = 0, wake = 0, token = '' WHERE ctid = ANY (ARRAY(
 SELECT ctid FROM head WHERE destination = $1 AND key > $2 AND state IN (2, 3)
 AND ($3::bigint IS NULL OR key = $3) ORDER BY key LIMIT 500 FOR UPDATE))
RETURNING key
"""


async def tick(connection: Connection, *, now: datetime) -> frozenset[str]:
    """Free what is due, at most 1,000 heads; the destinations that have anything ready."""
    await connection.execute(FREE_DUE, microseconds(now))
    return frozenset(row[0] for row in await connection.fetch(READY))


async def free(connection: Connection, destination: str, key: int | None) -> int:
    """Make held and waiting heads of a destination ready, 500 in a transaction; how many."""
    count = after = 0
    while rows := await connection.fetch(_FREE, destination, after, key):
        count += len(rows)
        after = max(row[0] for row in rows)
        if len(rows) < 500:
            break
    return count
