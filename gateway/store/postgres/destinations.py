"""How destinations stand: one row each, read as a whole, changed step by step."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from gateway.core.destinations import Change, LaneBacklog, Standing, Step
from gateway.core.identifiers import record_time
from gateway.store.leaf import instant
from gateway.store.postgres.connection import Pool

TABLE = """
CREATE TABLE destination (id text COLLATE "C" PRIMARY KEY, standing text NOT NULL);
"""
"""A step of ``schema.MIGRATIONS``."""

_LOCK = "SELECT pg_advisory_xact_lock($1, hashtext($2))"
_SPACE = 0x6465  # "de": locks of destinations
_ALL = "SELECT id, standing FROM destination"
_ONE = "SELECT standing FROM destination WHERE id = $1"
_WRITE = """
INSERT INTO destination VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET standing = excluded.standing
"""
_LANES = """
SELECT h.destination, h.lane, count(*) FILTER (WHERE h.state = 0),
 count(*) FILTER (WHERE h.state = 1), count(*) FILTER (WHERE h.state = 2),
 count(*) FILTER (WHERE h.state = 3), min(f.record), min(h.wake) FILTER (WHERE h.state = 2)
FROM head AS h CROSS JOIN LATERAL (
 SELECT l.record FROM leg AS l
 WHERE l.destination = h.destination AND l.key = h.key AND l.seq >= h.next
 ORDER BY l.seq LIMIT 1
) AS f
GROUP BY h.destination, h.lane ORDER BY h.destination, h.lane
"""
_decode = msgspec.json.Decoder(Standing).decode


class PostgresDestinations:
    """Implements :class:`gateway.core.destinations.Destinations`."""

    def __init__(self, *, write: Pool, read: Pool) -> None:
        self._write, self._read = write, read

    async def all(self) -> Mapping[str, Standing]:
        """See the port."""
        async with self._read.connection() as connection:
            return {id_: _decode(standing) for id_, standing in await connection.fetch(_ALL)}

    async def change(self, destination: str, step: Step) -> Change:
        """See the port. Nodes that change the same one wait for each other."""
        async with self._write.transaction() as connection:
            await connection.fetchval(_LOCK, _SPACE, destination)
            found = await connection.fetchval(_ONE, destination)
            before = Standing(id=destination) if found is None else _decode(found)
            after = step(before)
            if after != before:
                text = msgspec.json.encode(after).decode()
                await connection.execute(_WRITE, destination, text)
            return Change(before, after)

    async def lanes(self) -> tuple[LaneBacklog, ...]:
        """See the port."""
        async with self._read.connection() as connection:
            rows = await connection.fetch(_LANES)
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
            for row in rows
        )
