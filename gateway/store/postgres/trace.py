"""The trace: from a value, or an interchange id, to every message about it.

The subject comes first. Between its first and its last record number lies all that was said about
it, so the partitions outside are not even looked into.
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.core.records import Subject, TraceEntry
from gateway.store.codec import Codec
from gateway.store.postgres import standing
from gateway.store.postgres.connection import Connection
from gateway.store.postgres.messages import Messages
from gateway.store.postgres.rows import Place, split
from translators.translator import FormatId

_SUBJECTS = "SELECT no, first_record, last_record FROM subject WHERE value = $1"
_REFS = """
SELECT record, ordinal FROM ref WHERE subject = $1 AND record BETWEEN $2 AND $3
ORDER BY record, ordinal LIMIT $4
"""
_INTERCHANGES = "SELECT record FROM seen WHERE id = $1 AND kind = 0"
_OF_INTERCHANGE = "SELECT record, ordinal FROM message WHERE record = $1 ORDER BY ordinal LIMIT $2"
_FORMATS = "SELECT record, format, transport FROM interchange WHERE record = ANY ($1::bigint[])"
_NAMED = """
SELECT m.record, m.ordinal, s.kind, s.value, s.origin
FROM unnest($1::bigint[], $2::bigint[]) AS j(record, ordinal)
JOIN message AS m ON m.record = j.record AND m.ordinal = j.ordinal
CROSS JOIN unnest(m.subjects) WITH ORDINALITY AS n(no, at)
JOIN subject AS s ON s.no = n.no
WHERE m.record = ANY ($1) ORDER BY m.record, m.ordinal, n.at
"""


async def trace(
    connection: Connection, messages: Messages, codec: Codec, value: str, limit: int
) -> tuple[TraceEntry, ...]:
    """The first ``limit`` messages about a value, in order of their records; without bodies.

    In a transaction that sees one state.
    """
    places = await _places(connection, value, limit)
    if not places:
        return ()
    made = await standing.attempts(connection, codec, places)
    legs = await standing.legs(connection, messages, made)
    found = await messages.read(connection, places, bodies=False)
    subjects = await _subjects(connection, places)
    formats = {
        record: (FormatId(format_), transport)
        for record, format_, transport in await connection.fetch(
            _FORMATS, sorted({record for record, _ in places})
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


async def _places(connection: Connection, value: str, limit: int) -> list[Place]:
    places: set[Place] = set()
    for no, first, last in await connection.fetch(_SUBJECTS, value):
        rows = await connection.fetch(_REFS, no, first, last, limit)
        places.update((row[0], row[1]) for row in rows)
    for (record,) in await connection.fetch(_INTERCHANGES, value):
        rows = await connection.fetch(_OF_INTERCHANGE, record, limit)
        places.update((row[0], row[1]) for row in rows)
    return sorted(places)[:limit]


async def _subjects(
    connection: Connection, places: Sequence[Place]
) -> dict[Place, tuple[Subject, ...]]:
    named: dict[Place, list[Subject]] = {place: [] for place in places}
    for record, ordinal, kind, value, origin in await connection.fetch(_NAMED, *split(places)):
        named[record, ordinal].append(Subject(kind, value, origin))
    return {place: tuple(subjects) for place, subjects in named.items()}
