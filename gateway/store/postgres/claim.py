"""Claims: heads of a destination that are ready, leased with the first legs of each.

A claim is one statement and commits by itself. Heads that another node holds at that moment are
left out, so a short or empty result is no proof that nothing is there.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import accumulate

import msgspec

from gateway.core.records import Delivery, Lease
from gateway.store.contract import LEGS_PER_KEY
from gateway.store.lanes import LANES, share
from gateway.store.leaf import instant, microseconds
from gateway.store.postgres.connection import Connection, Row
from gateway.store.postgres.messages import Messages

# No more of each lane than could be taken.
_AVAILABLE = " UNION ALL ".join(
    f"""SELECT count(*) FROM (SELECT FROM head WHERE state = 0 AND destination = $1
     AND lane = {lane} LIMIT $2::bigint) AS lane{lane}"""  # noqa: S608 - a number
    for lane in range(LANES)
)
# The row versions come from a list and not from a join, so that no plan walks through the table.
# What another has changed since the statement began is not found under its old place: left out.
_READY = " || ".join(
    f"""ARRAY(SELECT ctid FROM head WHERE state = 0 AND destination = $1 AND lane = {lane}
     ORDER BY due, key LIMIT ${lane + 4}::bigint FOR UPDATE SKIP LOCKED)"""  # noqa: S608 - numbers
    for lane in range(LANES)
)
CLAIM = f"""
WITH claimed AS (
 UPDATE head AS h SET state = 1, wake = $2, token = $3, last = coalesce((
  SELECT max(seq) FROM (SELECT l.seq FROM leg AS l
   WHERE l.destination = h.destination AND l.key = h.key AND l.seq >= h.next
   ORDER BY l.seq LIMIT {LEGS_PER_KEY}) AS first), h.next)
 WHERE h.ctid = ANY ({_READY})
 RETURNING h.key, h.next, h.last, h.lane, h.due
)
SELECT c.lane, c.due, c.key, l.seq, l.tries, l.lane, l.route, l.record, l.ordinal, l.size
FROM claimed AS c CROSS JOIN LATERAL (
 SELECT * FROM leg AS l WHERE l.destination = $1 AND l.key = c.key
 AND l.seq BETWEEN c.next AND c.last ORDER BY l.seq) AS l
"""  # noqa: S608 - constants
_SHORTEN = "UPDATE head SET last = $1 WHERE destination = $2 AND key = $3"
_GIVE_BACK = """
UPDATE head SET state = 0, wake = 0, token = '' WHERE destination = $1 AND key = ANY ($2::bigint[])
"""
_STILL_LEASED = """
SELECT h.lane, h.due, h.key, l.seq, l.tries, l.lane, l.route, l.record, l.ordinal, l.size
FROM head AS h CROSS JOIN LATERAL (
 SELECT * FROM leg AS l WHERE l.destination = h.destination AND l.key = h.key
 AND l.seq BETWEEN h.next AND h.last ORDER BY l.seq) AS l
WHERE h.state IN (1, 2) AND h.wake = $1 AND h.state = 1 AND h.token = $2 AND h.destination = $3
"""
_UNTAKEN = """
UPDATE head SET state = 0, wake = 0, token = '' WHERE ctid = ANY (ARRAY(
 SELECT ctid FROM head WHERE state IN (1, 2) AND wake = $1 AND state = 1 AND token = $2
 AND destination = $3 ORDER BY key FOR UPDATE))
"""
_TOKEN = re.compile(r"[a-z0-9-]+\.[0-9]+\.[0-9]{1,18}")
"""Owner, number and end of a lease: whoever brings one back shows where to look for it."""


class _ClaimedLeg(msgspec.Struct, frozen=True):
    """A leg under lease."""

    key: int
    seq: int
    tries: int
    lane: int
    route: str
    record: int
    ordinal: int
    size: int


async def lease(
    connection: Connection,
    messages: Messages,
    destination: str,
    *,
    limit: int,
    most: int | None,
    largest: int,
    until: datetime,
    owner: str,
    weights: Sequence[int],
    lanes: Sequence[int],
) -> Lease | None:
    """Lease up to ``limit`` heads of these lanes until then; ``None`` when none is ready.

    ``most`` bounds the legs together, ``largest`` the stored bytes of their bodies, but for the
    first one.
    """
    counts = [row[0] for row in await connection.fetch(_AVAILABLE, destination, limit)]
    available = [count if lane in lanes else 0 for lane, count in enumerate(counts)]
    if not any(available):
        return None
    ends = microseconds(until)
    token = f"{owner}.{ends}"
    shares = share(available, limit, weights)
    legs = _legs(await connection.fetch(CLAIM, destination, ends, token, *shares))
    sizes = accumulate(leg.size for leg in legs)
    affordable = max(1, sum(size <= largest for size in sizes))
    if most is not None:
        affordable = min(affordable, max(1, most))
    if affordable < len(legs):
        await _give_back(connection, destination, legs[:affordable], legs[affordable:])
    return await _lease(connection, messages, destination, token, legs[:affordable])


class Claims:
    """Claims of which nobody learnt what they took: the connection broke, or who asked had gone.

    Nobody can deliver under such a token, so what it took is free at once instead of when its time
    is over. A database that was cut off may take it later still; so each is looked for until then.
    """

    def __init__(self) -> None:
        self._lost: dict[tuple[str, str], datetime] = {}

    @asynccontextmanager
    async def making(self, destination: str, owner: str, until: datetime) -> AsyncIterator[None]:
        """Around a claim; whatever ends it before it has answered."""
        try:
            yield
        except BaseException:
            self._lost[destination, f"{owner}.{microseconds(until)}"] = until
            raise

    async def give_back(self, connection: Connection, *, now: datetime) -> None:
        """Free what lost claims have taken."""
        for (destination, token), until in list(self._lost.items()):
            await connection.execute(_UNTAKEN, _ends(token), token, destination)
            if until <= now:
                self._lost.pop((destination, token), None)


async def held(
    connection: Connection, messages: Messages, destination: str, token: str
) -> Lease | None:
    """What is still unsettled of an earlier lease, in the same order; ``None`` for no such."""
    if not _TOKEN.fullmatch(token):  # it may come from outside
        return None
    rows = await connection.fetch(_STILL_LEASED, _ends(token), token, destination)
    return await _lease(connection, messages, destination, token, _legs(rows))


def _ends(token: str) -> int:
    return int(token.rpartition(".")[2])


def _legs(rows: Sequence[Row]) -> list[_ClaimedLeg]:
    """Legs in the order of their heads (lane, due, key), then of their numbers."""
    return [_ClaimedLeg(*row[2:]) for row in sorted(tuple(row) for row in rows)]


async def _give_back(
    connection: Connection,
    destination: str,
    kept: Sequence[_ClaimedLeg],
    surplus: Sequence[_ClaimedLeg],
) -> None:
    """Shorten a lease to the legs that are kept; what a crash leaves undone runs out."""
    last = kept[-1]
    await connection.execute(_SHORTEN, last.seq, destination, last.key)
    keys = {leg.key for leg in surplus} - {last.key}
    if keys:
        await connection.execute(_GIVE_BACK, destination, sorted(keys))


async def _lease(
    connection: Connection,
    messages: Messages,
    destination: str,
    token: str,
    legs: Sequence[_ClaimedLeg],
) -> Lease | None:
    """The legs with their messages and bodies."""
    if not legs:
        return None
    found = await messages.read(
        connection, {(leg.record, leg.ordinal) for leg in legs}, bodies=True
    )
    return Lease(
        token=token,
        destination=destination,
        until=instant(_ends(token)),
        deliveries=tuple(
            Delivery(
                destination=destination,
                seq=leg.seq,
                key=leg.key,
                tries=leg.tries,
                lane=leg.lane,
                route=leg.route,
                message=found[leg.record, leg.ordinal],
            )
            for leg in legs
        ),
    )
