"""Awaited answers within the transactions that accept and settle, and their table.

A row stands from the commit of a message to its answer. Where nothing is awaited this costs nothing
but one probe of an empty index. Rows are locked in the order of their key, after all heads.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

import msgspec

from gateway.core.awaiting import answers
from gateway.core.records import PlannedLeg, PlannedMessage
from gateway.store.leaf import microseconds
from gateway.store.postgres.connection import Connection, Row, columns
from gateway.store.postgres.rows import Place, split

TABLE = """
-- due: when the answer was to be there, null until the message is delivered; within: microseconds
-- from then. claimed_until: who escalates it has so long.
CREATE TABLE awaited (
  record bigint NOT NULL, ordinal bigint NOT NULL, destination text COLLATE "C" NOT NULL,
  n integer NOT NULL, party text COLLATE "C" NOT NULL, kind text COLLATE "C" NOT NULL,
  answers text NOT NULL, within bigint NOT NULL, escalate text COLLATE "C" NOT NULL,
  delivered_at bigint, due bigint, escalated_at bigint, claimed_until bigint NOT NULL,
  PRIMARY KEY (record, ordinal, destination, n)
) WITH (
  fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000,
  autovacuum_vacuum_cost_delay = 0
);
CREATE INDEX awaited_open ON awaited (record) WHERE due IS NULL;
CREATE INDEX awaited_due ON awaited (due, record, ordinal, destination, n) WHERE due IS NOT NULL;
CREATE INDEX awaited_of ON awaited (destination, kind, due) WHERE due IS NOT NULL;
CREATE INDEX awaited_unsaid ON awaited (due)
 WHERE escalated_at IS NULL AND escalate <> 'none' AND due IS NOT NULL;
"""
"""A step of ``schema.MIGRATIONS``."""

_EXPECT = """
INSERT INTO awaited SELECT *, NULL, NULL, NULL, 0
FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::integer[], $5::text[], $6::text[],
 $7::text[], $8::bigint[], $9::text[])
"""
_OF_PLACES = """
SELECT a.record, a.ordinal, a.destination, a.n, a.party, a.answers
FROM unnest($1::bigint[], $2::bigint[]) AS j(record, ordinal)
JOIN awaited AS a ON a.record = j.record AND a.ordinal = j.ordinal
"""
_DELETE = """
DELETE FROM awaited WHERE ctid = ANY (ARRAY(
 SELECT a.ctid FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::integer[])
  AS j(record, ordinal, destination, n)
 JOIN awaited AS a ON a.record = j.record AND a.ordinal = j.ordinal
  AND a.destination = j.destination AND a.n = j.n
 ORDER BY a.record, a.ordinal, a.destination, a.n FOR UPDATE OF a))
"""
_ANY_WITHOUT_TIME = "SELECT record FROM awaited WHERE due IS NULL ORDER BY record LIMIT 1"
_BEGIN = """
UPDATE awaited SET delivered_at = $4, due = $4 + within WHERE ctid = ANY (ARRAY(
 SELECT a.ctid FROM unnest($2::bigint[], $3::bigint[]) AS j(record, ordinal)
 JOIN awaited AS a ON a.record = j.record AND a.ordinal = j.ordinal AND a.destination = $1
 WHERE a.due IS NULL ORDER BY a.record, a.ordinal, a.destination, a.n FOR UPDATE OF a))
"""
_DROP = """
DELETE FROM awaited WHERE ctid = ANY (ARRAY(
 SELECT a.ctid FROM unnest($2::bigint[], $3::bigint[]) AS j(record, ordinal)
 JOIN awaited AS a ON a.record = j.record AND a.ordinal = j.ordinal AND a.destination = $1
 ORDER BY a.record, a.ordinal, a.destination, a.n FOR UPDATE OF a))
"""

_kinds = msgspec.json.Decoder(tuple[str, ...])


def concerns(message: PlannedMessage) -> bool:
    """Whether a message expects an answer, or may be one."""
    return message.key_of is not None or any(leg.expects for leg in message.legs)


async def taken(
    connection: Connection, messages: Iterable[tuple[int, str, PlannedMessage]]
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
        await connection.execute(_EXPECT, *columns(rows, 9))
    if said:
        await _answered(connection, said)


def _rows(record: int, message: PlannedMessage, leg: PlannedLeg) -> Iterator[Row]:
    for n, expected in enumerate(leg.expects):
        yield (
            int(record),
            message.ordinal,
            leg.destination,
            n,
            expected.party,
            message.kind,
            msgspec.json.encode(expected.answers).decode(),
            int(expected.within * 1_000_000),
            expected.escalate.value,
        )


async def _answered(
    connection: Connection, said: Mapping[Place, Sequence[tuple[str, str]]]
) -> None:
    """``said`` has what was said about messages: by whom, and of what kind it is."""
    rows = await connection.fetch(_OF_PLACES, *split(sorted(said)))
    over = [
        row[:4]
        for row in map(tuple, rows)
        if any(
            author == row[4] and answers(_kinds.decode(row[5]), kind)
            for author, kind in said[row[0], row[1]]
        )
    ]
    if over:
        await connection.execute(_DELETE, *columns(over, 4))


async def delivered(
    connection: Connection, destination: str, places: Collection[Place], *, now: datetime
) -> None:
    """The time of what is expected of delivered messages begins."""
    if places and await connection.fetchval(_ANY_WITHOUT_TIME) is not None:
        given = split(list(places))
        await connection.execute(_BEGIN, destination, *given, microseconds(now))


async def dropped(connection: Connection, destination: str, places: Collection[Place]) -> None:
    """Await nothing of messages that will never be delivered there."""
    if places and await connection.fetchval(_ANY_WITHOUT_TIME) is not None:
        await connection.execute(_DROP, destination, *split(list(places)))
