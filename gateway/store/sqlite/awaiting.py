"""Answers that are awaited, as they are listed, counted and escalated."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime

import msgspec

from gateway.core.awaiting import (
    AT_ONCE,
    COUNTED,
    Asked,
    Awaited,
    AwaitedCount,
    AwaitedPage,
)
from gateway.core.identifiers import resolve
from gateway.core.records import Escalation
from gateway.store.awaiting import Turn, page_of, window
from gateway.store.leaf import instant, microseconds
from gateway.store.sqlite.connection import snapshot, transaction
from gateway.store.sqlite.messages import Messages
from gateway.store.sqlite.opening import Opened
from gateway.store.sqlite.rows import Row, listed
from trust.identity import PartyId

_COLUMNS = (
    "due, record, ordinal, destination, n, party, kind, answers, escalate, delivered_at,"
    " escalated_at"
)
_IN_TIME = f"""
SELECT {_COLUMNS} FROM awaited INDEXED BY awaited_due
WHERE due IS NOT NULL AND (due, record, ordinal, destination, n) > (?, ?, ?, ?, ?)
ORDER BY due, record, ordinal, destination, n LIMIT ?
"""  # noqa: S608 - constants
_NEXT_PAIR = """
SELECT destination, kind FROM awaited INDEXED BY awaited_of
WHERE due IS NOT NULL AND (destination, kind) > (?, ?) ORDER BY destination, kind LIMIT 1
"""
_COUNT = f"""
SELECT count(*) FROM (SELECT 1 FROM awaited INDEXED BY awaited_of
 WHERE due IS NOT NULL AND destination = ? AND kind = ? AND due <= ? LIMIT {COUNTED})
"""  # noqa: S608 - a number
_CLAIM = f"""
UPDATE awaited SET claimed_until = ?2 WHERE (record, ordinal, destination, n) IN (
 SELECT record, ordinal, destination, n FROM awaited INDEXED BY awaited_unsaid
 WHERE escalated_at IS NULL AND escalate <> 'none' AND due IS NOT NULL AND due <= ?1
 AND claimed_until <= ?1
 ORDER BY due LIMIT ?3)
RETURNING {_COLUMNS}
"""  # noqa: S608 - constants
_SAID = """
UPDATE awaited SET escalated_at = ?1 WHERE (record, ordinal, destination, n) IN (
 SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
  json_extract(value, '$[3]') FROM json_each(?2))
"""
_COUNT_UNSAID = """
SELECT 1 FROM awaited INDEXED BY awaited_unsaid
WHERE escalated_at IS NULL AND escalate <> 'none' AND due IS NOT NULL AND due <= ?
AND claimed_until <= ? LIMIT 1
"""
_ANY_BEFORE = """
SELECT 1 FROM awaited INDEXED BY awaited_due WHERE due IS NOT NULL AND due < ? LIMIT 1
"""
_GIVE_UP = """
DELETE FROM awaited WHERE (record, ordinal, destination, n) IN (
 SELECT record, ordinal, destination, n FROM awaited INDEXED BY awaited_due
 WHERE due IS NOT NULL AND due < ? ORDER BY due LIMIT ?)
"""
_EVER = 1 << 62

_kinds = msgspec.json.Decoder(tuple[str, ...])


class SqliteAwaiting:
    """A :class:`gateway.core.awaiting.Awaiting` in the journal's file."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._messages = opened.messages

    async def page(
        self, asked: Asked, *, now: datetime, after: str | None = None, limit: int = 100
    ) -> AwaitedPage:
        """See the protocol."""
        start, size = Turn.of(after), window(asked, limit)

        def job(connection: sqlite3.Connection) -> AwaitedPage:
            rows = connection.execute(_IN_TIME, (*_key(start), size)).fetchall()
            looked = [(Turn(*row[:5]), _awaited(self._messages, row)) for row in rows]
            return page_of(looked, asked, now=now, limit=limit, size=size)

        return await self._opened.read.run(job)

    async def counts(self, *, now: datetime) -> tuple[AwaitedCount, ...]:
        """See the protocol."""
        return await self._opened.read.run(lambda c: _counts(c, microseconds(now)))

    async def claim(
        self, *, now: datetime, seconds: float, limit: int = AT_ONCE
    ) -> tuple[Awaited, ...]:
        """See the protocol."""
        at = microseconds(now)
        given = (at, at + int(seconds * 1_000_000), limit)

        def job(connection: sqlite3.Connection) -> list[Row]:
            if connection.execute(_COUNT_UNSAID, (at, at)).fetchone() is None:
                return []
            with transaction(connection, self._opened.turnstile):
                return connection.execute(_CLAIM, given).fetchall()

        rows = sorted(await self._opened.dispatch.run(job))
        return tuple(_awaited(self._messages, row) for row in rows)

    async def escalated(self, answers: Sequence[Awaited], *, now: datetime) -> None:
        """See the protocol."""
        keys = []
        for one in answers:
            address = resolve(one.message_id)
            assert address is not None  # the store itself has made the id
            keys.append((*address[1:], one.destination, one.n))

        def job(connection: sqlite3.Connection) -> None:
            with transaction(connection, self._opened.turnstile):
                connection.execute(_SAID, (microseconds(now), listed(keys)))

        if keys:
            await self._opened.dispatch.run(job)

    async def give_up(self, *, due_before: datetime, limit: int = AT_ONCE) -> int:
        """See the protocol."""
        at = microseconds(due_before)

        def job(connection: sqlite3.Connection) -> int:
            if connection.execute(_ANY_BEFORE, (at,)).fetchone() is None:
                return 0
            with transaction(connection, self._opened.turnstile):
                return connection.execute(_GIVE_UP, (at, limit)).rowcount

        return await self._opened.dispatch.run(job)


def _key(turn: Turn) -> Row:
    return turn.due, turn.record, turn.ordinal, turn.destination, turn.n


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


def _counts(connection: sqlite3.Connection, at: int) -> tuple[AwaitedCount, ...]:
    counts: list[AwaitedCount] = []
    with snapshot(connection):
        pair = ("", "")
        while (found := connection.execute(_NEXT_PAIR, pair).fetchone()) is not None:
            pair = found
            (awaited,) = connection.execute(_COUNT, (*pair, _EVER)).fetchone()
            (overdue,) = connection.execute(_COUNT, (*pair, at)).fetchone()
            counts.append(
                AwaitedCount(destination=pair[0], kind=pair[1], awaited=awaited, overdue=overdue)
            )
    return tuple(counts)
