"""The journal port on SQLite: each call goes to the thread and connection of its concern."""

from __future__ import annotations

import asyncio
import functools
import itertools
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

from gateway.core.bucket import Drawn, Rate
from gateway.core.identifiers import InterchangeId, RecordNumber
from gateway.core.lanes import LANES, WEIGHTS
from gateway.core.ports import Clock
from gateway.core.quality import Quality
from gateway.core.records import (
    Acceptance,
    Backlog,
    Lease,
    Leg,
    MessageReport,
    PlannedMessage,
    Proof,
    Settlement,
    Stored,
    StoredMessage,
    TraceEntry,
)
from gateway.core.reports import Loss
from gateway.store.numbers import Numbers
from gateway.store.once import Once
from gateway.store.prepared import prepare, prepare_chunk
from gateway.store.sqlite import (
    claim,
    heads,
    proofs,
    quality,
    rates,
    reads,
    recovery,
    staging,
    standing,
    trace,
)
from gateway.store.sqlite import reports as told
from gateway.store.sqlite.awaiting import SqliteAwaiting
from gateway.store.sqlite.connection import transaction
from gateway.store.sqlite.deliveries import SqliteDeliveries
from gateway.store.sqlite.destinations import SqliteDestinations
from gateway.store.sqlite.histories import SqliteHistories
from gateway.store.sqlite.numbers import drawn
from gateway.store.sqlite.opening import Limits, Opened, open_now
from gateway.store.sqlite.retention import SqliteHolds, SqliteRetention
from gateway.store.sqlite.settle import settle
from trust.identity import PartyId

_LARGE = 128 << 10  # bytes; packing more than this would hold up the acceptances in its group


class SqliteJournal:
    """A :class:`gateway.core.ports.Journal` in one file; made by ``open_sqlite``."""

    def __init__(self, opened: Opened, *, clock: Clock, model_version: int) -> None:
        self._opened = opened
        self._codec, self._messages = opened.codec, opened.messages
        self._writer, self._dispatch, self._read = opened.writer, opened.dispatch, opened.read
        self._turnstile, self._wakeups = opened.turnstile, opened.wakeups
        self._glance = opened.glance
        self._prepare = functools.partial(prepare, codec=opened.codec, model_version=model_version)
        self._numbers = Numbers(clock, lambda mine: opened.writer.run(lambda c: drawn(c, mine)))
        self._leases = itertools.count(1)
        self.destinations = SqliteDestinations(
            dispatch=opened.dispatch, read=opened.read, turnstile=opened.turnstile
        )
        self.histories = SqliteHistories(opened.read, opened.messages)
        concerns = {"prune": opened.prune, "read": opened.read}
        self.retention = SqliteRetention(
            opened.path, opened.locks, **concerns, turnstile=opened.turnstile
        )
        self.holds = SqliteHolds(**concerns, turnstile=opened.turnstile)
        self.awaiting = SqliteAwaiting(opened)
        self.deliveries = SqliteDeliveries(
            opened, process=opened.membership.name, touched=opened.wakeups.add
        )

    @property
    def groups(self) -> tuple[int, int]:
        """Transactions of acceptances so far, and the acceptances in them."""
        return self._writer.groups, self._writer.committed

    @property
    def seconds(self) -> Mapping[str, float]:
        """See the port."""
        return {**self._writer.seconds, "find": self._glance.seconds}

    async def reserve(self) -> RecordNumber:
        """See the port. Waits for the store once in 1,024 calls."""
        return await self._numbers.reserve()

    async def find(self, party: PartyId, interchange_id: InterchangeId) -> Stored | None:
        """See the port."""
        return await self._glance.run(lambda c: reads.find(c, self._codec, party, interchange_id))

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
        chunk = await asyncio.to_thread(
            prepare_chunk,
            record,
            party=party,
            interchange_id=interchange_id,
            raw=raw,
            messages=messages,
            reports=reports,
            codec=self._codec,
        )
        owner = self._opened.membership.name
        await self._writer.run(lambda c: staging.stage(c, chunk, owner=owner))

    async def discard(self, record: RecordNumber) -> None:
        """See the port."""
        await self._writer.run(lambda c: staging.discard(c, record))

    async def commit(self, acceptance: Acceptance) -> Stored:
        """See the port. Raises ``ValueError`` for an acceptance that breaks its contract."""
        size = sum(map(len, acceptance.raw)) + sum(len(m.body) for m in acceptance.messages)
        if size <= _LARGE:
            return await self._writer.commit(acceptance, self._prepare)
        prepared = await asyncio.to_thread(self._prepare, acceptance)
        return await self._writer.commit(acceptance, lambda _: prepared)

    async def message(self, record: RecordNumber, ordinal: int) -> StoredMessage | None:
        """See the port."""
        place = (int(record), ordinal)
        found = await self._read.run(lambda c: self._messages.read(c, (place,), bodies=False))
        return found.get(place)

    async def raw(self, record: RecordNumber, at: int) -> bytes | None:
        """See the port."""
        return await self._read.run(lambda c: reads.raw(c, self._codec, record, at))

    async def proof(self, record: RecordNumber) -> Proof | None:
        """See the port."""
        return await self._read.run(lambda c: proofs.read(c, self._codec, record))

    async def reports(
        self, record: RecordNumber, *, offset: int = 0, limit: int = 1000
    ) -> tuple[MessageReport, ...]:
        """See the port."""
        return await self._read.run(
            lambda c: told.of_record(c, self._codec, record, offset=offset, limit=limit)
        )

    async def losses(self, *, since: datetime | None = None) -> tuple[Loss, ...]:
        """See the port."""
        return await self._read.run(lambda c: told.losses(c, self._codec, since))

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
        mine = self._opened.membership.name
        owner = f"{recovery.LASTING}-{mine}" if lasting else mine
        until = now + timedelta(seconds=seconds)
        return await self._dispatch.run(
            lambda c: claim.lease(
                c,
                self._turnstile,
                self._messages,
                destination,
                limit=limit,
                most=legs,
                largest=self._opened.limits.lease_bytes,
                until=until,
                owner=f"{owner}.{next(self._leases)}",
                weights=weights,
                lanes=lanes,
            )
        )

    async def settle(
        self, lease: Lease, settlements: Sequence[Settlement], *, now: datetime
    ) -> None:
        """See the port."""
        process = self._opened.membership.name

        def job(connection: sqlite3.Connection) -> bool:
            with transaction(connection, self._turnstile):
                return settle(
                    connection, lease, settlements, now=now, process=process, codec=self._codec
                )

        if await self._dispatch.run(job):
            self._wakeups.add((lease.destination,))

    async def held(self, destination: str, token: str) -> Lease | None:
        """See the port."""
        return await self._dispatch.run(lambda c: claim.held(c, self._messages, destination, token))

    async def tick(self, *, now: datetime) -> frozenset[str]:
        """See the port. Frees at most 1,000 keys at a time."""
        return await self._dispatch.run(lambda c: heads.tick(c, self._turnstile, now=now))

    async def retry(self, destination: str, *, now: datetime, key: int | None = None) -> int:
        """See the port."""

        def job(connection: sqlite3.Connection) -> int:
            with transaction(connection, self._turnstile):
                return heads.free(connection, destination, key)

        count = await self._dispatch.run(job)
        if count:
            self._wakeups.add((destination,))
        return count

    async def wake(self, *, seconds: float) -> frozenset[str]:
        """See the port."""
        return await self._wakeups.wait(seconds)

    async def legs(self, record: RecordNumber) -> tuple[Leg, ...]:
        """See the port."""
        return await self._read.run(
            lambda c: standing.of_record(c, self._messages, self._codec, record)
        )

    async def buried(self, destination: str | None = None, *, limit: int = 100) -> tuple[Leg, ...]:
        """See the port."""
        return await self._read.run(
            lambda c: standing.buried(c, self._messages, self._codec, destination, limit)
        )

    async def trace(self, value: str, *, limit: int = 1000) -> tuple[TraceEntry, ...]:
        """See the port."""
        return await self._read.run(
            lambda c: trace.trace(c, self._messages, self._codec, value, limit)
        )

    async def refusals(self, value: str, *, limit: int = 100) -> tuple[Stored, ...]:
        """See the port."""
        return await self._read.run(lambda c: reads.refusals(c, self._codec, value, limit))

    async def backlog(self) -> tuple[Backlog, ...]:
        """See the port."""
        return await self._read.run(reads.backlog)

    async def quality(
        self, *, party: PartyId | None, since: date, until: date, daily: bool = False
    ) -> Quality:
        """See the port."""
        return await self._read.run(lambda c: quality.read(c, party, since, until, daily=daily))

    async def remember(
        self, scope: str, value: str, *, until: datetime, now: datetime, holder: str = ""
    ) -> bool:
        """See the port."""
        return await self._writer.remember(
            Once.of(scope, value, until=until, now=now, holder=holder)
        )

    async def draw(self, scope: str, *, want: int, rate: Rate, now: datetime) -> Drawn:
        """See the port."""

        def job(connection: sqlite3.Connection) -> Drawn:
            with transaction(connection, self._turnstile):
                return rates.drawn(connection, scope, want=want, rate=rate, now=now.timestamp())

        return await self._dispatch.run(job)

    async def registry(self) -> tuple[int, bytes] | None:
        """See the port."""
        return await self._read.run(reads.registry)

    async def store_registry(self, document: bytes, *, expected: int) -> int:
        """See the port."""
        return await self._writer.run(lambda c: reads.store_registry(c, document, expected))

    async def close(self) -> None:
        """See the port."""
        await asyncio.to_thread(self._opened.close)


async def open_sqlite(
    path: Path, *, gateway: int, clock: Clock, limits: Limits | None = None, model_version: int = 1
) -> SqliteJournal:
    """Open the journal at ``path``, creating it if need be; its folder must exist.

    ``gateway`` is the number in message ids and the same for ever; ``model_version`` that of the
    canonical model, recorded with each interchange. Several processes may open one file. Raises
    ``JournalMismatch`` for a file that is not this gateway's, ``Unavailable`` for a broken disk.
    """
    opened = await asyncio.to_thread(
        open_now, path, gateway=gateway, clock=clock, limits=limits or Limits()
    )
    return SqliteJournal(opened, clock=clock, model_version=model_version)
