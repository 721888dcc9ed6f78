"""Awaited answers on a plain dictionary."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gateway.core.awaiting import (
    AT_ONCE,
    COUNTED,
    Asked,
    Awaited,
    AwaitedCount,
    AwaitedPage,
    answers,
)
from gateway.core.records import Escalation, Expected, PlannedMessage, Settlement, StoredMessage
from gateway.store.awaiting import Turn, ended, page_of, window
from gateway.store.leaf import microseconds
from gateway.store.memory.queue import Place

_NEVER = datetime.min.replace(tzinfo=UTC)
_Key = tuple[int, int, str, int]


@dataclass(slots=True)
class _Row:
    message: StoredMessage
    expected: Expected
    delivered_at: datetime | None = None
    due: datetime | None = None
    escalated_at: datetime | None = None
    claimed_until: datetime = _NEVER


class MemoryAwaiting:
    """A :class:`gateway.core.awaiting.Awaiting`, told by the journal what happens to messages."""

    def __init__(self) -> None:
        self._rows: dict[_Key, _Row] = {}

    def awaits(self, place: Place) -> bool:
        """Whether an answer to a message is awaited."""
        return any(key[:2] == place for key in self._rows)

    def taken(self, message: StoredMessage, planned: PlannedMessage) -> None:
        """Await what a new message expects, and no longer what it answers."""
        for leg in planned.legs:
            for n, expected in enumerate(leg.expects):
                key = (int(message.record), message.ordinal, leg.destination, n)
                self._rows[key] = _Row(message, expected)
        author = message.on_behalf_of or message.party
        for key, row in list(self._rows.items()):
            mine = key[:2] == planned.key_of and row.expected.party == author
            if mine and answers(row.expected.answers, message.kind):
                del self._rows[key]

    def settled(
        self,
        destination: str,
        settlements: Iterable[Settlement],
        keys: Container[int],
        *,
        now: datetime,
    ) -> None:
        """Deliveries of keys under lease: the time of what is expected of them begins."""
        delivered, skipped = ended(settlements, keys)
        self.dropped(destination, skipped)
        for key, row in self._rows.items():
            if key[:2] in delivered and key[2] == destination and row.due is None:
                row.delivered_at = now
                row.due = now + timedelta(seconds=row.expected.within)

    def dropped(self, destination: str, places: Iterable[Place]) -> None:
        """Await nothing of messages that will never be delivered there."""
        wanted = set(places)
        for key in [k for k in self._rows if k[:2] in wanted and k[2] == destination]:
            del self._rows[key]

    def _timed(self) -> list[tuple[Turn, _Row]]:
        return sorted(
            (
                (Turn(microseconds(row.due), *key), row)
                for key, row in self._rows.items()
                if row.due is not None
            ),
            key=lambda pair: pair[0],
        )

    async def page(
        self, asked: Asked, *, now: datetime, after: str | None = None, limit: int = 100
    ) -> AwaitedPage:
        """See the protocol."""
        start, size = Turn.of(after), window(asked, limit)
        rest = [(turn, _awaited(turn, row)) for turn, row in self._timed() if turn > start]
        return page_of(rest[:size], asked, now=now, limit=limit, size=size)

    async def counts(self, *, now: datetime) -> tuple[AwaitedCount, ...]:
        """See the protocol."""
        found: dict[tuple[str, str], list[bool]] = {}
        for turn, row in self._timed():
            pair = (turn.destination, row.message.kind)
            found.setdefault(pair, []).append(row.due is not None and row.due <= now)
        return tuple(
            AwaitedCount(
                destination=destination,
                kind=kind,
                awaited=min(len(overdue), COUNTED),
                overdue=min(sum(overdue), COUNTED),
            )
            for (destination, kind), overdue in sorted(found.items())
        )

    async def claim(
        self, *, now: datetime, seconds: float, limit: int = AT_ONCE
    ) -> tuple[Awaited, ...]:
        """See the protocol."""
        free = [
            (turn, row)
            for turn, row in self._timed()
            if row.due is not None
            and row.due <= now
            and row.escalated_at is None
            and row.expected.escalate is not Escalation.NONE
            and row.claimed_until <= now
        ][:limit]
        for _, row in free:
            row.claimed_until = now + timedelta(seconds=seconds)
        return tuple(_awaited(turn, row) for turn, row in free)

    async def escalated(self, answers: Sequence[Awaited], *, now: datetime) -> None:
        """See the protocol."""
        said = {(one.message_id, one.destination, one.n) for one in answers}
        for (_, _, destination, n), row in self._rows.items():
            if (row.message.message_id, destination, n) in said:
                row.escalated_at = now

    async def give_up(self, *, due_before: datetime, limit: int = AT_ONCE) -> int:
        """See the protocol."""
        over = [
            turn for turn, row in self._timed() if row.due is not None and row.due < due_before
        ][:limit]
        for turn in over:
            del self._rows[turn.record, turn.ordinal, turn.destination, turn.n]
        return len(over)


def _awaited(turn: Turn, row: _Row) -> Awaited:
    assert row.delivered_at is not None  # what is timed was delivered
    assert row.due is not None
    return Awaited(
        message_id=row.message.message_id,
        destination=turn.destination,
        n=turn.n,
        party=row.expected.party,
        kind=row.message.kind,
        answers=row.expected.answers,
        escalate=row.expected.escalate,
        delivered_at=row.delivered_at,
        due=row.due,
        escalated_at=row.escalated_at,
    )
