"""Claims: heads of a destination that are ready, leased with the first legs of each."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from datetime import datetime

import msgspec

from gateway.core.records import Delivery, Lease
from gateway.store.contract import LEGS_PER_KEY
from gateway.store.lanes import LANES, share
from gateway.store.leaf import instant, microseconds
from gateway.store.sqlite.connection import transaction
from gateway.store.sqlite.messages import Messages
from gateway.store.sqlite.rows import Row, listed
from gateway.store.sqlite.turnstile import Turnstile

READY, LEASED, WAITING, HELD = range(4)

_ANY_READY = "SELECT 1 FROM head WHERE state = 0 AND destination = ? LIMIT 1"
_READY = """
SELECT key, next FROM head WHERE state = 0 AND destination = ? AND lane = ?
ORDER BY due, key LIMIT ?
"""
# The correlated bound is the sixteenth leg of the key, found in the primary key.
_LEGS = f"""
SELECT l.key, l.seq, l.tries, l.lane, l.route, l.record, l.ordinal
FROM json_each(?1) AS j CROSS JOIN leg AS l
 ON l.destination = ?2 AND l.key = json_extract(j.value, '$[0]')
 AND l.seq BETWEEN json_extract(j.value, '$[1]') AND min(json_extract(j.value, '$[2]'), ifnull((
  SELECT x.seq FROM leg AS x WHERE x.destination = ?2 AND x.key = json_extract(j.value, '$[0]')
   AND x.seq >= json_extract(j.value, '$[1]') ORDER BY x.seq LIMIT 1 OFFSET {LEGS_PER_KEY - 1}
 ), json_extract(j.value, '$[2]')))
"""  # noqa: S608 - a number
_LEASE = """
UPDATE head SET state = 1, wake = ?3, token = ?4, last = v.last FROM (
 SELECT json_extract(value, '$[0]') AS key, json_extract(value, '$[1]') AS last FROM json_each(?1)
) AS v WHERE head.destination = ?2 AND head.key = v.key
"""
_STILL_LEASED = """
SELECT key, next, last FROM head
WHERE state IN (1, 2) AND wake = ? AND state = 1 AND token = ? AND destination = ?
ORDER BY lane, due, key
"""
_NO_END = (1 << 62) - 1
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


def lease(
    connection: sqlite3.Connection,
    turnstile: Turnstile,
    messages: Messages,
    destination: str,
    *,
    limit: int,
    until: datetime,
    owner: str,
) -> Lease | None:
    """Lease up to ``limit`` heads until then; ``None`` when none is ready."""
    if connection.execute(_ANY_READY, (destination,)).fetchone() is None:
        return None
    ends = microseconds(until)
    token = f"{owner}.{ends}"
    with transaction(connection, turnstile):
        ready = [
            connection.execute(_READY, (destination, lane, limit)).fetchall()
            for lane in range(LANES)
        ]
        shares = share([len(rows) for rows in ready], limit)
        chosen = [row for rows, count in zip(ready, shares, strict=True) for row in rows[:count]]
        legs = _legs(connection, destination, [(key, first, _NO_END) for key, first in chosen])
        last = {leg.key: leg.seq for leg in legs}
        connection.execute(_LEASE, (listed(last.items()), destination, ends, token))
    return _lease(connection, messages, destination, token, legs)


def held(
    connection: sqlite3.Connection, messages: Messages, destination: str, token: str
) -> Lease | None:
    """What is still unsettled of an earlier lease, in the same order; ``None`` for no such."""
    if not _TOKEN.fullmatch(token):  # it may come from outside
        return None
    heads = connection.execute(_STILL_LEASED, (_ends(token), token, destination)).fetchall()
    return _lease(connection, messages, destination, token, _legs(connection, destination, heads))


def _ends(token: str) -> int:
    return int(token.rpartition(".")[2])


def _legs(
    connection: sqlite3.Connection, destination: str, heads: Sequence[Row]
) -> list[_ClaimedLeg]:
    order = {head[0]: at for at, head in enumerate(heads)}
    rows = connection.execute(_LEGS, (listed(heads), destination)).fetchall()
    rows.sort(key=lambda row: (order[row[0]], row[1]))
    return [_ClaimedLeg(*row) for row in rows]


def _lease(
    connection: sqlite3.Connection,
    messages: Messages,
    destination: str,
    token: str,
    legs: Sequence[_ClaimedLeg],
) -> Lease | None:
    """The legs with their messages and bodies. Needs no lock: messages never change."""
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
