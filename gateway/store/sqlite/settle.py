"""Settlements: what became of claimed legs, and where their heads stand after it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from gateway.core.records import Lease, Result, Settlement
from gateway.core.reports import Report
from gateway.store.accounts import READY, by_key, moved
from gateway.store.awaiting import ended
from gateway.store.codec import Codec
from gateway.store.contract import LOOK_AHEAD
from gateway.store.leaf import microseconds
from gateway.store.reports import pack_places
from gateway.store.sqlite import awaited, reports
from gateway.store.sqlite.rows import Row, draw, insert, listed

_NOWHERE = "[]"
"""What attempts from before have in ``dropped`` is in later ones part of their report."""

_HEADS = """
SELECT h.key, h.last, h.lane, h.due, h.urgent FROM json_each(?1) AS j CROSS JOIN head AS h
 ON h.destination = ?2 AND h.key = j.value WHERE h.state = 1 AND h.token = ?3
"""
_DELETE_LEGS = """
DELETE FROM leg WHERE destination = ?1 AND (key, seq) IN (
 SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?2))
"""
_FOLLOWING = """
SELECT j.value, (
 SELECT l.seq FROM leg AS l WHERE l.destination = ?1 AND l.key = j.value ORDER BY l.seq LIMIT 1
) FROM json_each(?2) AS j
"""
_DELETE_HEADS = """
DELETE FROM head WHERE destination = ?1 AND key IN (SELECT value FROM json_each(?2))
"""
# The most urgent lane among the next legs, and the nearest time in it.
_URGENCY = f"""
SELECT lane, min(due) FROM (
 SELECT lane, due FROM leg WHERE destination = ? AND key = ? AND seq >= ?
 ORDER BY seq LIMIT {LOOK_AHEAD}
) GROUP BY lane ORDER BY lane LIMIT 1
"""  # noqa: S608 - a number
_MOVE = """
UPDATE head SET state = ?, lane = ?, due = ?, wake = ?, token = ?, next = ?, last = ?, urgent = ?
WHERE destination = ? AND key = ?
"""
_TRIED = "UPDATE leg SET tries = tries + 1 WHERE destination = ? AND key = ? AND seq = ?"


def settle(
    connection: sqlite3.Connection,
    lease: Lease,
    settlements: Sequence[Settlement],
    *,
    now: datetime,
    process: str,
    codec: Codec,
) -> bool:
    """Apply settlements within a write transaction; whether some key is ready again by it.

    What is under another lease by now is logged as an attempt and changes nothing else. A leg that
    was to be retried or buried while one before it is unsettled comes again after that one.
    """
    _log(connection, settlements, now=now, process=process, codec=codec)
    accounts = by_key(settlements)
    destination = lease.destination
    heads = connection.execute(_HEADS, (listed(accounts), destination, lease.token)).fetchall()
    delivered, given_up = ended(settlements, {head[0] for head in heads})
    awaited.delivered(connection, destination, delivered, now=now)
    awaited.dropped(connection, destination, given_up)
    gone = [(key, seq) for key, *_ in heads for seq in accounts[key].done]
    if gone:
        connection.execute(_DELETE_LEGS, (destination, listed(gone)))
    following: dict[int, int | None] = dict(
        connection.execute(_FOLLOWING, (destination, listed(head[0] for head in heads)))
    )
    over = [key for key, seq in following.items() if seq is None]
    if over:
        connection.execute(_DELETE_HEADS, (destination, listed(over)))
    ready = False
    for head in heads:
        seq = following[head[0]]
        if seq is not None:
            state = _move(connection, lease, head, seq, accounts[head[0]].stopped, now=now)
            ready = ready or state == READY
    return ready


def _move(
    connection: sqlite3.Connection,
    lease: Lease,
    head: Row,
    seq: int,
    stopped: Settlement | None,
    *,
    now: datetime,
) -> int:
    """Put a head that has legs left where it belongs now; its new state."""
    key, last, lane, due, urgent = head
    state, wake, token, last, tried = moved(lease, stopped, seq=seq, last=last, now=now)
    if tried:
        connection.execute(_TRIED, (lease.destination, key, seq))
    if seq > urgent:
        urgent = 0
        lane, due = connection.execute(_URGENCY, (lease.destination, key, seq)).fetchone()
    place = (lease.destination, key)
    connection.execute(_MOVE, (state, lane, due, wake, token, seq, last, urgent, *place))
    return state


def _log(
    connection: sqlite3.Connection,
    settlements: Sequence[Settlement],
    *,
    now: datetime,
    process: str,
    codec: Codec,
) -> None:
    made = [s for s in settlements if s.result is not Result.RETURNED]
    if not made:
        return
    digests = [None if s.report is None else s.report.digest.hex() for s in made]
    numbers = reports.store(connection, _told(digests, made))
    first = draw(connection, "attempt", len(made))
    at = microseconds(now)
    insert(
        connection,
        "attempt",
        [
            (
                s.delivery.message.record,
                s.delivery.message.ordinal,
                no,
                s.delivery.destination,
                s.delivery.tries + 1,
                at,
                s.result.value,
                s.code,
                s.detail,
                _NOWHERE,
                None if s.evidence is None else codec.pack_token(s.evidence),
                process,
                None if digest is None else numbers[digest],
                None if s.report is None else pack_places(s.report, codec),
            )
            for no, (s, digest) in enumerate(zip(made, digests, strict=True), first)
        ],
    )


def _told(
    digests: Iterable[str | None], settlements: Iterable[Settlement]
) -> Iterator[tuple[str, Report]]:
    for digest, settlement in zip(digests, settlements, strict=True):
        if digest is not None and settlement.report is not None:
            yield digest, settlement.report
