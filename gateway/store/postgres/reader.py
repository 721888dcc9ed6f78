"""A PostgreSQL journal as an operator's command reads it: calls that block, nothing that writes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import TypeVar

import msgspec

from gateway.core.identifiers import InterchangeId
from gateway.core.quality import Quality
from gateway.core.records import Proof, Stored, StoredMessage, TraceEntry
from gateway.core.reports import Loss, Report
from gateway.core.retention import Removal
from gateway.store.codec import Codec
from gateway.store.postgres import finding, proofs, quality, reads, reports, retention, trace
from gateway.store.postgres.connection import Concern, Connection
from gateway.store.postgres.errors import mapped
from gateway.store.postgres.messages import Messages
from gateway.store.postgres.schema import check
from gateway.store.postgres.status import reach
from trust.identity import PartyId

T = TypeVar("T")
_STATEMENT_SECONDS = 600.0
"""For one statement: reading all attempts takes its time."""


class PostgresReader:
    """Plain calls that block; made by :func:`open_reader`. They may raise ``Unavailable``.

    Each is a transaction of its own that sees one state and writes nothing. Not for use where an
    event loop runs: it has one of its own.
    """

    def __init__(self, runner: asyncio.Runner, connection: Connection, *, gateway: int) -> None:
        self._runner = runner
        self._connection = connection
        self._codec = Codec()
        self._messages = Messages(gateway, self._codec)

    def _run(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        async def transacted() -> T:
            connection = self._connection
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                return await work(connection)

        with mapped():
            return self._runner.run(transacted())

    def find(self, party: PartyId, interchange_id: InterchangeId) -> Stored | None:
        """See the protocol."""
        asked = [(interchange_id, party)]
        return self._run(lambda c: finding.find(c, self._codec, asked))[0]

    def refusals(self, interchange_id: str, *, limit: int) -> tuple[Stored, ...]:
        """See the protocol."""
        return self._run(lambda c: reads.refusals(c, self._codec, interchange_id, limit))

    def report(self, record: int, ordinal: int) -> Report | None:
        """See the protocol."""
        return self._run(lambda c: reports.of_message(c, self._codec, record, ordinal))

    def losses(self, *, since: datetime | None) -> tuple[Loss, ...]:
        """See the protocol."""
        return self._run(lambda c: reports.losses(c, self._codec, since))

    def raw(self, record: int, at: int) -> bytes | None:
        """See the protocol."""
        return self._run(lambda c: reads.raw(c, self._codec, record, at))

    def registry(self) -> bytes | None:
        """See the protocol."""
        found = self._run(reads.registry)
        return None if found is None else found[1]

    def registries(self) -> Iterator[tuple[int, bytes]]:
        """See the protocol."""
        yield from self._run(reads.registries)

    def proof(self, record: int) -> Proof | None:
        """See the protocol."""
        return self._run(lambda c: proofs.read(c, self._codec, record))

    def message(self, record: int, ordinal: int) -> StoredMessage | None:
        """See the protocol."""
        place = (record, ordinal)
        found = self._run(lambda c: self._messages.read(c, (place,), bodies=False))
        return found.get(place)

    def removal(self, record: int, rule: str) -> Removal | None:
        """See the protocol."""
        return self._run(lambda c: retention.removal(c, record, rule))

    def quality(self, *, party: PartyId | None, since: date, until: date, daily: bool) -> Quality:
        """See the protocol."""
        return self._run(lambda c: quality.read(c, party, since, until, daily=daily))

    def trace(self, value: str, *, limit: int) -> tuple[TraceEntry, ...]:
        """See the protocol."""

        async def whole(connection: Connection) -> tuple[TraceEntry, ...]:
            entries = await trace.trace(connection, self._messages, self._codec, value, limit)
            places = [(int(e.message.record), e.message.ordinal) for e in entries]
            found = await self._messages.read(connection, places, bodies=True)
            return tuple(
                msgspec.structs.replace(entry, message=found[place])
                for entry, place in zip(entries, places, strict=True)
            )

        return self._run(whole)


@contextmanager
def open_reader(url: str, *, gateway: int, password: str | None = None) -> Iterator[PostgresReader]:
    """Open the journal in a database for reading; blocks.

    Raises ``JournalMismatch`` for one that is not this gateway's or not of this version, and
    ``Unavailable`` when it can not be reached. The database's user needs to read only.
    """
    with asyncio.Runner() as runner:
        with mapped():
            connection = runner.run(
                reach(
                    url,
                    Concern.READ,
                    password=password,
                    statement_seconds=_STATEMENT_SECONDS,
                )
            )
        try:
            with mapped():
                runner.run(check(connection, gateway=gateway))
            yield PostgresReader(runner, connection, gateway=gateway)
        finally:
            connection.terminate()
