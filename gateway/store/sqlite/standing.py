"""Where legs stand: open ones by the queue, settled ones by their attempts."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection

import msgspec

from gateway.core.records import Attempt, Leg, Result
from gateway.core.reports import Report, report_of
from gateway.store.accounts import HELD
from gateway.store.codec import Codec
from gateway.store.leaf import instant
from gateway.store.legs import OpenLeg, standing
from gateway.store.sqlite.connection import snapshot
from gateway.store.sqlite.messages import Messages, Place
from gateway.store.sqlite.reports import Shelf
from gateway.store.sqlite.rows import listed
from translators.translator import FormatId

_OF_RECORD = "SELECT record, ordinal FROM message WHERE record = ? ORDER BY ordinal"
_PLANNED = """
SELECT m.record, m.ordinal, m.subject, m.destinations FROM json_each(?) AS j CROSS JOIN message AS m
 ON m.record = json_extract(j.value, '$[0]') AND m.ordinal = json_extract(j.value, '$[1]')
"""
_OPEN = """
SELECT l.record, l.ordinal, l.destination, l.tries, l.seq = h.next, l.seq <= h.last, h.state
FROM json_each(?) AS j CROSS JOIN leg AS l
 ON l.destination = json_extract(j.value, '$[0]') AND l.key = json_extract(j.value, '$[1]')
CROSS JOIN head AS h ON h.destination = l.destination AND h.key = l.key
"""
_ATTEMPTS = """
SELECT a.record, a.ordinal, a.destination, a.n, a.at, a.result, a.code, a.detail, a.dropped,
 a.evidence, a.report, a.places
FROM json_each(?) AS j CROSS JOIN attempt AS a
 ON a.record = json_extract(j.value, '$[0]') AND a.ordinal = json_extract(j.value, '$[1]')
ORDER BY a.record, a.ordinal, a.no
"""
_HELD = """
SELECT l.record, l.ordinal, h.destination, l.tries FROM head AS h CROSS JOIN leg AS l
 ON l.destination = h.destination AND l.key = h.key AND l.seq = h.next
WHERE h.state = 3 AND (?1 IS NULL OR h.destination = ?1) ORDER BY h.next LIMIT ?2
"""
_names = msgspec.json.Decoder(tuple[str, ...])


def attempts(
    connection: sqlite3.Connection, codec: Codec, places: Collection[Place]
) -> dict[Place, tuple[Attempt, ...]]:
    """The recorded attempts of messages, in the order in which they were recorded."""
    found: dict[Place, list[Attempt]] = {place: [] for place in places}
    rows = connection.execute(_ATTEMPTS, (listed(places),)).fetchall()
    shelf = Shelf(connection, codec)
    shelf.fetch(row[10] for row in rows)
    for row in rows:
        found[row[0], row[1]].append(
            Attempt(
                destination=row[2],
                n=row[3],
                at=instant(row[4]),
                result=Result(row[5]),
                code=row[6],
                detail=row[7],
                report=shelf.get(row[10], row[11]) or _earlier(_names.decode(row[8])),
                evidence=None if row[9] is None else codec.unpack(row[9]).decode(),
            )
        )
    return {place: tuple(made) for place, made in found.items()}


def _earlier(withheld: tuple[str, ...]) -> Report | None:
    """What is known of an attempt from before there were reports."""
    return report_of((), format_id=FormatId(""), kind="", withheld=withheld) if withheld else None


def legs(
    connection: sqlite3.Connection,
    messages: Messages,
    made: dict[Place, tuple[Attempt, ...]],
) -> dict[Place, tuple[Leg, ...]]:
    """Where the planned legs of messages stand, given the attempts ``made`` for each."""
    planned = {
        (record, ordinal): (key, _names.decode(destinations))
        for record, ordinal, key, destinations in connection.execute(_PLANNED, (listed(made),))
    }
    queues = {(destination, key) for key, names in planned.values() for destination in names}
    unsettled = {
        (row[0], row[1], row[2]): OpenLeg(*row[3:])
        for row in connection.execute(_OPEN, (listed(queues),))
        if (row[0], row[1]) in planned
    }
    return {
        place: tuple(
            standing(messages.id(*place), name, unsettled.get((*place, name)), made[place])
            for name in names
        )
        for place, (_, names) in planned.items()
    }


def of_record(
    connection: sqlite3.Connection, messages: Messages, codec: Codec, record: int
) -> tuple[Leg, ...]:
    """The legs of an interchange, by message and then in the order in which they were planned."""
    with snapshot(connection):
        places = connection.execute(_OF_RECORD, (record,)).fetchall()
        standing = legs(connection, messages, attempts(connection, codec, places))
    return tuple(leg for place in places for leg in standing[place])


def buried(
    connection: sqlite3.Connection,
    messages: Messages,
    codec: Codec,
    destination: str | None,
    limit: int,
) -> tuple[Leg, ...]:
    """The legs that hold back their keys, in order of acceptance."""
    with snapshot(connection):
        rows = connection.execute(_HELD, (destination, limit)).fetchall()
        made = attempts(connection, codec, {(row[0], row[1]) for row in rows})
    return tuple(
        standing(
            messages.id(record, ordinal),
            name,
            OpenLeg(tries, first=True, within_lease=True, state=HELD),
            made[record, ordinal],
        )
        for record, ordinal, name, tries in rows
    )
