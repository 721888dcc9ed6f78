"""Where legs stand: open ones by the queue, settled ones by their attempts."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from gateway.core.records import Attempt, Leg, Result
from gateway.store.accounts import HELD
from gateway.store.codec import Codec
from gateway.store.leaf import instant
from gateway.store.legs import OpenLeg, standing
from gateway.store.postgres.connection import Connection, columns
from gateway.store.postgres.messages import Messages
from gateway.store.postgres.reports import Shelf
from gateway.store.postgres.rows import Place, split

_OF_RECORD = "SELECT record, ordinal FROM message WHERE record = $1 ORDER BY ordinal"
_PLANNED = """
SELECT m.record, m.ordinal, m.subject, m.destinations
FROM unnest($1::bigint[], $2::bigint[]) AS j(record, ordinal)
JOIN message AS m ON m.record = j.record AND m.ordinal = j.ordinal
WHERE m.record = ANY ($1)
"""
# A head's next is 0 as long as none of its legs was settled; only one that waits or is held is
# asked which leg is first, and it has been settled.
_OPEN = """
SELECT l.record, l.ordinal, l.destination, l.tries, l.seq = h.next, l.seq <= h.last, h.state
FROM unnest($1::text[], $2::bigint[]) AS j(destination, key)
JOIN leg AS l ON l.destination = j.destination AND l.key = j.key
JOIN head AS h ON h.destination = l.destination AND h.key = l.key
"""
_ATTEMPTS = """
SELECT a.record, a.ordinal, a.destination, a.n, a.at, a.result, a.code, a.detail, a.evidence,
 a.report, a.places
FROM unnest($1::bigint[], $2::bigint[]) AS j(record, ordinal)
JOIN attempt AS a ON a.record = j.record AND a.ordinal = j.ordinal
WHERE a.record = ANY ($1) ORDER BY a.record, a.ordinal, a.no
"""
_HELD = """
SELECT l.record, l.ordinal, h.destination, l.tries FROM head AS h JOIN leg AS l
 ON l.destination = h.destination AND l.key = h.key AND l.seq = h.next
WHERE h.state = 3 AND ($1::text IS NULL OR h.destination = $1) ORDER BY h.next LIMIT $2
"""


async def attempts(
    connection: Connection, codec: Codec, places: Collection[Place]
) -> dict[Place, tuple[Attempt, ...]]:
    """The recorded attempts of messages, in the order in which they were recorded."""
    found: dict[Place, list[Attempt]] = {place: [] for place in places}
    rows = await connection.fetch(_ATTEMPTS, *split(list(found))) if found else []
    shelf = Shelf(connection, codec)
    await shelf.fetch(row[9] for row in rows)
    for row in rows:
        found[row[0], row[1]].append(
            Attempt(
                destination=row[2],
                n=row[3],
                at=instant(row[4]),
                result=Result(row[5]),
                code=row[6],
                detail=row[7],
                report=shelf.get(row[9], row[10]),
                evidence=None if row[8] is None else codec.unpack(row[8]).decode(),
            )
        )
    return {place: tuple(made) for place, made in found.items()}


async def legs(
    connection: Connection, messages: Messages, made: Mapping[Place, tuple[Attempt, ...]]
) -> dict[Place, tuple[Leg, ...]]:
    """Where the planned legs of messages stand, given the attempts ``made`` for each."""
    if not made:
        return {}
    planned = {
        (record, ordinal): (key, tuple(destinations))
        for record, ordinal, key, destinations in await connection.fetch(
            _PLANNED, *split(list(made))
        )
    }
    queues = sorted({(name, key) for key, names in planned.values() for name in names})
    unsettled = {
        (row[0], row[1], row[2]): OpenLeg(*row[3:])
        for row in await connection.fetch(_OPEN, *columns(queues, 2))
    }
    return {
        place: tuple(
            standing(messages.id(*place), name, unsettled.get((*place, name)), made[place])
            for name in names
        )
        for place, (_, names) in planned.items()
    }


async def of_record(
    connection: Connection, messages: Messages, codec: Codec, record: int
) -> tuple[Leg, ...]:
    """The legs of an interchange, by message and then in the order in which they were planned.

    In a transaction that sees one state.
    """
    places = [(row[0], row[1]) for row in await connection.fetch(_OF_RECORD, record)]
    found = await legs(connection, messages, await attempts(connection, codec, places))
    return tuple(leg for place in places for leg in found[place])


async def buried(
    connection: Connection,
    messages: Messages,
    codec: Codec,
    destination: str | None,
    limit: int,
) -> tuple[Leg, ...]:
    """The legs that hold back their keys, in order of acceptance.

    In a transaction that sees one state.
    """
    rows = await connection.fetch(_HELD, destination, limit)
    made = await attempts(connection, codec, {(row[0], row[1]) for row in rows})
    return tuple(
        standing(
            messages.id(record, ordinal),
            name,
            OpenLeg(tries, first=True, within_lease=True, state=HELD),
            made[record, ordinal],
        )
        for record, ordinal, name, tries in rows
    )
