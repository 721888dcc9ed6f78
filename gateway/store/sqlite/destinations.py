"""How destinations stand: one row each, read as a whole, changed step by step."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

import msgspec

from gateway.core.destinations import Change, LaneBacklog, Standing, Step
from gateway.core.identifiers import record_time
from gateway.store.leaf import instant
from gateway.store.sqlite.connection import transaction
from gateway.store.sqlite.pool import Pool
from gateway.store.sqlite.turnstile import Turnstile

TABLE = """
-- The table of before was reserved for this and has never had a row.
DROP TABLE destination;
CREATE TABLE destination (id TEXT PRIMARY KEY, standing TEXT NOT NULL) WITHOUT ROWID;
"""
"""A step of ``schema.MIGRATIONS``."""

_ALL = "SELECT id, standing FROM destination"
_ONE = "SELECT standing FROM destination WHERE id = ?"
_WRITE = "INSERT OR REPLACE INTO destination VALUES (?, ?)"
_LANES = """
SELECT h.destination, h.lane, sum(h.state = 0), sum(h.state = 1), sum(h.state = 2),
 sum(h.state = 3), min(l.record), min(CASE h.state WHEN 2 THEN h.wake END)
FROM head AS h JOIN leg AS l ON l.destination = h.destination AND l.key = h.key
 AND l.seq = (SELECT min(f.seq) FROM leg AS f
  WHERE f.destination = h.destination AND f.key = h.key AND f.seq >= h.next)
GROUP BY h.destination, h.lane ORDER BY h.destination, h.lane
"""
_decode = msgspec.json.Decoder(Standing).decode


class SqliteDestinations:
    """Implements :class:`gateway.core.destinations.Destinations`."""

    def __init__(self, *, dispatch: Pool, read: Pool, turnstile: Turnstile) -> None:
        self._dispatch, self._read, self._turnstile = dispatch, read, turnstile

    async def all(self) -> Mapping[str, Standing]:
        """See the port."""
        return await self._dispatch.run(_all)

    async def change(self, destination: str, step: Step) -> Change:
        """See the port."""

        def job(connection: sqlite3.Connection) -> Change:
            with transaction(connection, self._turnstile):
                return _change(connection, destination, step)

        return await self._dispatch.run(job)

    async def lanes(self) -> tuple[LaneBacklog, ...]:
        """See the port."""
        return await self._read.run(_lanes)


def _all(connection: sqlite3.Connection) -> dict[str, Standing]:
    return {id_: _decode(standing) for id_, standing in connection.execute(_ALL)}


def _change(connection: sqlite3.Connection, destination: str, step: Step) -> Change:
    row = connection.execute(_ONE, (destination,)).fetchone()
    before = Standing(id=destination) if row is None else _decode(row[0])
    after = step(before)
    if after != before:
        connection.execute(_WRITE, (destination, msgspec.json.encode(after).decode()))
    return Change(before, after)


def _lanes(connection: sqlite3.Connection) -> tuple[LaneBacklog, ...]:
    return tuple(
        LaneBacklog(
            destination=row[0],
            lane=row[1],
            ready=row[2],
            leased=row[3],
            waiting=row[4],
            held=row[5],
            oldest=record_time(row[6]),
            next_try=None if row[7] is None else instant(row[7]),
        )
        for row in connection.execute(_LANES)
    )
