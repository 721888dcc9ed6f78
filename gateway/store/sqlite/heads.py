"""Heads by time and by hand: leases that ran out, retries that are due, what is set free again."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from gateway.store.leaf import microseconds
from gateway.store.sqlite.connection import transaction
from gateway.store.sqlite.turnstile import Turnstile

_AT_A_TIME = 1_000
_ANY_DUE = "SELECT 1 FROM head INDEXED BY head_wake WHERE state IN (1, 2) AND wake <= ? LIMIT 1"
_FREE_DUE = f"""
UPDATE head SET state = 0, wake = 0, token = '' WHERE (destination, key) IN (
 SELECT destination, key FROM head INDEXED BY head_wake WHERE state IN (1, 2) AND wake <= ?
 ORDER BY wake LIMIT {_AT_A_TIME})
"""  # noqa: S608 - a number
# From one destination to the next through the index, whatever the number of heads.
_READY = """
WITH RECURSIVE ready(destination) AS (
 SELECT min(destination) FROM head INDEXED BY head_ready WHERE state = 0
 UNION ALL
 SELECT (SELECT min(h.destination) FROM head AS h INDEXED BY head_ready
  WHERE h.state = 0 AND h.destination > ready.destination)
 FROM ready WHERE ready.destination IS NOT NULL
)
SELECT destination FROM ready WHERE destination IS NOT NULL
"""


def tick(connection: sqlite3.Connection, turnstile: Turnstile, *, now: datetime) -> frozenset[str]:
    """Free what is due, at most 1,000 heads; the destinations that have anything ready."""
    at = microseconds(now)
    if connection.execute(_ANY_DUE, (at,)).fetchone() is not None:
        with transaction(connection, turnstile):
            connection.execute(_FREE_DUE, (at,))
    return frozenset(destination for (destination,) in connection.execute(_READY))


def free(connection: sqlite3.Connection, destination: str, key: int | None) -> int:
    """Within a write transaction: make held and waiting heads of a destination ready; how many."""
    return connection.execute(
        "UPDATE head SET state = 0, wake = 0, token = ''"
        " WHERE destination = ?1 AND state IN (2, 3) AND (?2 IS NULL OR key = ?2)",
        (destination, key),
    ).rowcount
