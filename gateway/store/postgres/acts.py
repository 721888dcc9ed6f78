"""What an operator does to unsettled legs, within one transaction.

The heads are locked first, in the order that accepting and settling lock them in too; what is read
after that comes from later statements.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from gateway.core.deliveries import (
    RESULTS,
    Act,
    Acted,
    Deed,
    LeftOut,
    Page,
    Touched,
    Unsettled,
    Why,
    hindrance,
)
from gateway.core.identifiers import resolve
from gateway.store.accounts import HELD, READY
from gateway.store.contract import LOOK_AHEAD
from gateway.store.leaf import microseconds
from gateway.store.postgres import awaited
from gateway.store.postgres.connection import Connection, Row, columns
from gateway.store.postgres.rows import Place
from gateway.store.postgres.settle import storable

_LOCK = """
SELECT h.destination, h.key, h.state, h.next, h.urgent
FROM head AS h JOIN unnest($1::text[], $2::bigint[]) AS j(destination, key)
 ON h.destination = j.destination AND h.key = j.key
ORDER BY h.destination, h.key FOR UPDATE OF h
"""
_FIRST = """
SELECT j.destination, j.key, (SELECT l.seq FROM leg AS l
 WHERE l.destination = j.destination AND l.key = j.key AND l.seq >= j.next ORDER BY l.seq LIMIT 1)
FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS j(destination, key, next)
"""
_TRIES = """
SELECT l.destination, l.key, l.seq, l.tries
FROM leg AS l JOIN unnest($1::text[], $2::bigint[], $3::bigint[]) AS j(destination, key, seq)
 ON l.destination = j.destination AND l.key = j.key AND l.seq = j.seq
"""
_STATE = """
UPDATE head AS h SET state = $4, wake = 0, token = '', next = j.seq
FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS j(destination, key, seq)
WHERE h.destination = j.destination AND h.key = j.key
"""
_ANEW = """
UPDATE leg AS l SET tries = 0
FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS j(destination, key, seq)
WHERE l.destination = j.destination AND l.key = j.key AND l.seq = j.seq
"""
_DELETE_LEG = "DELETE FROM leg WHERE destination = $1 AND key = $2 AND seq = $3"
_FOLLOWING = f"""
SELECT seq, lane, due FROM leg WHERE destination = $1 AND key = $2 AND seq >= $3
ORDER BY seq LIMIT {LOOK_AHEAD}
"""  # noqa: S608 - a number
_DELETE_HEAD = "DELETE FROM head WHERE destination = $1 AND key = $2"
_NEXT = """
UPDATE head SET state = 0, wake = 0, token = '', next = $3 WHERE destination = $1 AND key = $2
"""
_URGENCY = """
UPDATE head SET urgent = 0, lane = $3, due = $4 WHERE destination = $1 AND key = $2
"""
_ATTEMPTS = """
INSERT INTO attempt (record, ordinal, destination, n, at, result, code, detail, process)
SELECT *, $5::bigint, $6, $7, $8, $9
FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::integer[])
"""

_Key = tuple[str, int]


class _Head(msgspec.Struct):
    """A head under our lock; ``first`` is its first unsettled leg."""

    state: int
    first: int
    urgent: int


async def carry_out(
    connection: Connection, page: Page, deed: Deed, *, now: datetime, process: str
) -> tuple[Acted, frozenset[str]]:
    """Do it to the legs of a page, and tell which destinations have something ready by it.

    Each leg is judged as it stands now, not as it stood when the page was read.
    """
    heads = await _heads(connection, page.legs)
    asked = [(leg.destination, leg.queue, leg.seq) for leg in page.legs]
    rows = await connection.fetch(_TRIES, *columns(asked, 3))
    tries: dict[Row, int] = {(row[0], row[1], row[2]): row[3] for row in rows}
    done: list[Unsettled] = []
    left: list[LeftOut] = []
    ready: set[str] = set()
    for leg in page.legs:
        head = heads.get((leg.destination, leg.queue))
        if head is None or (leg.destination, leg.queue, leg.seq) not in tries:
            left.append(LeftOut(leg.message_id, leg.destination, Why.GONE))
            continue
        why = hindrance(deed.act, head.state, first=head.first == leg.seq)
        if why is not None:
            left.append(LeftOut(leg.message_id, leg.destination, why))
            continue
        done.append(leg)
        if deed.act is Act.SKIP:
            if await _skip(connection, leg, head):
                ready.add(leg.destination)
        else:
            head.state = READY if deed.act is Act.RETRY else HELD
    if done:
        if deed.act is not Act.SKIP:
            ready |= await _change(connection, done, deed.act)
        await _log(connection, done, tries, deed, now=now, process=process)
    touched = tuple(Touched(leg.message_id, leg.destination) for leg in done)
    return Acted(done=touched, left_out=tuple(left), next=page.next), frozenset(ready)


async def _heads(connection: Connection, legs: Sequence[Unsettled]) -> dict[_Key, _Head]:
    """The heads of legs, locked."""
    keys = sorted({(leg.destination, leg.queue) for leg in legs})
    rows = await connection.fetch(_LOCK, *columns(keys, 2))
    bounds = [(row[0], row[1], row[3]) for row in rows]
    first: dict[_Key, int] = {
        (row[0], row[1]): row[2] for row in await connection.fetch(_FIRST, *columns(bounds, 3))
    }
    return {(row[0], row[1]): _Head(row[2], first[row[0], row[1]], row[4]) for row in rows}


async def _change(connection: Connection, legs: Sequence[Unsettled], act: Act) -> frozenset[str]:
    """Make the queues of these first legs ready, or hold them; who has something ready by it."""
    places = columns([(leg.destination, leg.queue, leg.seq) for leg in legs], 3)
    if act is Act.BURY:
        await connection.execute(_STATE, *places, HELD)
        return frozenset()
    await connection.execute(_ANEW, *places)
    await connection.execute(_STATE, *places, READY)
    return frozenset(leg.destination for leg in legs)


async def _skip(connection: Connection, leg: Unsettled, head: _Head) -> bool:
    """Delete a leg; whether the next one may be claimed now by it."""
    queue = (leg.destination, leg.queue)
    was_first = head.first == leg.seq
    await connection.execute(_DELETE_LEG, *queue, leg.seq)
    await awaited.dropped(connection, leg.destination, (_place(leg),))
    following = await connection.fetch(_FOLLOWING, *queue, head.first)
    if not following:
        await connection.execute(_DELETE_HEAD, *queue)
        return False
    head.first = following[0][0]
    if was_first:
        head.state = READY
        await connection.execute(_NEXT, *queue, head.first)
    if head.first > head.urgent or leg.seq == head.urgent:
        head.urgent = 0
        lane, due = min((row[1], row[2]) for row in following)
        await connection.execute(_URGENCY, *queue, lane, due)
    return was_first


async def _log(
    connection: Connection,
    done: Sequence[Unsettled],
    tries: dict[Row, int],
    deed: Deed,
    *,
    now: datetime,
    process: str,
) -> None:
    rows = [
        (*_place(leg), leg.destination, tries[leg.destination, leg.queue, leg.seq]) for leg in done
    ]
    await connection.execute(
        _ATTEMPTS,
        *columns(rows, 4),
        microseconds(now),
        RESULTS[deed.act].value,
        deed.code,
        storable(deed.detail),
        process,
    )


def _place(leg: Unsettled) -> Place:
    address = resolve(leg.message_id)
    assert address is not None  # the store itself has made the id
    return int(address[1]), address[2]
