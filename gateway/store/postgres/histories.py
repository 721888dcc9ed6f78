"""Histories on PostgreSQL: subjects by their values, then the latest messages about each."""

from __future__ import annotations

from collections.abc import Collection

from gateway.core.histories import History, Sought
from gateway.core.identifiers import record_time
from gateway.core.records import Subject
from gateway.store.postgres.connection import Connection, Pool
from gateway.store.postgres.messages import Messages
from gateway.store.postgres.rows import Place

_SUBJECTS = """
SELECT s.no, s.kind, s.value, s.origin, s.first_record, s.last_record
FROM unnest($1::text[], $2::text[]) AS j(value, kind)
JOIN subject AS s ON s.value = j.value AND s.kind = j.kind
"""
# Newest first: what is left out of a long history is what is oldest. The record numbers of all
# subjects together bound which partitions are looked into, those of each what is read there.
_LATEST = """
SELECT s.no, l.record, l.ordinal
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS s(no, first, last)
CROSS JOIN LATERAL (
 SELECT r.record, r.ordinal FROM ref AS r
 JOIN message AS m ON m.record = r.record AND m.ordinal = r.ordinal
 WHERE r.subject = s.no AND r.record BETWEEN s.first AND s.last
  AND r.record BETWEEN $4 AND $5 AND m.record BETWEEN $4 AND $5 AND m.kind = ANY ($6::text[])
 ORDER BY r.record DESC, r.ordinal DESC LIMIT $7
) AS l
"""


class PostgresHistories:
    """A :class:`gateway.core.histories.Histories`."""

    def __init__(self, pool: Pool, messages: Messages) -> None:
        self._pool = pool
        self._messages = messages

    async def read(
        self,
        sought: Collection[Sought],
        *,
        kinds: Collection[str],
        limit: int,
        bodies: bool = True,
    ) -> tuple[History, ...]:
        """See the protocol."""
        async with self._pool.transaction(isolation="repeatable_read", readonly=True) as connection:
            return await histories(
                connection, self._messages, sought, kinds=kinds, limit=limit, bodies=bodies
            )


async def histories(
    connection: Connection,
    messages: Messages,
    sought: Collection[Sought],
    *,
    kinds: Collection[str],
    limit: int,
    bodies: bool,
) -> tuple[History, ...]:
    """As in the protocol, in a transaction that sees one state."""
    wanted = sorted({(one.value, one.kind) for one in sought})
    subjects = await connection.fetch(
        _SUBJECTS, [value for value, _ in wanted], [kind for _, kind in wanted]
    )
    if not subjects:
        return ()
    rows = await connection.fetch(
        _LATEST,
        [row[0] for row in subjects],
        [row[4] for row in subjects],
        [row[5] for row in subjects],
        min(row[4] for row in subjects),
        max(row[5] for row in subjects),
        sorted(set(kinds)),
        limit + 1,
    )
    places: dict[int, list[Place]] = {}
    for no, record, ordinal in rows:
        places.setdefault(no, []).append((record, ordinal))
    for found in places.values():
        found.sort(reverse=True)
    kept = sorted({place for found in places.values() for place in found[:limit]})
    read = await messages.read(connection, kept, bodies=bodies)
    return tuple(
        History(
            subject=Subject(kind, value, origin),
            since=record_time(first),
            messages=tuple(read[place] for place in reversed(places[no][:limit])),
            cut=len(places[no]) > limit,
        )
        for no, kind, value, origin, first, _ in sorted(subjects, key=lambda row: tuple(row)[1:5])
        if no in places
    )
