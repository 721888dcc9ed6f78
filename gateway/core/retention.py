"""How long what is kept, and what a store has to tell about its size.

Age is that of the record number, which carries the second of receipt. Personal data is in the
received bytes (``raw``), in canonical content (``body``) and, as far as receivers quote it, in the
details of attempts; these go together. What is left open, awaited or on hold is never removed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Protocol

import msgspec

from gateway.core.identifiers import RecordNumber, first_record

REFUSED, TRACE, SEEN = "refused", "trace", "seen"
"""Names of the rules that are no class of messages."""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One class of messages and for how many days their content is kept.

    ``kinds`` are canonical message kinds; with ``others`` all but these.
    """

    name: str
    days: int
    kinds: tuple[str, ...] = ()
    others: bool = False

    def covers(self, kind: str) -> bool:
        """Whether messages of that kind are of this class."""
        return (kind in self.kinds) is not self.others


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """All rules of one gateway, in days. Each kind is covered by exactly one of the ``classes``.

    ``refused``: content of interchanges of which nothing was accepted. ``trace``: messages, their
    references, attempts and reports, once their content is gone. ``seen``: interchange ids and
    control references that may not be used again. ``quality``: daily counts. ``registries``: so
    many versions of the registry, not days.
    """

    classes: tuple[Rule, ...]
    refused: int
    trace: int
    seen: int
    quality: int
    registries: int

    def of(self, kind: str) -> Rule:
        """The class of a kind."""
        return next(rule for rule in self.classes if rule.covers(kind))


def walking(rules: Rules) -> tuple[Rule, ...]:
    """Every rule that walks through interchanges, in the order in which they have to be applied.

    Those of content come first: the classes, then refused interchanges.
    """
    return (
        *rules.classes,
        Rule(name=REFUSED, days=rules.refused),
        Rule(name=TRACE, days=rules.trace),
        Rule(name=SEEN, days=rules.seen),
    )


def horizon(now: datetime, days: int) -> RecordNumber:
    """What was received before that record number is older than so many days."""
    return first_record(now - timedelta(days=days))


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """How a run goes about it: gently, or at once.

    ``rows``: messages (or rows of their kind) in one transaction. ``rest``: the pause after each,
    as a multiple of the time that it took, so that a slow disk is left alone for longer.
    ``seconds``: after so long a run ends and the next one goes on where it stopped.
    """

    rows: int = 2_000
    rest: float = 9.0
    seconds: float = 3_000.0


class Pruned(msgspec.Struct, frozen=True, kw_only=True):
    """What a run, or one step of it, has removed.

    ``contents``: interchanges whose received bytes are gone. ``left``: interchanges that are over
    and stay since something of them is open or held. ``over`` is false when there is more to do;
    ``busy`` says that another process was at it, and nothing was done.
    """

    bodies: int = 0
    contents: int = 0
    details: int = 0
    traces: int = 0
    seen: int = 0
    others: int = 0
    left: int = 0
    over: bool = True
    busy: bool = False

    def __add__(self, other: Pruned) -> Pruned:
        """Both together; the later one says how things stand."""
        return Pruned(
            bodies=self.bodies + other.bodies,
            contents=self.contents + other.contents,
            details=self.details + other.details,
            traces=self.traces + other.traces,
            seen=self.seen + other.seen,
            others=self.others + other.others,
            left=other.left,
            over=other.over,
            busy=other.busy,
        )

    def counts(self) -> dict[str, int]:
        """How much of what was removed, by name."""
        names = ("bodies", "contents", "details", "traces", "seen", "others")
        return {name: getattr(self, name) for name in names}

    def __bool__(self) -> bool:
        """True when anything was removed."""
        return any(self.counts().values())


class Removal(msgspec.Struct, frozen=True, kw_only=True):
    """On which day (UTC) content was removed, and by which rule."""

    rule: str
    days: int
    on: date


class TableSize(msgspec.Struct, frozen=True, kw_only=True):
    """A table with its indexes."""

    name: str
    rows: int
    bytes: int


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """What is over by a rule and not removed yet; ``bytes`` by the mean size of its kind."""

    rule: str
    messages: int
    bytes: int


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """The bytes in use at one time."""

    at: datetime
    used: int


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """How large a store is, in bytes.

    ``free``: pages that were freed and are used again first. ``log``: the write-ahead log.
    ``room``: what it may still grow by, without ``free``; ``None`` where that cannot be told.
    ``oldest``: the receipt of the oldest message whose content is kept. ``samples`` are earlier
    measurements, the oldest first. ``tables`` and ``due`` only when they were asked for.
    """

    used: int
    free: int
    log: int
    room: int | None = None
    oldest: datetime | None = None
    samples: tuple[Sample, ...] = ()
    tables: tuple[TableSize, ...] = ()
    due: tuple[Due, ...] = ()
    messages: int | None = None

    def within(self, capacity: int | None) -> Size:
        """With the room that a capacity leaves, where that is less than what is known."""
        if capacity is None:
            return self
        room = max(0, capacity - self.used - self.free - self.log)
        return msgspec.structs.replace(
            self, room=min(room, room if self.room is None else self.room)
        )


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """How a store grows: bytes a day, and in how many days it is full; ``None`` for never."""

    per_day: float
    days_left: float | None


FORECAST_PERIOD = timedelta(days=7)
_SHORTEST = timedelta(hours=1)


def forecast(size: Size, *, now: datetime) -> Forecast | None:
    """By the growth since the oldest measurement of a week; ``None`` before there is an hour of it.

    Free pages count as room: they are filled first.
    """
    since = [s for s in size.samples if now - FORECAST_PERIOD <= s.at <= now - _SHORTEST]
    if not since:
        return None
    days = (now - since[0].at) / timedelta(days=1)
    per_day = (size.used - since[0].used) / days
    room = None if size.room is None else size.room + size.free
    left = room / per_day if room is not None and per_day > 0 else None
    return Forecast(per_day=per_day, days_left=left)


class Hold(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A legal hold: what it names is not removed while it lasts.

    Either a subject's ``value`` (item, order, movement reference: every message about it, also
    later ones), or an interchange's ``record``, or with ``ordinal`` one message of it.
    The received bytes of an interchange stay with any message of it that is held.
    """

    no: int
    reason: str
    by: str
    since: datetime
    until: datetime | None = None
    value: str | None = None
    record: RecordNumber | None = None
    ordinal: int | None = None

    def lasts(self, now: datetime) -> bool:
        """Whether it holds at that time."""
        return self.until is None or now < self.until


class Retention(Protocol):
    """What a journal forgets, by rules."""

    async def prune(
        self,
        rules: Rules,
        *,
        now: datetime,
        budget: Budget,
        told: Callable[[str, Pruned], None] | None = None,
    ) -> Pruned:
        """Remove what is over and neither open nor held, in small transactions.

        One run at a time on a store, whoever asks. ``told`` hears of each step: rule and counts.
        May be stopped, killed and begun again at any time. Takes a measurement at the end.
        """

    async def size(
        self, *, now: datetime, rules: Rules | None = None, tables: bool = False
    ) -> Size:
        """How large the store is. ``tables`` reads all of a SQLite file; ``rules`` adds ``due``."""

    async def removal(self, record: RecordNumber, rule: str) -> Removal | None:
        """When the content of a message of that class was removed; ``None``: it was not."""

    async def forgotten(self) -> datetime | None:
        """Ids of interchanges received before then are not known any more; ``None``: all are."""


class Holds(Protocol):
    """Legal holds."""

    async def add(
        self,
        *,
        reason: str,
        by: str,
        now: datetime,
        until: datetime | None = None,
        value: str | None = None,
        record: RecordNumber | None = None,
        ordinal: int | None = None,
    ) -> Hold:
        """Hold what is named, durably on return; raises ``ValueError`` unless one thing is."""

    async def all(self) -> Sequence[Hold]:
        """Every hold that was not released, also those whose time is over, by number."""

    async def release(self, no: int) -> bool:
        """End a hold; false when there is none of that number."""


def check_hold(value: str | None, record: int | None, ordinal: int | None) -> None:
    """Raise ``ValueError`` unless a hold names one thing."""
    if (value is None) == (record is None) or (ordinal is not None and record is None):
        raise ValueError("a hold names a value, an interchange, or a message")
