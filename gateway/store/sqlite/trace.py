"""The trace: from a value, or an interchange id, to every message about it."""

from __future__ import annotations

import sqlite3

from gateway.core.records import Subject, TraceEntry
from gateway.store.codec import Codec
from gateway.store.sqlite import standing
from gateway.store.sqlite.connection import snapshot
from gateway.store.sqlite.messages import Messages, Place
from gateway.store.sqlite.rows import listed
from translators.translator import FormatId

_SUBJECTS = "SELECT no FROM subject WHERE value = ?"
_REFS = "SELECT record, ordinal FROM ref WHERE subject = ? ORDER BY record, ordinal LIMIT ?"
_INTERCHANGES = "SELECT record FROM seen WHERE id = ? AND kind = 0"
_OF_INTERCHANGE = "SELECT record, ordinal FROM message WHERE record = ? ORDER BY ordinal LIMIT ?"
_FORMATS = """
SELECT i.record, i.format, i.transport FROM json_each(?) AS j CROSS JOIN interchange AS i
 ON i.record = j.value
"""
_NAMED = """
SELECT m.record, m.ordinal, s.kind, s.value, s.origin
FROM json_each(?) AS j CROSS JOIN message AS m
 ON m.record = json_extract(j.value, '$[0]') AND m.ordinal = json_extract(j.value, '$[1]')
CROSS JOIN json_each(m.subjects) AS n CROSS JOIN subject AS s ON s.no = n.value
ORDER BY m.record, m.ordinal, n.key
"""


def trace(
    connection: sqlite3.Connection, messages: Messages, codec: Codec, value: str, limit: int
) -> tuple[TraceEntry, ...]:
    """The first ``limit`` messages about a value, in order of their records; without bodies."""
    with snapshot(connection):
        places = _places(connection, value, limit)
        made = standing.attempts(connection, codec, places)
        legs = standing.legs(connection, messages, made)
        found = messages.read(connection, places, bodies=False)
        subjects = _subjects(connection, places)
        formats = {
            record: (FormatId(format_), transport)
            for record, format_, transport in connection.execute(
                _FORMATS, (listed({record for record, _ in places}),)
            )
        }
    return tuple(
        TraceEntry(
            message=found[place],
            format=formats[place[0]][0],
            transport=formats[place[0]][1],
            attempts=made[place],
            legs=legs[place],
            subjects=subjects[place],
        )
        for place in places
    )


def _places(connection: sqlite3.Connection, value: str, limit: int) -> list[Place]:
    places: set[Place] = set()
    for parents, children in ((_SUBJECTS, _REFS), (_INTERCHANGES, _OF_INTERCHANGE)):
        for (parent,) in connection.execute(parents, (value,)).fetchall():
            places.update(connection.execute(children, (parent, limit)))
    return sorted(places)[:limit]


def _subjects(
    connection: sqlite3.Connection, places: list[Place]
) -> dict[Place, tuple[Subject, ...]]:
    named: dict[Place, list[Subject]] = {place: [] for place in places}
    for record, ordinal, kind, value, origin in connection.execute(_NAMED, (listed(places),)):
        named[record, ordinal].append(Subject(kind, value, origin))
    return {place: tuple(subjects) for place, subjects in named.items()}
