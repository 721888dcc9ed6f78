"""Deliveries that are not settled, as an operator looks at them and acts on them.

One protocol for every store. An act is an attempt in the trace, so that the trace tells everything,
and touches nothing that is under lease: whoever is delivering it goes on undisturbed.
"""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Protocol

import msgspec

from gateway.core.identifiers import InterchangeId, MessageId
from gateway.core.records import Attempt, Leg, LegState, Result, StoredMessage, Subject
from trust.identity import PartyId

OPEN = frozenset({LegState.WAITING, LegState.LEASED, LegState.RETRYING, LegState.BURIED})
"""States of a leg that is not settled."""
TIMED = frozenset({LegState.LEASED, LegState.RETRYING})
"""States that end at a time."""
AT_ONCE = 500
"""Legs that one act concerns at most: it is one transaction, and others wait for it."""
LOOKED_AT = 20_000
"""Legs that one page looks at, at most: it may then be short, and says where to go on."""
LONGEST_REASON = 200
LONGEST_NAME = 64


class Chosen(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """Which unsettled legs are meant: all that is set must hold.

    ``code`` (of the last attempt) and ``kind`` may be globs. ``since`` (included) and ``until``
    (excluded) concern the last attempt, or acceptance where there was none. ``key`` is the value by
    which a message is ordered: item, order, declaration, indicator. Raises ``ValueError``.
    """

    destination: str | None = None
    states: frozenset[LegState] = OPEN
    since: datetime | None = None
    until: datetime | None = None
    code: str | None = None
    key: str | None = None
    kind: str | None = None
    route: str | None = None
    lane: int | None = None
    message: MessageId | None = None

    def __post_init__(self) -> None:
        if not self.states <= OPEN:
            raise ValueError(f"states are {', '.join(sorted(OPEN))}")
        if not self.states:
            raise ValueError("at least one state")
        for instant in (self.since, self.until):
            if instant is not None and instant.tzinfo is None:
                raise ValueError("times carry their offset")

    def may_hold(self, *, state: LegState, route: str, lane: int) -> bool:
        """False when what the queue alone tells of a leg rules it out."""
        return (
            state in self.states
            and self.route in (None, route)
            and (self.lane is None or self.lane == lane)
        )

    def holds(self, leg: Unsettled) -> bool:
        """True when the leg is one of those that are meant."""
        at = leg.at or leg.accepted_at
        return (
            self.may_hold(state=leg.state, route=leg.route, lane=leg.lane)
            and self.destination in (None, leg.destination)
            and self.message in (None, leg.message_id)
            and self.key in (None, leg.key.value)
            and (self.since is None or at >= self.since)
            and (self.until is None or at < self.until)
            and (self.code is None or fnmatchcase(leg.code, self.code))
            and (self.kind is None or fnmatchcase(leg.kind, self.kind))
        )


class Unsettled(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One leg that is not settled. ``queue`` and ``seq`` are its place in the store.

    ``wake``: when it is tried again, or when the lease over it ends. ``at``, ``code`` and
    ``detail`` are of the last attempt.
    """

    destination: str
    queue: int
    seq: int
    message_id: MessageId
    state: LegState
    kind: str
    party: PartyId
    interchange_id: InterchangeId
    key: Subject
    route: str
    lane: int
    due: datetime
    accepted_at: datetime
    tries: int = 0
    wake: datetime | None = None
    at: datetime | None = None
    code: str = ""
    detail: str = ""

    @property
    def position(self) -> Position:
        """Where a page that ends with it goes on."""
        return Position(self.destination, self.queue, self.seq)


class Position(msgspec.Struct, frozen=True, array_like=True, order=True):
    """A place among the unsettled legs."""

    destination: str
    queue: int
    seq: int

    @property
    def cursor(self) -> str:
        """The place as a text for whoever asks for the next page."""
        return base64.urlsafe_b64encode(msgspec.json.encode(self)).decode().rstrip("=")

    @staticmethod
    def of(cursor: str) -> Position:
        """The place that a cursor names; raises ``ValueError``."""
        try:
            padded = cursor + "=" * (-len(cursor) % 4)
            return msgspec.json.decode(base64.urlsafe_b64decode(padded), type=Position)
        except (binascii.Error, msgspec.DecodeError, UnicodeError) as error:
            raise ValueError("this cursor is none of ours") from error


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Some of the chosen legs; ``next`` is the cursor to go on with, ``None`` after the last.

    Those by state "buried" alone come by destination in order of acceptance, others by destination,
    key and order of acceptance. Short or empty with a ``next`` when many were looked at in vain.
    """

    legs: tuple[Unsettled, ...]
    next: str | None = None


class Act(StrEnum):
    """What an operator may do with unsettled legs."""

    RETRY = "retry"
    """Make a buried or retrying one ready now, with all its attempts before it again."""
    BURY = "bury"
    """Try one no more, until it is retried or skipped; later ones of its key wait for it."""
    SKIP = "skip"
    """Give one up for ever, so that later ones of its key go on."""


RESULTS = {Act.RETRY: Result.RELEASED, Act.BURY: Result.BURIED, Act.SKIP: Result.SKIPPED}
"""What an act is called among the attempts."""
AUTOMATIC = ""
CODES = {Act.RETRY: "operator.released", Act.BURY: "operator.buried", Act.SKIP: "operator.skipped"}


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """An act with its author and reason; ``automatic`` when no person has asked for it.

    Raises ``ValueError`` for a reason or name that is empty, too long or does not print.
    """

    act: Act
    by: str
    reason: str
    automatic: bool = False

    @property
    def code(self) -> str:
        """By what it is known among the attempts; parties see no details of such a code."""
        return AUTOMATIC if self.automatic else CODES[self.act]

    def __post_init__(self) -> None:
        for what, text, longest in (
            ("reason", self.reason, LONGEST_REASON),
            ("name", self.by, LONGEST_NAME),
        ):
            if not 0 < len(text) <= longest or not text.isprintable():
                raise ValueError(f"a {what} of 1 to {longest} printable characters is needed")

    @property
    def detail(self) -> str:
        """As it stands in the trace."""
        return (
            f"by {self.by}: {self.reason}"
            if self.automatic
            else (f"by hand ({self.by}): {self.reason}")
        )


class Why(StrEnum):
    """Why an act left a leg as it is."""

    LEASED = "it is being delivered"
    BEHIND = "an earlier one of its key comes first"
    READY = "it waits for its turn already"
    BURIED = "it is buried already"
    GONE = "it was settled meanwhile"


class Touched(msgspec.Struct, frozen=True):
    """One leg that an act has changed."""

    message_id: MessageId
    destination: str


class LeftOut(msgspec.Struct, frozen=True):
    """One leg that an act has left as it is."""

    message_id: MessageId
    destination: str
    why: Why


class Acted(msgspec.Struct, frozen=True, kw_only=True):
    """What one step of an act did; ``next`` is the cursor of the next step."""

    done: tuple[Touched, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    next: str | None = None


class Recorded(msgspec.Struct, frozen=True):
    """One attempt, or act of an operator, with the process that recorded it."""

    attempt: Attempt
    process: str


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A message with all its legs and everything that was tried; without its body."""

    message: StoredMessage
    legs: tuple[Leg, ...]
    attempts: tuple[Recorded, ...]


class Deliveries(Protocol):
    """What a store offers about deliveries that are not settled."""

    async def page(self, chosen: Chosen, *, after: str | None = None, limit: int = 100) -> Page:
        """Up to ``limit`` of the chosen legs after a cursor, of :data:`LOOKED_AT` looked at.

        Raises ``ValueError`` for a cursor that is none.
        """

    async def act(
        self,
        chosen: Chosen,
        deed: Deed,
        *,
        now: datetime,
        after: str | None = None,
        limit: int = AT_ONCE,
    ) -> Acted:
        """Do it to the next ``limit`` chosen legs after a cursor, in one transaction.

        What somebody else has changed meanwhile is left as it is and named: of two that retry the
        same at once, one does.
        """

    async def show(self, message: MessageId) -> Shown | None:
        """One message with its legs and attempts, also when all is settled."""


def hindrance(act: Act, head: int, *, first: bool) -> Why | None:
    """Why an act may not be done to a leg, ``None`` when it may.

    ``head`` is the state of its key's head (0 ready, 1 leased, 2 waiting, 3 held), ``first``
    whether it is the first unsettled leg of its key.
    """
    if head == _LEASED:
        return Why.LEASED
    if act is Act.SKIP:
        return None
    if not first:
        return Why.BEHIND
    return _HINDERED.get((act, head))


_READY, _LEASED, _HELD = 0, 1, 3
_HINDERED = {(Act.RETRY, _READY): Why.READY, (Act.BURY, _HELD): Why.BURIED}


def state_of(head: int, *, first: bool, within_lease: bool) -> LegState:
    """Where a leg stands, given the state of its key's head."""
    if head == _LEASED:
        return LegState.LEASED if within_lease else LegState.WAITING
    return _OF_FIRST.get(head, LegState.WAITING) if first else LegState.WAITING


_OF_FIRST = {2: LegState.RETRYING, 3: LegState.BURIED}
