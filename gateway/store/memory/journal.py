"""The journal port on plain lists and dictionaries, looked through from end to end.

One long module on purpose: it is read beside the port, method by method, as its plain meaning.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import msgspec

from gateway.core.bucket import Bucket, Drawn, Rate, draw
from gateway.core.errors import Refused, Unavailable
from gateway.core.identifiers import (
    InterchangeId,
    RecordNumber,
    message_id,
    record_number,
    record_time,
)
from gateway.core.ports import Clock
from gateway.core.quality import Quality
from gateway.core.records import (
    Acceptance,
    Attempt,
    Backlog,
    Delivery,
    Lease,
    Leg,
    MessageReport,
    PlannedMessage,
    Proof,
    Result,
    Settlement,
    State,
    Stored,
    StoredMessage,
    Subject,
    TraceEntry,
)
from gateway.core.reports import Loss
from gateway.store.contract import (
    SUBJECT_WINDOW,
    check_acceptance,
    check_messages,
    check_reports,
)
from gateway.store.lanes import LANES, WEIGHTS, due
from gateway.store.memory import quality
from gateway.store.memory.awaiting import MemoryAwaiting
from gateway.store.memory.deliveries import MemoryDeliveries
from gateway.store.memory.destinations import MemoryDestinations
from gateway.store.memory.histories import MemoryHistories
from gateway.store.memory.losses import losses
from gateway.store.memory.queue import Head, Outbox, Place, QueuedLeg
from gateway.store.memory.retention import MemoryHolds, MemoryRetention, Shelves
from gateway.store.memory.standing import attempt_of, standing
from gateway.store.tally import Tally
from gateway.store.wakeups import Wakeups
from trust.identity import PartyId


@dataclass(frozen=True, slots=True)
class _Kept:
    """An accepted message, its key and the numbers of all its subjects, the key's included."""

    message: StoredMessage
    key: int
    about: frozenset[int]
    subjects: tuple[Subject, ...]

    def bare(self) -> _Kept:
        """The same without its content."""
        return replace(self, message=_without_body(self.message))


class MemoryJournal:
    """A :class:`gateway.core.ports.Journal` for tests. One event loop, one process."""

    def __init__(self, *, gateway: int, clock: Clock) -> None:
        self._gateway, self._clock, self._latest = gateway, clock, clock()
        self._counter, self._leases = itertools.count(), itertools.count(1)
        self._interchanges: dict[int, Acceptance] = {}
        self._raw: dict[int, list[bytes]] = {}
        self._messages: dict[Place, _Kept] = {}
        self._reports: dict[int, list[MessageReport]] = {}
        self._staged: dict[int, list[PlannedMessage]] = {}
        self._subjects: list[tuple[Subject, int]] = []  # with the first record; number = index + 1
        self._attempts: list[tuple[Place, Attempt]] = []
        self._outbox = Outbox()
        self._registry: list[bytes] = []
        self._remembered: dict[tuple[str, str], tuple[datetime, str]] = {}
        self._buckets: dict[str, Bucket] = {}
        self._tallies: list[Tally] = []
        self._wakeups = Wakeups()
        self.destinations = MemoryDestinations(self._outbox)
        self.histories = MemoryHistories(self._subjects, self._messages)
        self.awaiting = MemoryAwaiting()
        self._forgotten: set[int] = set()
        self._versions: Counter[tuple[int, str, str]] = Counter()
        self.holds = MemoryHolds()
        self.retention = MemoryRetention(
            Shelves(
                interchanges=self._interchanges,
                raw=self._raw,
                messages=self._messages,
                reports=self._reports,
                subjects=self._subjects,
                attempts=self._attempts,
                outbox=self._outbox,
                tallies=self._tallies,
                forgotten=self._forgotten,
                versions=self._versions,
            ),
            self.holds,
            awaits=self.awaiting.awaits,
        )
        self.deliveries = MemoryDeliveries(
            self._messages,
            self._attempts,
            self._outbox,
            touched=self._wakeups.add,
            dropped=self.awaiting.dropped,
        )

    @property
    def groups(self) -> tuple[int, int]:
        """See the port. Each acceptance is a transaction of its own here."""
        return len(self._tallies), len(self._tallies)

    @property
    def seconds(self) -> Mapping[str, float]:
        """See the port. It has no thread."""
        return {}

    async def reserve(self) -> RecordNumber:
        """See the port."""
        self._latest = max(self._latest, self._clock())
        return record_number(self._latest, next(self._counter))

    async def find(self, party: PartyId, interchange_id: InterchangeId) -> Stored | None:
        """See the port."""
        mine = [
            a
            for a in self._interchanges.values()
            if (a.party, a.interchange_id) == (party, interchange_id)
            and a.record not in self._forgotten
        ]
        mine.sort(key=lambda a: (a.state is State.ACCEPTED, a.attempt, a.record))
        return Stored.of(mine[-1]) if mine else None

    async def stage(
        self,
        record: RecordNumber,
        *,
        party: PartyId,
        interchange_id: InterchangeId,
        raw: Sequence[bytes] = (),
        messages: Sequence[PlannedMessage] = (),
        reports: Sequence[MessageReport] = (),
    ) -> None:
        """See the port."""
        check_messages([*self._staged.get(record, ()), *messages])
        check_reports([*self._reports.get(record, ()), *reports])
        if record in self._interchanges:
            raise ValueError(f"record {record} is committed already")
        self._staged.setdefault(record, []).extend(messages)
        self._raw.setdefault(record, []).extend(raw)
        self._reports.setdefault(record, []).extend(reports)

    async def discard(self, record: RecordNumber) -> None:
        """See the port."""
        if self._staged.pop(record, None) is not None:
            del self._raw[record], self._reports[record]

    async def commit(self, acceptance: Acceptance) -> Stored:
        """See the port."""
        check_acceptance(acceptance)
        accepted = [
            a
            for a in self._interchanges.values()
            if a.state is State.ACCEPTED
            and a.party == acceptance.party
            and a.record not in self._forgotten
        ]
        for other in accepted:
            if other.interchange_id == acceptance.interchange_id:
                if other.digest != acceptance.digest:
                    raise Refused("interchange.conflict")
                if acceptance.staged:
                    await self.discard(acceptance.record)
                return Stored.of(other, repeated=True)
        if (
            acceptance.state is State.ACCEPTED
            and acceptance.control_reference is not None
            and any(
                (a.control_reference, a.referring)
                == (acceptance.control_reference, acceptance.referring)
                for a in accepted
            )
        ):
            raise Refused("interchange.control-reference")
        if acceptance.record in self._interchanges:
            raise ValueError("the record number is taken")
        messages = list(acceptance.messages)
        if acceptance.staged:
            if acceptance.record not in self._staged:
                raise ValueError(f"nothing is staged under record {acceptance.record}")
            if acceptance.state is State.ACCEPTED:
                messages += self._staged[acceptance.record]
                check_messages(messages)
            check_reports([*self._reports[acceptance.record], *acceptance.reports])
            del self._staged[acceptance.record]
        self._take(acceptance, sorted(messages, key=lambda m: m.ordinal))
        return Stored.of(acceptance)

    def _take(self, acceptance: Acceptance, messages: Sequence[PlannedMessage]) -> None:
        known = {*self._messages, *((acceptance.record, m.ordinal) for m in messages)}
        if any(m.key_of is not None and m.key_of not in known for m in messages):
            raise ValueError("a message is ordered after an unknown one")
        self._interchanges[acceptance.record] = acceptance
        self._tallies.append(Tally.of(acceptance))
        self._raw.setdefault(acceptance.record, []).extend(acceptance.raw)
        self._reports.setdefault(acceptance.record, []).extend(acceptance.reports)
        added: list[tuple[str, int, QueuedLeg]] = []
        for planned in messages:
            place = (int(acceptance.record), planned.ordinal)
            kept = self._messages[place] = self._kept(acceptance, planned)
            added += [
                (
                    leg.destination,
                    kept.key,
                    QueuedLeg(0, place, leg.route, leg.lane, due(leg, acceptance.received_at)),
                )
                for leg in planned.legs
            ]
            self.awaiting.taken(kept.message, planned)
        self._outbox.add(added)
        self._wakeups.add(destination for destination, _, _ in added)

    def _kept(self, acceptance: Acceptance, planned: PlannedMessage) -> _Kept:
        numbers = [self._number(subject, acceptance.record) for subject in planned.subjects]
        key = numbers[0] if planned.key_of is None else self._messages[planned.key_of].key
        author = planned.on_behalf_of or acceptance.party
        version = 1 + self._versions[key, author, planned.kind]
        version += sum(
            kept.key == key
            and (kept.message.on_behalf_of or kept.message.party) == author
            and kept.message.kind == planned.kind
            for kept in self._messages.values()
        )
        message = StoredMessage(
            message_id=message_id(self._gateway, acceptance.record, planned.ordinal),
            record=acceptance.record,
            ordinal=planned.ordinal,
            kind=planned.kind,
            party=acceptance.party,
            interchange_id=acceptance.interchange_id,
            accepted_at=acceptance.received_at,
            version=version,
            function=planned.function or ("original" if version == 1 else "replacement"),
            key=self._subjects[key - 1][0],
            destinations=tuple(leg.destination for leg in planned.legs),
            body=planned.body,
            regards=planned.regards,
            on_behalf_of=planned.on_behalf_of,
            upstream_id=planned.upstream_id,
        )
        return _Kept(message, key, frozenset((key, *numbers)), planned.subjects)

    def _number(self, subject: Subject, record: int) -> int:
        windows = [
            (first, number)
            for number, (other, first) in enumerate(self._subjects, 1)
            if other == subject
        ]
        if windows:
            first, number = max(windows)
            if record_time(record) - record_time(first) <= SUBJECT_WINDOW:
                return number
        self._subjects.append((subject, record))
        return len(self._subjects)

    async def message(self, record: RecordNumber, ordinal: int) -> StoredMessage | None:
        """See the port."""
        kept = self._messages.get((record, ordinal))
        return None if kept is None else _without_body(kept.message)

    async def raw(self, record: RecordNumber, at: int) -> bytes | None:
        """See the port."""
        slices = self._raw[record] if record in self._interchanges else []
        return slices[at] if at < len(slices) else None

    async def proof(self, record: RecordNumber) -> Proof | None:
        """See the port."""
        acceptance = self._interchanges.get(record)
        return None if acceptance is None else acceptance.proof

    async def reports(
        self, record: RecordNumber, *, offset: int = 0, limit: int = 1000
    ) -> tuple[MessageReport, ...]:
        """See the port."""
        told = self._reports[record] if record in self._interchanges else []
        return tuple(sorted(told, key=lambda one: one.ordinal)[offset : offset + limit])

    async def losses(self, *, since: datetime | None = None) -> tuple[Loss, ...]:
        """See the port."""
        return losses(self._interchanges, self._reports, self._attempts, since=since)

    async def lease(
        self,
        destination: str,
        *,
        limit: int,
        seconds: float,
        now: datetime,
        legs: int | None = None,
        lasting: bool = False,
        weights: Sequence[int] = WEIGHTS,
        lanes: Sequence[int] = range(LANES),
    ) -> Lease | None:
        """See the port."""
        token = f"memory.{next(self._leases)}.0"
        until = now + timedelta(seconds=seconds)
        self._outbox.lease(
            destination,
            limit=limit,
            legs=legs,
            until=until,
            token=token,
            weights=weights,
            lanes=lanes,
        )
        return await self.held(destination, token)

    async def held(self, destination: str, token: str) -> Lease | None:
        """See the port."""
        queues = self._outbox.under(destination, token)
        if not queues:
            return None
        queues.sort(key=lambda pair: (pair[1].lane, pair[1].due, pair[0]))
        return Lease(
            token=token,
            destination=destination,
            until=queues[0][1].wake,
            deliveries=tuple(
                Delivery(
                    destination=destination,
                    seq=leg.seq,
                    key=key,
                    tries=leg.tries,
                    lane=leg.lane,
                    route=leg.route,
                    message=self._messages[leg.place].message,
                )
                for key, queue in queues
                for leg in queue.leased()
            ),
        )

    async def settle(
        self, lease: Lease, settlements: Sequence[Settlement], *, now: datetime
    ) -> None:
        """See the port."""
        for s in settlements:
            if s.result is not Result.RETURNED:
                message = s.delivery.message
                place = (int(message.record), message.ordinal)
                self._attempts.append((place, attempt_of(s, now=now)))
        keys = {key for key, _ in self._outbox.under(lease.destination, lease.token)}
        self.awaiting.settled(lease.destination, settlements, keys, now=now)
        if self._outbox.settle(lease.destination, lease.token, settlements, now):
            self._wakeups.add((lease.destination,))

    async def tick(self, *, now: datetime) -> frozenset[str]:
        """See the port."""
        return self._outbox.tick(now)

    async def retry(self, destination: str, *, now: datetime, key: int | None = None) -> int:
        """See the port."""
        count = self._outbox.free(destination, key)
        self._wakeups.add((destination,) if count else ())
        return count

    async def wake(self, *, seconds: float) -> frozenset[str]:
        """See the port."""
        return await self._wakeups.wait(seconds)

    async def legs(self, record: RecordNumber) -> tuple[Leg, ...]:
        """See the port."""
        places = sorted(place for place in self._messages if place[0] == record)
        return tuple(leg for place in places for leg in self._legs(place))

    def _legs(self, place: Place) -> Iterator[Leg]:
        return standing(self._messages[place], self._attempts, self._outbox)

    async def buried(self, destination: str | None = None, *, limit: int = 100) -> tuple[Leg, ...]:
        """See the port."""
        held = sorted(
            (queue.legs[0].seq, name, queue.legs[0].place)
            for (name, _), queue in self._outbox.queues.items()
            if queue.state is Head.HELD and destination in (None, name)
        )
        return tuple(
            leg
            for _, name, place in held[:limit]
            for leg in self._legs(place)
            if leg.destination == name
        )

    async def trace(self, value: str, *, limit: int = 1000) -> tuple[TraceEntry, ...]:
        """See the port."""
        numbers = {no for no, (s, _) in enumerate(self._subjects, 1) if s.value == value}
        return tuple(
            TraceEntry(
                message=_without_body(kept.message),
                format=self._interchanges[place[0]].format,
                transport=self._interchanges[place[0]].transport,
                attempts=tuple(attempt for at, attempt in self._attempts if at == place),
                legs=tuple(self._legs(place)),
                subjects=kept.subjects,
            )
            for place, kept in sorted(self._messages.items(), key=lambda item: item[0])
            if numbers & kept.about
            or (kept.message.interchange_id == value and place[0] not in self._forgotten)
        )[:limit]

    async def refusals(self, value: str, *, limit: int = 100) -> tuple[Stored, ...]:
        """See the port."""
        return tuple(
            Stored.of(acceptance)
            for _, acceptance in sorted(self._interchanges.items())
            if acceptance.interchange_id == value and acceptance.state is State.REFUSED
        )[:limit]

    async def backlog(self) -> tuple[Backlog, ...]:
        """See the port."""
        states: dict[str, list[Head]] = {}
        for (destination, _), queue in self._outbox.queues.items():
            states.setdefault(destination, []).append(queue.state)
        return tuple(
            Backlog(
                destination=destination,
                ready=found.count(Head.READY),
                leased=found.count(Head.LEASED),
                waiting=found.count(Head.WAITING),
                held=found.count(Head.HELD),
            )
            for destination, found in sorted(states.items())
        )

    async def quality(
        self, *, party: PartyId | None, since: date, until: date, daily: bool = False
    ) -> Quality:
        """See the port."""
        return quality.read(self._tallies, party, since, until, daily=daily)

    async def remember(
        self, scope: str, value: str, *, until: datetime, now: datetime, holder: str = ""
    ) -> bool:
        """See the port."""
        known = self._remembered.get((scope, value))
        if known is not None and known[0] > now and (not holder or known[1] != holder):
            return False
        self._remembered[scope, value] = until, holder
        return True

    async def draw(self, scope: str, *, want: int, rate: Rate, now: datetime) -> Drawn:
        """See the port."""
        self._buckets[scope], drawn = draw(
            self._buckets.get(scope), want=want, rate=rate, now=now.timestamp()
        )
        return drawn

    async def registry(self) -> tuple[int, bytes] | None:
        """See the port."""
        return (len(self._registry), self._registry[-1]) if self._registry else None

    async def store_registry(self, document: bytes, *, expected: int) -> int:
        """See the port."""
        if expected != len(self._registry):
            raise Unavailable("the registry has been changed by somebody else")
        self._registry.append(document)
        return len(self._registry)

    async def close(self) -> None:
        """See the port."""


def _without_body(message: StoredMessage) -> StoredMessage:
    return msgspec.structs.replace(message, body=None)
