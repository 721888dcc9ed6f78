"""Unsettled legs for an operator: pages of them, and what is done to them by hand."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from gateway.core.deliveries import (
    AT_ONCE,
    TIMED,
    Acted,
    Chosen,
    Deed,
    Page,
    Position,
    Recorded,
    Shown,
    Unsettled,
    state_of,
)
from gateway.core.identifiers import MessageId
from gateway.core.records import LegState
from gateway.store.codec import Codec
from gateway.store.leaf import instant
from gateway.store.paging import Window, paging, position
from gateway.store.sqlite import standing
from gateway.store.sqlite.acts import carry_out
from gateway.store.sqlite.connection import snapshot, transaction
from gateway.store.sqlite.messages import Messages, Place
from gateway.store.sqlite.opening import Opened
from gateway.store.sqlite.rows import Row, listed

_COLUMNS = (
    "l.destination, l.key, l.seq, l.lane, l.due, l.record, l.ordinal, l.route, l.tries,"
    " h.state, l.seq = h.next, l.seq <= h.last, h.wake"
)
_HEADS = "CROSS JOIN head AS h ON h.destination = l.destination AND h.key = l.key"
_IN_ORDER = "ORDER BY l.destination, l.key, l.seq LIMIT ?"
_ALL = f"""
SELECT {_COLUMNS} FROM leg AS l {_HEADS}
WHERE (l.destination, l.key, l.seq) > (?, ?, ?) {_IN_ORDER}
"""  # noqa: S608 - constants
_OF_DESTINATION = f"""
SELECT {_COLUMNS} FROM leg AS l {_HEADS}
WHERE l.destination = ? AND (l.key, l.seq) > (?, ?) {_IN_ORDER}
"""  # noqa: S608 - constants
_OF_QUEUES = f"""
SELECT {_COLUMNS} FROM json_each(?) AS j CROSS JOIN leg AS l
 ON l.destination = json_extract(j.value, '$[0]') AND l.key = json_extract(j.value, '$[1]')
{_HEADS} WHERE (l.destination, l.key, l.seq) > (?, ?, ?) {_IN_ORDER}
"""  # noqa: S608 - constants
_BURIED = f"""
SELECT {_COLUMNS} FROM head AS h INDEXED BY head_held CROSS JOIN leg AS l
 ON l.destination = h.destination AND l.key = h.key AND l.seq = h.next
WHERE h.state = 3 AND (h.destination, h.next) > (?, ?) ORDER BY h.destination, h.next LIMIT ?
"""  # noqa: S608 - constants
_BURIED_OF_DESTINATION = f"""
SELECT {_COLUMNS} FROM head AS h INDEXED BY head_held CROSS JOIN leg AS l
 ON l.destination = h.destination AND l.key = h.key AND l.seq = h.next
WHERE h.state = 3 AND h.destination = ? AND h.next > ? ORDER BY h.next LIMIT ?
"""  # noqa: S608 - constants
# From one destination to the next through the primary key, whatever the number of heads.
_QUEUES_OF_VALUE = """
WITH RECURSIVE known(destination) AS (
 SELECT min(destination) FROM head
 UNION ALL
 SELECT (SELECT min(h.destination) FROM head AS h WHERE h.destination > known.destination)
 FROM known WHERE known.destination IS NOT NULL
)
SELECT k.destination, s.no FROM known AS k CROSS JOIN subject AS s
WHERE s.value = ? AND k.destination IS NOT NULL
"""
_QUEUES_OF_MESSAGE = """
SELECT planned.value, m.subject FROM message AS m CROSS JOIN json_each(m.destinations) AS planned
WHERE m.record = ? AND m.ordinal = ?
"""
_LAST_ATTEMPTS = """
SELECT a.record, a.ordinal, a.destination, a.at, a.code, a.detail
FROM json_each(?) AS j CROSS JOIN attempt AS a
 ON a.record = json_extract(j.value, '$[0]') AND a.ordinal = json_extract(j.value, '$[1]')
ORDER BY a.record, a.ordinal, a.no
"""
_PROCESSES = "SELECT process FROM attempt WHERE record = ? AND ordinal = ? ORDER BY no"


Walk = Callable[[Position], tuple[str, Row]]
_BEGINNING = Position("", 0, 0)


class SqliteDeliveries:
    """A :class:`gateway.core.deliveries.Deliveries`; ``touched`` is told who has got work."""

    def __init__(
        self, opened: Opened, *, process: str, touched: Callable[[Iterable[str]], None]
    ) -> None:
        self._opened = opened
        self._process = process
        self._touched = touched

    async def page(self, chosen: Chosen, *, after: str | None = None, limit: int = 100) -> Page:
        """See the protocol."""
        start = position(after, chosen)
        messages = self._opened.messages
        return await self._opened.read.run(lambda c: page(c, messages, chosen, start, limit))

    async def act(
        self,
        chosen: Chosen,
        deed: Deed,
        *,
        now: datetime,
        after: str | None = None,
        limit: int = AT_ONCE,
    ) -> Acted:
        """See the protocol."""
        found = await self.page(chosen, after=after, limit=min(limit, AT_ONCE))
        if not found.legs:
            return Acted(next=found.next)

        def job(connection: sqlite3.Connection) -> tuple[Acted, frozenset[str]]:
            with transaction(connection, self._opened.turnstile):
                return carry_out(connection, found, deed, now=now, process=self._process)

        acted, ready = await self._opened.dispatch.run(job)
        self._touched(ready)
        return acted

    async def show(self, message: MessageId) -> Shown | None:
        """See the protocol."""
        opened = self._opened
        return await opened.read.run(lambda c: show(c, opened.messages, opened.codec, message))


def page(
    connection: sqlite3.Connection,
    messages: Messages,
    chosen: Chosen,
    after: Position | None,
    limit: int,
) -> Page:
    """A page of unsettled legs, out of one state of the store."""
    with snapshot(connection):
        walk = _walk(connection, messages, chosen)
        steps = paging(chosen, after, limit)
        at, size = next(steps)
        while True:
            statement, given = walk(at or _BEGINNING)
            rows = connection.execute(statement, (*given, size)).fetchall()
            try:
                at, size = steps.send(_window(connection, messages, chosen, rows))
            except StopIteration as over:
                found: Page = over.value
                return found


def _walk(connection: sqlite3.Connection, messages: Messages, chosen: Chosen) -> Walk:
    """The way to the chosen ones with the least looking: a statement, and what it is given."""
    name = chosen.destination
    if chosen.message is not None or chosen.key is not None:
        queues = listed(_queues(connection, messages, chosen))
        return lambda at: (_OF_QUEUES, (queues, at.destination, at.queue, at.seq))
    if chosen.states == {LegState.BURIED}:
        if name is None:
            return lambda at: (_BURIED, (at.destination, at.seq))
        return lambda at: (_BURIED_OF_DESTINATION, (name, at.seq))
    if name is None:
        return lambda at: (_ALL, (at.destination, at.queue, at.seq))
    return lambda at: (_OF_DESTINATION, (name, at.queue, at.seq))


def _queues(connection: sqlite3.Connection, messages: Messages, chosen: Chosen) -> list[Row]:
    """Destinations and keys of the one message or value that is asked for."""
    if chosen.message is None:
        return connection.execute(_QUEUES_OF_VALUE, (chosen.key,)).fetchall()
    place = messages.place(chosen.message)
    return [] if place is None else connection.execute(_QUEUES_OF_MESSAGE, place).fetchall()


def _window(
    connection: sqlite3.Connection, messages: Messages, chosen: Chosen, rows: Sequence[Row]
) -> Window:
    if not rows:
        return Window(0, None, ())
    likely = []
    for row in rows:
        state = state_of(row[9], first=bool(row[10]), within_lease=bool(row[11]))
        if chosen.may_hold(state=state, route=row[7], lane=row[3]):
            likely.append((row, state))
    places = {(row[5], row[6]) for row, _ in likely}
    found = messages.read(connection, places, bodies=False) if places else {}
    last = _last_attempts(connection, places)
    legs = []
    for row, state in likely:
        message = found[row[5], row[6]]
        at, code, detail = last.get((row[5], row[6], row[0]), (None, "", ""))
        legs.append(
            Unsettled(
                destination=row[0],
                queue=row[1],
                seq=row[2],
                message_id=message.message_id,
                state=state,
                kind=message.kind,
                party=message.party,
                interchange_id=message.interchange_id,
                key=message.key,
                route=row[7],
                lane=row[3],
                due=instant(row[4]),
                accepted_at=message.accepted_at,
                tries=row[8],
                wake=instant(row[12]) if state in TIMED else None,
                at=None if at is None else instant(at),
                code=code,
                detail=detail,
            )
        )
    end = rows[-1]
    return Window(len(rows), Position(end[0], end[1], end[2]), tuple(legs))


def _last_attempts(
    connection: sqlite3.Connection, places: Iterable[Place]
) -> dict[tuple[int, int, str], tuple[int, str, str]]:
    rows = connection.execute(_LAST_ATTEMPTS, (listed(places),))
    return {(record, ordinal, name): (at, *said) for record, ordinal, name, at, *said in rows}


def show(
    connection: sqlite3.Connection, messages: Messages, codec: Codec, message: MessageId
) -> Shown | None:
    """A message with its legs and attempts; ``None`` for one that is not of this journal."""
    place = messages.place(message)
    if place is None:
        return None
    with snapshot(connection):
        found = messages.read(connection, (place,), bodies=False).get(place)
        if found is None:
            return None
        made = standing.attempts(connection, codec, (place,))
        processes = [name for (name,) in connection.execute(_PROCESSES, place)]
        return Shown(
            message=found,
            legs=standing.legs(connection, messages, made)[place],
            attempts=tuple(
                Recorded(attempt, process)
                for attempt, process in zip(made[place], processes, strict=True)
            ),
        )
