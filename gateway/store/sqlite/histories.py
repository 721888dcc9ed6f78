"""Histories on SQLite: subjects by their values, then the latest messages about each."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection

from gateway.core.histories import History, Sought
from gateway.core.identifiers import record_time
from gateway.core.records import Subject
from gateway.store.sqlite.connection import snapshot
from gateway.store.sqlite.messages import Messages, Place
from gateway.store.sqlite.pool import Pool
from gateway.store.sqlite.rows import listed

_SUBJECTS = """
SELECT s.no, s.kind, s.value, s.origin, s.first_record
FROM json_each(?) AS j CROSS JOIN subject AS s
 ON s.value = json_extract(j.value, '$[0]') AND s.kind = json_extract(j.value, '$[1]')
ORDER BY s.kind, s.value, s.origin, s.first_record
"""
# Newest first: what is left out of a long history is what is oldest.
_LATEST = """
SELECT r.record, r.ordinal FROM ref AS r CROSS JOIN message AS m
 ON m.record = r.record AND m.ordinal = r.ordinal
WHERE r.subject = ? AND m.kind IN (SELECT value FROM json_each(?))
ORDER BY r.record DESC, r.ordinal DESC LIMIT ?
"""


class SqliteHistories:
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
        return await self._pool.run(
            lambda c: histories(c, self._messages, sought, kinds=kinds, limit=limit, bodies=bodies)
        )


def histories(
    connection: sqlite3.Connection,
    messages: Messages,
    sought: Collection[Sought],
    *,
    kinds: Collection[str],
    limit: int,
    bodies: bool,
) -> tuple[History, ...]:
    """As in the protocol; all of it as of one moment."""
    wanted = listed(sorted({(one.value, one.kind) for one in sought}))
    named = listed(sorted(set(kinds)))
    with snapshot(connection):
        subjects = connection.execute(_SUBJECTS, (wanted,)).fetchall()
        places: dict[int, list[Place]] = {
            no: connection.execute(_LATEST, (no, named, limit + 1)).fetchall()
            for no, *_ in subjects
        }
        found = messages.read(
            connection,
            {place for told in places.values() for place in told[:limit]},
            bodies=bodies,
        )
    return tuple(
        History(
            subject=Subject(kind, value, origin),
            since=record_time(first),
            messages=tuple(found[place] for place in reversed(places[no][:limit])),
            cut=len(places[no]) > limit,
        )
        for no, kind, value, origin, first in subjects
        if places[no]
    )
