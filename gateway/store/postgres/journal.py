"""The journal port on PostgreSQL: each call goes to a connection of its concern."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from gateway.core.bucket import Drawn, Rate
from gateway.core.errors import Unavailable
from gateway.core.identifiers import InterchangeId, RecordNumber
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
from gateway.store.lanes import LANES, WEIGHTS
from gateway.store.numbers import Block, Numbers
from gateway.store.once import Once
from gateway.store.postgres import (
    claim,
    heads,
    members,
    numbers,
    proofs,
    quality,
    rates,
    reads,
    staging,
    standing,
    trace,
)
from gateway.store.postgres import reports as told
from gateway.store.postgres.awaiting import PostgresAwaiting
from gateway.store.postgres.deliveries import PostgresDeliveries
from gateway.store.postgres.destinations import PostgresDestinations
from gateway.store.postgres.histories import PostgresHistories
from gateway.store.postgres.opening import Limits, Opened
from gateway.store.postgres.retention import PostgresHolds, PostgresRetention
from gateway.store.postgres.settle import settle
from gateway.store.prepared import prepare, prepare_chunk
from trust.identity import PartyId

_LARGE = 128 << 10  # bytes; packing more than this would hold up the event loop
_ONE_STATE = "repeatable_read"


class PostgresJournal:
    """A :class:`gateway.core.ports.Journal` in a database; made by ``open_postgres``.

    For the event loop that it was opened in.
    """

    def __init__(self, opened: Opened, *, clock: Clock, model_version: int) -> None:
        self._opened = opened
        self._codec, self._messages = opened.codec, opened.messages
        self._model_version = model_version
        self._numbers = Numbers(clock, self._draw_block)
        self._leases = itertools.count(1)
        self._claims = claim.Claims()
        self._staged: set[RecordNumber] = set()
        self.retention = PostgresRetention(prune=opened.prune, read=opened.read)
        self.holds = PostgresHolds(write=opened.write, read=opened.read)
        self.histories = PostgresHistories(opened.read, opened.messages)
        self.deliveries = PostgresDeliveries(opened)
        self.awaiting = PostgresAwaiting(opened)
        self.destinations = PostgresDestinations(write=opened.write, read=opened.read)

    @property
    def groups(self) -> tuple[int, int]:
        """Transactions of acceptances so far, and the acceptances in them."""
        return self._opened.writer.groups, self._opened.writer.committed

    @property
    def seconds(self) -> Mapping[str, float]:
        """See the port. It has no thread; the database works elsewhere."""
        return {}

    async def reserve(self) -> RecordNumber:
        """See the port. Waits for the store once in 1,024 calls."""
        return await self._numbers.reserve()

    async def _draw_block(self, mine: datetime) -> Block:
        async with self._opened.write.transaction() as connection:
            return await numbers.drawn(connection, mine)

    async def find(self, party: PartyId, interchange_id: InterchangeId) -> Stored | None:
        """See the port."""
        return await self._opened.finding.find((interchange_id, party))

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
        await self._opened.cover(record)
        async with self._opened.write.transaction() as connection:
            await staging.stage(
                connection, chunk, owner=self._opened.member.name, begun=record in self._staged
            )
        self._staged.add(record)

    async def discard(self, record: RecordNumber) -> None:
        """See the port."""
        self._staged.discard(record)
        async with self._opened.write.transaction() as connection:
            await staging.discard(connection, record)

    async def commit(self, acceptance: Acceptance) -> Stored:
        """See the port. Raises ``ValueError`` for an acceptance that breaks its contract."""
        size = sum(map(len, acceptance.raw)) + sum(len(m.body) for m in acceptance.messages)
        if size > _LARGE:
            prepared = await asyncio.to_thread(
                prepare, acceptance, self._codec, model_version=self._model_version
            )
        else:
            prepared = prepare(acceptance, self._codec, model_version=self._model_version)
        try:
            stored = await self._opened.writer.commit(prepared)
        except staging.NotStaged as error:
            if acceptance.record not in self._staged:
                raise
            raise Unavailable(staging.CLEARED, retry_after=1.0) from error
        self._staged.discard(acceptance.record)
        return stored

    async def message(self, record: RecordNumber, ordinal: int) -> StoredMessage | None:
        """See the port."""
        place = (int(record), ordinal)
        async with self._opened.read.connection() as connection:
            return (await self._messages.read(connection, (place,), bodies=False)).get(place)

    async def raw(self, record: RecordNumber, at: int) -> bytes | None:
        """See the port."""
        async with self._opened.read.connection() as connection:
            return await reads.raw(connection, self._codec, record, at)

    async def proof(self, record: RecordNumber) -> Proof | None:
        """See the port."""
        async with self._opened.read.connection() as connection:
            return await proofs.read(connection, self._codec, record)

    async def reports(
        self, record: RecordNumber, *, offset: int = 0, limit: int = 1000
    ) -> tuple[MessageReport, ...]:
        """See the port."""
        async with self._opened.read.transaction(isolation=_ONE_STATE) as connection:
            return await told.of_record(connection, self._codec, record, offset=offset, limit=limit)

    async def losses(self, *, since: datetime | None = None) -> tuple[Loss, ...]:
        """See the port."""
        async with self._opened.read.transaction(isolation=_ONE_STATE) as connection:
            return await told.losses(connection, self._codec, since)

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
        """See the port. What another node holds at this moment is left out."""
        mine = self._opened.member.name
        owner = f"{members.LASTING}-{mine}" if lasting else mine
        owner, until = f"{owner}.{next(self._leases)}", now + timedelta(seconds=seconds)
        async with (
            self._opened.claim.connection() as connection,
            self._claims.making(destination, owner, until),
        ):
            return await claim.lease(
                connection,
                self._messages,
                destination,
                limit=limit,
                most=legs,
                largest=self._opened.limits.lease_bytes,
                until=until,
                owner=owner,
                weights=weights,
                lanes=lanes,
            )

    async def settle(
        self, lease: Lease, settlements: Sequence[Settlement], *, now: datetime
    ) -> None:
        """See the port."""
        async with self._opened.settle.transaction() as connection:
            ready = await settle(
                connection,
                lease,
                settlements,
                now=now,
                process=self._opened.member.name,
                codec=self._codec,
            )
        if ready:
            self._opened.listener.touched((lease.destination,))

    async def held(self, destination: str, token: str) -> Lease | None:
        """See the port."""
        async with self._opened.claim.connection() as connection:
            return await claim.held(connection, self._messages, destination, token)

    async def tick(self, *, now: datetime) -> frozenset[str]:
        """See the port. Frees at most 1,000 keys at a time."""
        async with self._opened.settle.connection() as connection:
            await self._claims.give_back(connection, now=now)
            return await heads.tick(connection, now=now)

    async def retry(self, destination: str, *, now: datetime, key: int | None = None) -> int:
        """See the port."""
        async with self._opened.settle.connection() as connection:
            count = await heads.free(connection, destination, key)
        if count:
            self._opened.listener.touched((destination,))
        return count

    async def wake(self, *, seconds: float) -> frozenset[str]:
        """See the port. Work that other processes have committed is told as well."""
        return await self._opened.wakeups.wait(seconds)

    async def legs(self, record: RecordNumber) -> tuple[Leg, ...]:
        """See the port."""
        async with self._opened.read.transaction(isolation=_ONE_STATE) as connection:
            return await standing.of_record(connection, self._messages, self._codec, record)

    async def buried(self, destination: str | None = None, *, limit: int = 100) -> tuple[Leg, ...]:
        """See the port."""
        async with self._opened.read.transaction(isolation=_ONE_STATE) as connection:
            return await standing.buried(
                connection, self._messages, self._codec, destination, limit
            )

    async def trace(self, value: str, *, limit: int = 1000) -> tuple[TraceEntry, ...]:
        """See the port."""
        async with self._opened.read.transaction(isolation=_ONE_STATE) as connection:
            return await trace.trace(connection, self._messages, self._codec, value, limit)

    async def refusals(self, value: str, *, limit: int = 100) -> tuple[Stored, ...]:
        """See the port."""
        async with self._opened.read.connection() as connection:
            return await reads.refusals(connection, self._codec, value, limit)

    async def backlog(self) -> tuple[Backlog, ...]:
        """See the port."""
        async with self._opened.read.connection() as connection:
            return await reads.backlog(connection)

    async def quality(
        self, *, party: PartyId | None, since: date, until: date, daily: bool = False
    ) -> Quality:
        """See the port."""
        async with self._opened.read.transaction(isolation=_ONE_STATE) as connection:
            return await quality.read(connection, party, since, until, daily=daily)

    async def remember(
        self, scope: str, value: str, *, until: datetime, now: datetime, holder: str = ""
    ) -> bool:
        """See the port."""
        return await self._opened.remembering.remember(
            Once.of(scope, value, until=until, now=now, holder=holder)
        )

    async def draw(self, scope: str, *, want: int, rate: Rate, now: datetime) -> Drawn:
        """See the port."""
        async with self._opened.settle.transaction() as connection:
            return await rates.drawn(connection, scope, want=want, rate=rate, now=now.timestamp())

    async def registry(self) -> tuple[int, bytes] | None:
        """See the port."""
        async with self._opened.read.connection() as connection:
            return await reads.registry(connection)

    async def store_registry(self, document: bytes, *, expected: int) -> int:
        """See the port."""
        async with self._opened.write.transaction() as connection:
            return await reads.store_registry(connection, document, expected)

    async def close(self) -> None:
        """See the port."""
        await self._opened.close()


async def open_postgres(
    url: str,
    *,
    gateway: int,
    clock: Clock,
    limits: Limits | None = None,
    model_version: int = 1,
    password: str | None = None,
) -> PostgresJournal:
    """Open the journal in the database at ``url``, beside other processes and nodes.

    ``gateway`` is the number in message ids and the same for ever; ``model_version`` that of the
    canonical model, recorded with each interchange; ``password`` goes before one in the URL.
    Raises ``JournalMismatch`` for a database without a journal of this gateway in this version
    (``schema.migrate`` makes one), ``Unavailable`` when it cannot be reached.
    """
    opened = Opened(gateway=gateway, clock=clock, limits=limits or Limits())
    await opened.open(url, password=password)
    return PostgresJournal(opened, clock=clock, model_version=model_version)
