"""Awaited answers within the transactions that accept and settle, and their table.

A row stands from the commit of a message to its answer. Where nothing is awaited this costs nothing
but one probe of an empty index.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

import msgspec

from gateway.core.awaiting import answers
from gateway.core.records import PlannedLeg, PlannedMessage
from gateway.store.leaf import microseconds
from gateway.store.sqlite.rows import Row, insert, listed

TABLE = """
-- due: when the answer was to be there, null until the message is delivered; within: microseconds
-- from then. claimed_until: who escalates it has so long.
CREATE TABLE awaited (
  record INTEGER NOT NULL, ordinal INTEGER NOT NULL, destination TEXT NOT NULL, n INTEGER NOT NULL,
  party TEXT NOT NULL, kind TEXT NOT NULL, answers TEXT NOT NULL, within INTEGER NOT NULL,
  escalate TEXT NOT NULL, delivered_at INTEGER, due INTEGER, escalated_at INTEGER,
  claimed_until INTEGER NOT NULL,
  PRIMARY KEY (record, ordinal, destination, n)
) WITHOUT ROWID;
CREATE INDEX awaited_open ON awaited (record) WHERE due IS NULL;
CREATE INDEX awaited_due ON awaited (due, record, ordinal, destination, n) WHERE due IS NOT NULL;
CREATE INDEX awaited_of ON awaited (destination, kind, due) WHERE due IS NOT NULL;
CREATE INDEX awaited_unsaid ON awaited (due)
 WHERE escalated_at IS NULL AND escalate <> 'none' AND due IS NOT NULL;
"""
"""A step of ``schema.MIGRATIONS``."""

_OF_PLACES = """
SELECT a.record, a.ordinal, a.destination, a.n, a.party, a.answers
FROM json_each(?) AS j CROSS JOIN awaited AS a
 ON a.record = json_extract(j.value, '$[0]') AND a.ordinal = json_extract(j.value, '$[1]')
"""
_DELETE = """
DELETE FROM awaited WHERE (record, ordinal, destination, n) IN (
 SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
  json_extract(value, '$[3]') FROM json_each(?))
"""
_ANY_WITHOUT_TIME = """
SELECT 1 FROM awaited INDEXED BY awaited_open WHERE due IS NULL AND record > 0 LIMIT 1
"""
_BEGIN = """
UPDATE awaited SET delivered_at = ?1, due = ?1 + within
WHERE due IS NULL AND destination = ?2 AND (record, ordinal) IN (
 SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?3))
"""
_DROP = """
DELETE FROM awaited WHERE destination = ?1 AND (record, ordinal) IN (
 SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?2))
"""

_kinds = msgspec.json.Decoder(tuple[str, ...])

Place = tuple[int, int]
"""A message's record number and ordinal."""


def taken(
    connection: sqlite3.Connection, messages: Iterable[tuple[int, str, PlannedMessage]]
) -> None:
    """Await what new messages expect, and no longer what they answer.

    Each with its record and its author, in the order in which they are accepted.
    """
    rows: list[Row] = []
    said: dict[Place, list[tuple[str, str]]] = {}
    for record, author, message in messages:
        for leg in message.legs:
            if leg.expects:
                rows += _rows(record, message, leg)
        if message.key_of is not None:
            said.setdefault(message.key_of, []).append((author, message.kind))
    if rows:
        insert(connection, "awaited", rows)
    if said:
        _answered(connection, said)


def _rows(record: int, message: PlannedMessage, leg: PlannedLeg) -> Iterator[Row]:
    for n, expected in enumerate(leg.expects):
        yield (
            record,
            message.ordinal,
            leg.destination,
            n,
            expected.party,
            message.kind,
            listed(expected.answers),
            int(expected.within * 1_000_000),
            expected.escalate.value,
            None,
            None,
            None,
            0,
        )


def _answered(
    connection: sqlite3.Connection, said: Mapping[Place, Sequence[tuple[str, str]]]
) -> None:
    """``said`` has what was said about messages: by whom, and of what kind it is."""
    over = [
        (record, ordinal, destination, n)
        for record, ordinal, destination, n, party, kinds in connection.execute(
            _OF_PLACES, (listed(said),)
        ).fetchall()
        if any(
            author == party and answers(_kinds.decode(kinds), kind)
            for author, kind in said[record, ordinal]
        )
    ]
    if over:
        connection.execute(_DELETE, (listed(over),))


def delivered(
    connection: sqlite3.Connection, destination: str, places: Collection[Place], *, now: datetime
) -> None:
    """The time of what is expected of delivered messages begins."""
    if places and connection.execute(_ANY_WITHOUT_TIME).fetchone() is not None:
        connection.execute(_BEGIN, (microseconds(now), destination, listed(places)))


def dropped(connection: sqlite3.Connection, destination: str, places: Collection[Place]) -> None:
    """Await nothing of messages that will never be delivered there."""
    if places and connection.execute(_ANY_WITHOUT_TIME).fetchone() is not None:
        connection.execute(_DROP, (destination, listed(places)))
