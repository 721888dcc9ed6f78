"""Unsettled legs for an operator: pages of them, and what is done to them by hand."""

from __future__ import annotations

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
from gateway.store.leaf import instant
from gateway.store.paging import Window, paging, position
from gateway.store.postgres import standing
from gateway.store.postgres.acts import carry_out
from gateway.store.postgres.connection import Connection, Row, columns
from gateway.store.postgres.messages import Messages
from gateway.store.postgres.opening import Opened
from gateway.store.postgres.rows import Place, split

# A head's next is 0 as long as none of its legs was settled; only one that waits or is held is
# asked which leg is first, and it has been settled.
_COLUMNS = (
    "l.destination, l.key, l.seq, l.lane, l.due, l.record, l.ordinal, l.route, l.tries,"
    " h.state, l.seq = h.next, l.seq <= h.last, h.wake"
)
_HEADS = "JOIN head AS h ON h.destination = l.destination AND h.key = l.key"
_IN_ORDER = "ORDER BY l.destination, l.key, l.seq"
_ALL = f"""
SELECT {_COLUMNS} FROM leg AS l {_HEADS}
WHERE (l.destination, l.key, l.seq) > ($1, $2::bigint, $3::bigint) {_IN_ORDER} LIMIT $4
"""  # noqa: S608 - constants
_OF_DESTINATION = f"""
SELECT {_COLUMNS} FROM leg AS l {_HEADS}
WHERE l.destination = $1 AND (l.key, l.seq) > ($2::bigint, $3::bigint) {_IN_ORDER} LIMIT $4
"""  # noqa: S608 - constants
_OF_QUEUES = f"""
SELECT {_COLUMNS} FROM unnest($1::text[], $2::bigint[]) AS j(destination, key)
JOIN leg AS l ON l.destination = j.destination AND l.key = j.key {_HEADS}
WHERE (l.destination, l.key, l.seq) > ($3, $4::bigint, $5::bigint) {_IN_ORDER} LIMIT $6
"""  # noqa: S608 - constants
_OF_HEAD = "JOIN leg AS l ON l.destination = h.destination AND l.key = h.key AND l.seq = h.next"
_HELD = f"""
SELECT {_COLUMNS} FROM head AS h {_OF_HEAD}
WHERE h.state = 3 AND (h.destination, h.next) > ($1, $2::bigint)
ORDER BY h.destination, h.next LIMIT $3
"""  # noqa: S608 - constants
_HELD_OF_DESTINATION = f"""
SELECT {_COLUMNS} FROM head AS h {_OF_HEAD}
WHERE h.state = 3 AND h.destination = $1 AND h.next > $2 ORDER BY h.next LIMIT $3
"""  # noqa: S608 - constants
# From one destination to the next through the primary key, whatever the number of heads.
_QUEUES_OF_VALUE = """
WITH RECURSIVE known(destination) AS (
 (SELECT destination FROM head ORDER BY destination LIMIT 1)
 UNION ALL
 SELECT (SELECT h.destination FROM head AS h WHERE h.destination > known.destination
  ORDER BY h.destination LIMIT 1)
 FROM known WHERE known.destination IS NOT NULL
)
SELECT k.destination, s.no FROM known AS k CROSS JOIN subject AS s
WHERE s.value = $1 AND k.destination IS NOT NULL
"""
_QUEUES_OF_MESSAGE = """
SELECT unnest(destinations), subject FROM message WHERE record = $1 AND ordinal = $2
"""
_LAST_ATTEMPTS = """
SELECT DISTINCT ON (a.record, a.ordinal, a.destination)
 a.record, a.ordinal, a.destination, a.at, a.code, a.detail
FROM unnest($1::bigint[], $2::bigint[]) AS j(record, ordinal)
JOIN attempt AS a ON a.record = j.record AND a.ordinal = j.ordinal
WHERE a.record = ANY ($1) ORDER BY a.record, a.ordinal, a.destination, a.no DESC
"""
_PROCESSES = "SELECT process FROM attempt WHERE record = $1 AND ordinal = $2 ORDER BY no"
_BEGINNING = Position("", 0, 0)

Walk = Callable[[Position], tuple[str, Row]]


class PostgresDeliveries:
    """A :class:`gateway.core.deliveries.Deliveries` in the database of the journal."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened

    async def page(self, chosen: Chosen, *, after: str | None = None, limit: int = 100) -> Page:
        """See the protocol."""
        start = position(after, chosen)
        async with self._opened.read.transaction(isolation="repeatable_read") as connection:
            return await page(connection, self._opened.messages, chosen, start, limit)

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
        process = self._opened.member.name
        async with self._opened.write.transaction() as connection:
            acted, ready = await carry_out(connection, found, deed, now=now, process=process)
        if ready:
            self._opened.listener.touched(ready)
        return acted

    async def show(self, message: MessageId) -> Shown | None:
        """See the protocol."""
        messages, codec = self._opened.messages, self._opened.codec
        place = messages.place(message)
        if place is None:
            return None
        async with self._opened.read.transaction(isolation="repeatable_read") as connection:
            found = (await messages.read(connection, (place,), bodies=False)).get(place)
            if found is None:
                return None
            made = await standing.attempts(connection, codec, (place,))
            processes = [row[0] for row in await connection.fetch(_PROCESSES, *place)]
            legs = await standing.legs(connection, messages, made)
        recorded = zip(made[place], processes, strict=True)
        return Shown(
            message=found,
            legs=legs[place],
            attempts=tuple(Recorded(attempt, process) for attempt, process in recorded),
        )


async def page(
    connection: Connection,
    messages: Messages,
    chosen: Chosen,
    after: Position | None,
    limit: int,
) -> Page:
    """A page of unsettled legs, out of one state of the store."""
    walk = await _walk(connection, messages, chosen)
    steps = paging(chosen, after, limit)
    at, size = next(steps)
    while True:
        statement, given = walk(at or _BEGINNING)
        rows = await connection.fetch(statement, *given, size)
        try:
            at, size = steps.send(await _window(connection, messages, chosen, rows))
        except StopIteration as over:
            found: Page = over.value
            return found


async def _walk(connection: Connection, messages: Messages, chosen: Chosen) -> Walk:
    """The way to the chosen ones with the least looking: a statement, and what it is given."""
    name = chosen.destination
    if chosen.message is not None or chosen.key is not None:
        queues = columns(await _queues(connection, messages, chosen), 2)
        return lambda at: (_OF_QUEUES, (*queues, at.destination, at.queue, at.seq))
    if chosen.states == {LegState.BURIED}:
        if name is None:
            return lambda at: (_HELD, (at.destination, at.seq))
        return lambda at: (_HELD_OF_DESTINATION, (name, at.seq))
    if name is None:
        return lambda at: (_ALL, (at.destination, at.queue, at.seq))
    return lambda at: (_OF_DESTINATION, (name, at.queue, at.seq))


async def _queues(connection: Connection, messages: Messages, chosen: Chosen) -> Sequence[Row]:
    """Destinations and keys of the one message or value that is asked for."""
    if chosen.message is None:
        return await connection.fetch(_QUEUES_OF_VALUE, chosen.key)
    place = messages.place(chosen.message)
    return [] if place is None else await connection.fetch(_QUEUES_OF_MESSAGE, *place)


async def _window(
    connection: Connection, messages: Messages, chosen: Chosen, rows: Sequence[Row]
) -> Window:
    if not rows:
        return Window(0, None, ())
    likely = []
    for row in rows:
        state = state_of(row[9], first=bool(row[10]), within_lease=bool(row[11]))
        if chosen.may_hold(state=state, route=row[7], lane=row[3]):
            likely.append((row, state))
    places = sorted({(row[5], row[6]) for row, _ in likely})
    found = await messages.read(connection, places, bodies=False)
    last = await _last_attempts(connection, places)
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


async def _last_attempts(
    connection: Connection, places: Iterable[Place]
) -> dict[tuple[int, int, str], tuple[int, str, str]]:
    rows = await connection.fetch(_LAST_ATTEMPTS, *split(list(places)))
    return {(row[0], row[1], row[2]): (row[3], row[4], row[5]) for row in rows}
