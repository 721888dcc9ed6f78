"""Answers that are awaited, as they are listed, counted and escalated."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from gateway.core.awaiting import AT_ONCE, COUNTED, Asked, Awaited, AwaitedCount, AwaitedPage
from gateway.core.identifiers import resolve
from gateway.core.records import Escalation
from gateway.store.awaiting import Turn, page_of, window
from gateway.store.leaf import instant, microseconds
from gateway.store.postgres.connection import Row, columns
from gateway.store.postgres.messages import Messages
from gateway.store.postgres.opening import Opened
from trust.identity import PartyId

_COLUMNS = (
    "due, record, ordinal, destination, n, party, kind, answers, escalate, delivered_at,"
    " escalated_at"
)
_IN_TIME = f"""
SELECT {_COLUMNS} FROM awaited
WHERE due IS NOT NULL AND (due, record, ordinal, destination, n)
 > ($1::bigint, $2::bigint, $3::bigint, $4, $5::integer)
ORDER BY due, record, ordinal, destination, n LIMIT $6
"""  # noqa: S608 - constants
_NEXT_PAIR = """
SELECT destination, kind FROM awaited
WHERE due IS NOT NULL AND (destination, kind) > ($1, $2) ORDER BY destination, kind LIMIT 1
"""
_COUNT = f"""
SELECT count(*) FROM (SELECT 1 FROM awaited
 WHERE due IS NOT NULL AND destination = $1 AND kind = $2 AND due <= $3 LIMIT {COUNTED}) AS found
"""  # noqa: S608 - a number
_CLAIM = f"""
UPDATE awaited SET claimed_until = $2 WHERE ctid = ANY (ARRAY(
 SELECT ctid FROM awaited
 WHERE escalated_at IS NULL AND escalate <> 'none' AND due IS NOT NULL AND due <= $1
 AND claimed_until <= $1
 ORDER BY due LIMIT {{limit}} FOR UPDATE SKIP LOCKED))
RETURNING {_COLUMNS}
"""  # noqa: S608 - constants
_SAID = """
UPDATE awaited AS a SET escalated_at = $5
FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::integer[])
 AS j(record, ordinal, destination, n)
WHERE a.record = j.record AND a.ordinal = j.ordinal AND a.destination = j.destination AND a.n = j.n
"""
_GIVE_UP = """
DELETE FROM awaited WHERE ctid = ANY (ARRAY(
 SELECT ctid FROM awaited WHERE due IS NOT NULL AND due < $1
 ORDER BY due LIMIT {limit} FOR UPDATE SKIP LOCKED))
RETURNING 1
"""
_EVER = 1 << 62

_kinds = msgspec.json.Decoder(tuple[str, ...])


class PostgresAwaiting:
    """A :class:`gateway.core.awaiting.Awaiting` in the journal's database."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._messages = opened.messages

    async def page(
        self, asked: Asked, *, now: datetime, after: str | None = None, limit: int = 100
    ) -> AwaitedPage:
        """See the protocol."""
        start, size = Turn.of(after), window(asked, limit)
        place = (start.due, start.record, start.ordinal, start.destination, start.n)
        async with self._opened.read.connection() as connection:
            rows = await connection.fetch(_IN_TIME, *place, size)
        looked = [(Turn(*tuple(row)[:5]), _awaited(self._messages, row)) for row in rows]
        return page_of(looked, asked, now=now, limit=limit, size=size)

    async def counts(self, *, now: datetime) -> tuple[AwaitedCount, ...]:
        """See the protocol."""
        at = microseconds(now)
        counts: list[AwaitedCount] = []
        async with self._opened.read.transaction(isolation="repeatable_read") as connection:
            destination = kind = ""
            while (pair := await connection.fetchrow(_NEXT_PAIR, destination, kind)) is not None:
                destination, kind = pair
                awaited = await connection.fetchval(_COUNT, destination, kind, _EVER)
                overdue = await connection.fetchval(_COUNT, destination, kind, at)
                counts.append(
                    AwaitedCount(
                        destination=destination, kind=kind, awaited=awaited, overdue=overdue
                    )
                )
        return tuple(counts)

    async def claim(
        self, *, now: datetime, seconds: float, limit: int = AT_ONCE
    ) -> tuple[Awaited, ...]:
        """See the protocol."""
        at = microseconds(now)
        async with self._opened.write.connection() as connection:
            rows = await connection.fetch(
                _CLAIM.format(limit=int(limit)), at, at + int(seconds * 1_000_000)
            )
        return tuple(_awaited(self._messages, row) for row in sorted(map(tuple, rows)))

    async def escalated(self, answers: Sequence[Awaited], *, now: datetime) -> None:
        """See the protocol."""
        keys: list[Row] = []
        for one in answers:
            address = resolve(one.message_id)
            assert address is not None  # the store itself has made the id
            keys.append((int(address[1]), address[2], one.destination, one.n))
        if keys:
            async with self._opened.write.connection() as connection:
                await connection.execute(_SAID, *columns(sorted(keys), 4), microseconds(now))

    async def give_up(self, *, due_before: datetime, limit: int = AT_ONCE) -> int:
        """See the protocol."""
        async with self._opened.write.connection() as connection:
            statement = _GIVE_UP.format(limit=int(limit))
            return len(await connection.fetch(statement, microseconds(due_before)))


def _awaited(messages: Messages, row: Row) -> Awaited:
    due, record, ordinal, destination, n, party, kind, kinds, escalate, delivered_at, said = row
    return Awaited(
        message_id=messages.id(record, ordinal),
        destination=destination,
        n=n,
        party=PartyId(party),
        kind=kind,
        answers=_kinds.decode(kinds),
        escalate=Escalation(escalate),
        delivered_at=instant(delivered_at),
        due=instant(due),
        escalated_at=None if said is None else instant(said),
    )
