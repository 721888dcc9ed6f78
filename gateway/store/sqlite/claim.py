"""Claims: heads of a destination that are ready, leased with the first legs of each."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from itertools import accumulate

import msgspec

from gateway.core.records import Delivery, Lease
from gateway.store.contract import LEGS_PER_KEY
from gateway.store.lanes import LANES, share
from gateway.store.leaf import instant, microseconds
from gateway.store.sqlite.connection import transaction
from gateway.store.sqlite.messages import Messages
from gateway.store.sqlite.rows import Row, listed
from gateway.store.sqlite.turnstile import Turnstile

_ANY_READY = """
SELECT 1 FROM head INDEXED BY head_ready WHERE state = 0 AND destination = ? AND lane = ? LIMIT 1
"""
_READY = """
SELECT key FROM head INDEXED BY head_ready WHERE state = 0 AND destination = ? AND lane = ?
ORDER BY due, key LIMIT ?
"""
_LEASE = f"""
UPDATE head SET state = 1, wake = ?3, token = ?4, last = (
 SELECT max(seq) FROM (SELECT l.seq FROM leg AS l
  WHERE l.destination = ?2 AND l.key = head.key AND l.seq >= head.next
  ORDER BY l.seq LIMIT {LEGS_PER_KEY})
) WHERE destination = ?2 AND key IN (SELECT value FROM json_each(?1))
RETURNING key, next, last
"""  # noqa: S608 - a number
_LEGS = """
SELECT l.key, l.seq, l.tries, l.lane, l.route, l.record, l.ordinal, ifnull(length(b.content), 0)
FROM json_each(?1) AS j CROSS JOIN leg AS l
 ON l.destination = ?2 AND l.key = json_extract(j.value, '$[0]')
 AND l.seq BETWEEN json_extract(j.value, '$[1]') AND json_extract(j.value, '$[2]')
LEFT JOIN body AS b ON b.record = l.record AND b.ordinal = l.ordinal
"""
_SHORTEN = "UPDATE head SET last = ?1 WHERE destination = ?2 AND key = ?3"
_GIVE_BACK = """
UPDATE head SET state = 0, wake = 0, token = ''
WHERE destination = ?2 AND key IN (SELECT value FROM json_each(?1))
"""
_STILL_LEASED = """
SELECT key, next, last FROM head INDEXED BY head_wake
WHERE state IN (1, 2) AND wake = ? AND state = 1 AND token = ? AND destination = ?
ORDER BY lane, due, key
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


def lease(
    connection: sqlite3.Connection,
    turnstile: Turnstile,
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
    if not any(connection.execute(_ANY_READY, (destination, lane)).fetchone() for lane in lanes):
        return None
    ends = microseconds(until)
    token = f"{owner}.{ends}"
    with transaction(connection, turnstile):
        ready = [
            connection.execute(_READY, (destination, lane, limit)).fetchall()
            if lane in lanes
            else []
            for lane in range(LANES)
        ]
        shares = share([len(rows) for rows in ready], limit, weights)
        order = {
            key: at
            for at, key in enumerate(
                key for rows, count in zip(ready, shares, strict=True) for (key,) in rows[:count]
            )
        }
        heads = connection.execute(_LEASE, (listed(order), destination, ends, token)).fetchall()
    # Nothing changes the legs of a lease but its own settlements, so they need no lock.
    heads.sort(key=lambda head: order[head[0]])
    legs = _legs(connection, destination, heads)
    sizes = accumulate(leg.size for leg in legs)
    affordable = max(1, sum(size <= largest for size in sizes))
    if most is not None:
        affordable = min(affordable, max(1, most))
    if affordable < len(legs):
        with transaction(connection, turnstile):
            _give_back(connection, destination, legs[:affordable], legs[affordable:])
    return _lease(connection, messages, destination, token, legs[:affordable])


def held(
    connection: sqlite3.Connection, messages: Messages, destination: str, token: str
) -> Lease | None:
    """What is still unsettled of an earlier lease, in the same order; ``None`` for no such."""
    if not _TOKEN.fullmatch(token):  # it may come from outside
        return None
    heads = connection.execute(_STILL_LEASED, (_ends(token), token, destination)).fetchall()
    legs = _legs(connection, destination, heads)
    return _lease(connection, messages, destination, token, legs)


def _ends(token: str) -> int:
    return int(token.rpartition(".")[2])


def _legs(
    connection: sqlite3.Connection, destination: str, heads: Sequence[Row]
) -> list[_ClaimedLeg]:
    """The legs of leased heads, in the order of these."""
    order = {head[0]: at for at, head in enumerate(heads)}
    rows = connection.execute(_LEGS, (listed(heads), destination)).fetchall()
    rows.sort(key=lambda row: (order[row[0]], row[1]))
    return [_ClaimedLeg(*row) for row in rows]


def _give_back(
    connection: sqlite3.Connection,
    destination: str,
    kept: Sequence[_ClaimedLeg],
    surplus: Sequence[_ClaimedLeg],
) -> None:
    """Within a write transaction: shorten a lease to the legs that are kept."""
    last = kept[-1]
    connection.execute(_SHORTEN, (last.seq, destination, last.key))
    keys = {leg.key for leg in surplus} - {last.key}
    connection.execute(_GIVE_BACK, (listed(keys), destination))


def _lease(
    connection: sqlite3.Connection,
    messages: Messages,
    destination: str,
    token: str,
    legs: Sequence[_ClaimedLeg],
) -> Lease | None:
    """The legs with their messages and bodies."""
    if not legs:
        return None
    found = messages.read(connection, {(leg.record, leg.ordinal) for leg in legs}, bodies=True)
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
