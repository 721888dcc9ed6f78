"""Retention on plain lists: each rule says of every interchange whether it goes."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from datetime import datetime, timedelta
from typing import Generic, Protocol, Self, TypeVar

import msgspec

from gateway.core.identifiers import RecordNumber, record_time
from gateway.core.records import Acceptance, Attempt, MessageReport, State, StoredMessage, Subject
from gateway.core.retention import (
    Budget,
    Hold,
    Pruned,
    Removal,
    Rules,
    Size,
    check_hold,
    horizon,
)
from gateway.store.memory.queue import Outbox, Place
from gateway.store.tally import Tally

NOTHING = Subject("", "")
"""In the place of a subject that nothing names any more."""


class Kept(Protocol):
    """A message, its key, and the numbers of all its subjects."""

    @property
    def message(self) -> StoredMessage:
        """The message."""

    @property
    def key(self) -> int:
        """The number of its key."""

    @property
    def about(self) -> frozenset[int]:
        """The numbers."""

    def bare(self) -> Self:
        """The same without its content."""


K = TypeVar("K", bound=Kept)


class MemoryHolds:
    """A :class:`gateway.core.retention.Holds`."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._holds: dict[int, Hold] = {}

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
        """See the port."""
        check_hold(value, record, ordinal)
        hold = Hold(
            no=next(self._numbers),
            reason=reason,
            by=by,
            since=now,
            until=until,
            value=value,
            record=record,
            ordinal=ordinal,
        )
        self._holds[hold.no] = hold
        return hold

    async def all(self) -> Sequence[Hold]:
        """See the port."""
        return tuple(self._holds.values())

    async def release(self, no: int) -> bool:
        """See the port."""
        return self._holds.pop(no, None) is not None

    def lasting(self, now: datetime) -> list[Hold]:
        """Those that hold now."""
        return [hold for hold in self._holds.values() if hold.lasts(now)]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Shelves(Generic[K]):
    """The lists of a journal; retention takes out of them what is over."""

    interchanges: Mapping[int, Acceptance]
    raw: MutableMapping[int, list[bytes]]
    messages: MutableMapping[Place, K]
    reports: MutableMapping[int, list[MessageReport]]
    subjects: list[tuple[Subject, int]]
    attempts: list[tuple[Place, Attempt]]
    outbox: Outbox
    tallies: Sequence[Tally]
    forgotten: set[int]
    """Records whose ids may be used again."""
    versions: Counter[tuple[int, str, str]]
    """Messages that are gone, by key, author and kind: their versions are not given again."""


class MemoryRetention(Generic[K]):
    """A :class:`gateway.core.retention.Retention`. Its budget is never used up."""

    def __init__(
        self, shelves: Shelves[K], holds: MemoryHolds, *, awaits: Callable[[Place], bool]
    ) -> None:
        self._shelves = shelves
        self._holds = holds
        self._awaits = awaits
        self._removals: dict[tuple[str, int], Removal] = {}
        self._seen_before = 0

    async def prune(
        self,
        rules: Rules,
        *,
        now: datetime,
        budget: Budget,
        told: Callable[[str, Pruned], None] | None = None,
    ) -> Pruned:
        """See the port."""
        self._now = now
        total = Pruned()
        left: set[int] = set()
        for rule in rules.classes:
            before = horizon(now, rule.days)
            over = [
                place
                for place, kept in self._shelves.messages.items()
                if place[0] < before and rule.covers(kept.message.kind)
            ]
            gone = [place for place in over if not self._stays(place)]
            left |= {place[0] for place in over if self._stays(place)}
            total += self._remove_bodies(gone)
            total += self._remove_contents({place[0] for place in over})
            for record, _ in gone:
                self._removals.setdefault(
                    (rule.name, record), Removal(rule=rule.name, days=rule.days, on=now.date())
                )
        total += self._refused(horizon(now, rules.refused), left)
        total += self._traces(horizon(now, rules.trace), left)
        total += self._seen(horizon(now, rules.seen))
        total += self._counts(now - timedelta(days=rules.quality))
        return msgspec.structs.replace(total, left=len(left), over=True)

    async def size(
        self, *, now: datetime, rules: Rules | None = None, tables: bool = False
    ) -> Size:
        """See the port: the bytes of contents alone."""
        used = sum(map(len, itertools.chain.from_iterable(self._shelves.raw.values())))
        used += sum(len(kept.message.body or b"") for kept in self._shelves.messages.values())
        kept = [r for (r, _), k in self._shelves.messages.items() if k.message.body is not None]
        return Size(used=used, free=0, log=0, oldest=record_time(min(kept)) if kept else None)

    async def removal(self, record: RecordNumber, rule: str) -> Removal | None:
        """See the port."""
        return self._removals.get((rule, record))

    async def forgotten(self) -> datetime | None:
        """See the port."""
        return record_time(self._seen_before) if self._seen_before else None

    def _stays(self, place: Place) -> bool:
        kept = self._shelves.messages[place]
        if self._awaits(place):
            return True
        return any(
            leg.place == place
            for destination in kept.message.destinations
            if (queue := self._shelves.outbox.queues.get((destination, kept.key))) is not None
            for leg in queue.legs
        ) or any(self._covers(hold, place, kept) for hold in self._holds.lasting(self._now))

    def _covers(self, hold: Hold, place: Place, kept: K) -> bool:
        if hold.value is not None:
            return any(self._shelves.subjects[no - 1][0].value == hold.value for no in kept.about)
        return hold.record == place[0] and hold.ordinal in (None, place[1])

    def _held_whole(self, record: int) -> bool:
        return any(
            hold.record == record and hold.ordinal is None
            for hold in self._holds.lasting(self._now)
        )

    def _remove_bodies(self, places: Sequence[Place]) -> Pruned:
        bodies = details = 0
        for place in places:
            kept = self._shelves.messages[place]
            bodies += kept.message.body is not None
            self._shelves.messages[place] = kept.bare()
        gone = set(places)
        for at, (place, attempt) in enumerate(self._shelves.attempts):
            if place in gone and attempt.detail:
                details += 1
                self._shelves.attempts[at] = place, msgspec.structs.replace(attempt, detail="")
        return Pruned(bodies=bodies, details=details)

    def _places(self, record: int) -> Iterator[Place]:
        return (place for place in self._shelves.messages if place[0] == record)

    def _remove_contents(self, records: set[int]) -> Pruned:
        count = 0
        for record in records:
            if not any(map(self._stays, self._places(record))) and not self._held_whole(record):
                count += bool(self._shelves.raw.get(record))
                self._shelves.raw[record] = []
        return Pruned(contents=count)

    def _refused(self, before: int, left: set[int]) -> Pruned:
        refused = {
            record
            for record, one in self._shelves.interchanges.items()
            if record < before and one.state is State.REFUSED
        }
        left |= {record for record in refused if self._held_whole(record)}
        return self._remove_contents(refused)

    def _traces(self, before: int, left: set[int]) -> Pruned:
        count = 0
        for record in [r for r in self._shelves.interchanges if r < before]:
            places = list(self._places(record))
            with_body = any(self._shelves.messages[p].message.body is not None for p in places)
            if with_body or self._held_whole(record) or any(map(self._stays, places)):
                left.add(record)
                continue
            count += len(places)
            self._remove_trace(record, places)
        return Pruned(traces=count)

    def _remove_trace(self, record: int, places: Sequence[Place]) -> None:
        named: set[int] = set()
        for place in places:
            kept = self._shelves.messages.pop(place)
            named |= kept.about
            author = kept.message.on_behalf_of or kept.message.party
            self._shelves.versions[kept.key, author, kept.message.kind] += 1
        self._shelves.attempts[:] = [
            (place, attempt) for place, attempt in self._shelves.attempts if place[0] != record
        ]
        self._shelves.reports[record] = []
        for no in named:
            if not any(no in kept.about for kept in self._shelves.messages.values()):
                self._shelves.subjects[no - 1] = NOTHING, 0

    def _seen(self, before: int) -> Pruned:
        count = 0
        for record, one in self._shelves.interchanges.items():
            if record < before and one.state is State.ACCEPTED:
                if record not in self._shelves.forgotten:
                    count += 1 if one.control_reference is None else 2
                self._shelves.forgotten.add(record)
        self._seen_before = max(before, self._seen_before)
        return Pruned(seen=count)

    def _counts(self, before: datetime) -> Pruned:
        count = 0
        for tally in self._shelves.tallies:
            judged = [key for key in tally.judged if key[1] < before.date()]
            found = [key for key in tally.found if key[1] < before.date()]
            for one in judged:
                del tally.judged[one]
            for other in found:
                del tally.found[other]
            count += len(judged) + len(found)
        return Pruned(others=count)
