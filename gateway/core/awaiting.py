"""Answers that are awaited: what was delivered and has no answer yet, and what is overdue.

An answer is awaited from the commit of the message on, so that one that comes before the delivery
is settled counts; its time begins with the delivery. It is over with the first message that regards
it, of an expected kind and from the party that was to answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Protocol

import msgspec

from gateway.core.identifiers import MessageId
from gateway.core.records import Escalation
from trust.identity import PartyId

COUNTED = 100_000
"""Answers that are counted of one destination and kind; there may be more."""
LOOKED_AT = 5_000
"""Answers that one page looks at, at most: it may then be short, and says where to go on."""
AT_ONCE = 200
"""Answers that are escalated, or given up, together."""


class Awaited(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One answer that has not come. ``n`` counts what is expected of one delivery, from 0.

    ``kind`` is that of the message that was delivered, ``answers`` are the kinds that answer it.
    """

    message_id: MessageId
    destination: str
    n: int
    party: PartyId
    kind: str
    answers: tuple[str, ...]
    escalate: Escalation
    delivered_at: datetime
    due: datetime
    escalated_at: datetime | None = None


class Asked(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """Which awaited answers are meant: all that is set must hold; ``kind`` may be a glob."""

    destination: str | None = None
    party: PartyId | None = None
    kind: str | None = None
    overdue: bool = True
    """Only those whose time is over."""

    def holds(self, awaited: Awaited, *, now: datetime) -> bool:
        """True when the answer is one of those that are meant."""
        return (
            self.destination in (None, awaited.destination)
            and self.party in (None, awaited.party)
            and (self.kind is None or fnmatchcase(awaited.kind, self.kind))
            and (not self.overdue or awaited.due <= now)
        )


class AwaitedPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some of the answers asked for; ``next`` is the cursor to go on with, ``None`` at the end."""

    answers: tuple[Awaited, ...]
    next: str | None = None


class AwaitedCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many answers of one destination and kind are awaited, and how many of these overdue.

    Both at most :data:`COUNTED`.
    """

    destination: str
    kind: str
    awaited: int
    overdue: int


class Awaiting(Protocol):
    """What a store offers about answers that have not come. Deliveries under way do not count."""

    async def page(
        self, asked: Asked, *, now: datetime, after: str | None = None, limit: int = 100
    ) -> AwaitedPage:
        """Up to ``limit`` of those asked for, the longest overdue first.

        Raises ``ValueError`` for a cursor that is none.
        """

    async def counts(self, *, now: datetime) -> tuple[AwaitedCount, ...]:
        """By destination and kind, in this order."""

    async def claim(
        self, *, now: datetime, seconds: float, limit: int = AT_ONCE
    ) -> tuple[Awaited, ...]:
        """Overdue answers to escalate now; nobody else gets them for so long."""

    async def escalated(self, answers: Sequence[Awaited], *, now: datetime) -> None:
        """What was claimed has been told; it is never claimed again."""

    async def give_up(self, *, due_before: datetime, limit: int = AT_ONCE) -> int:
        """Wait no longer for what was due before then; how many. Call again while some were."""


def answers(kinds: Sequence[str], kind: str) -> bool:
    """Whether a message of ``kind`` is an answer of one of these kinds."""
    return any(fnmatchcase(kind, glob) for glob in kinds)
