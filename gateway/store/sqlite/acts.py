"""What an operator does to unsettled legs, within one write transaction."""

from __future__ import annotations

import sqlite3
from datetime import datetime

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
from gateway.store.sqlite import awaited
from gateway.store.sqlite.rows import Row, draw

_HEAD = "SELECT state, next, urgent FROM head WHERE destination = ? AND key = ?"
_TRIES = "SELECT tries FROM leg WHERE destination = ? AND key = ? AND seq = ?"
_STATE = """
UPDATE head SET state = ?, wake = 0, token = '' WHERE destination = ? AND key = ?
"""
_ANEW = "UPDATE leg SET tries = 0 WHERE destination = ? AND key = ? AND seq = ?"
_DELETE_LEG = "DELETE FROM leg WHERE destination = ? AND key = ? AND seq = ?"
_FIRST = "SELECT seq FROM leg WHERE destination = ? AND key = ? ORDER BY seq LIMIT 1"
_DELETE_HEAD = "DELETE FROM head WHERE destination = ? AND key = ?"
_NEXT = """
UPDATE head SET state = 0, wake = 0, token = '', next = ? WHERE destination = ? AND key = ?
"""
# The most urgent lane among the next legs, and the nearest time in it.
_URGENCY = f"""
UPDATE head SET urgent = 0, (lane, due) = (
 SELECT lane, min(due) FROM (
  SELECT lane, due FROM leg WHERE destination = ?1 AND key = ?2 AND seq >= head.next
  ORDER BY seq LIMIT {LOOK_AHEAD}
 ) GROUP BY lane ORDER BY lane LIMIT 1
) WHERE destination = ?1 AND key = ?2
"""  # noqa: S608 - a number
_ATTEMPT = """
INSERT INTO attempt
 (record, ordinal, no, destination, n, at, result, code, detail, dropped, process)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '[]', ?)
"""


def carry_out(
    connection: sqlite3.Connection, page: Page, deed: Deed, *, now: datetime, process: str
) -> tuple[Acted, frozenset[str]]:
    """Do it to the legs of a page, and tell which destinations have something ready by it.

    Each leg is judged as it stands now, not as it stood when the page was read.
    """
    done: list[tuple[Unsettled, int]] = []
    left: list[LeftOut] = []
    ready: set[str] = set()
    for leg in page.legs:
        queue = (leg.destination, leg.queue)
        row = connection.execute(_HEAD, queue).fetchone()
        tries = connection.execute(_TRIES, (*queue, leg.seq)).fetchone()
        why = (
            Why.GONE
            if row is None or tries is None
            else hindrance(deed.act, row[0], first=row[1] == leg.seq)
        )
        if why is not None:
            left.append(LeftOut(leg.message_id, leg.destination, why))
            continue
        done.append((leg, tries[0]))
        if _change(connection, leg, deed.act, row):
            ready.add(leg.destination)
    _log(connection, done, deed, now=now, process=process)
    touched = tuple(Touched(leg.message_id, leg.destination) for leg, _ in done)
    return Acted(done=touched, left_out=tuple(left), next=page.next), frozenset(ready)


def _change(connection: sqlite3.Connection, leg: Unsettled, act: Act, head: Row) -> bool:
    """Change the queue of a leg; whether it may be claimed now."""
    queue = (leg.destination, leg.queue)
    if act is Act.SKIP:
        return _skip(connection, leg, next_=head[1], urgent=head[2])
    if act is Act.RETRY:
        connection.execute(_ANEW, (*queue, leg.seq))
    connection.execute(_STATE, (READY if act is Act.RETRY else HELD, *queue))
    return act is Act.RETRY


def _skip(connection: sqlite3.Connection, leg: Unsettled, *, next_: int, urgent: int) -> bool:
    queue = (leg.destination, leg.queue)
    connection.execute(_DELETE_LEG, (*queue, leg.seq))
    awaited.dropped(connection, leg.destination, (_place(leg),))
    first = connection.execute(_FIRST, queue).fetchone()
    if first is None:
        connection.execute(_DELETE_HEAD, queue)
        return False
    if leg.seq == next_:
        connection.execute(_NEXT, (first[0], *queue))
    if first[0] > urgent or leg.seq == urgent:
        connection.execute(_URGENCY, queue)
    return leg.seq == next_


def _log(
    connection: sqlite3.Connection,
    done: list[tuple[Unsettled, int]],
    deed: Deed,
    *,
    now: datetime,
    process: str,
) -> None:
    if not done:
        return
    first = draw(connection, "attempt", len(done))
    rows = []
    for no, (leg, tries) in enumerate(done, first):
        rows.append(
            (
                *_place(leg),
                no,
                leg.destination,
                tries,
                microseconds(now),
                RESULTS[deed.act].value,
                deed.code,
                deed.detail,
                process,
            )
        )
    connection.executemany(_ATTEMPT, rows)


def _place(leg: Unsettled) -> tuple[int, int]:
    address = resolve(leg.message_id)
    assert address is not None  # the store itself has made the id
    return int(address[1]), address[2]
