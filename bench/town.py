"""A journal, destinations and one process that delivers, without transports: for measurements."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from bench.durable import GATEWAY, database
from gateway.app.waking import Waking
from gateway.core.errors import Refused, Unavailable
from gateway.core.identifiers import InterchangeId
from gateway.core.ports import Journal
from gateway.core.records import (
    Acceptance,
    Delivery,
    Outgoing,
    PlannedLeg,
    PlannedMessage,
    Settlement,
    State,
    Subject,
)
from gateway.core.reports import Report
from gateway.pipeline.attempt import Prepares
from gateway.pipeline.bell import Bell
from gateway.pipeline.outbound import Dispatcher
from gateway.pipeline.prepare import Prepared
from gateway.pipeline.settings import DispatchSettings
from gateway.pipeline.switchboard import Switchboard
from gateway.routing import Endpoint
from gateway.store.postgres import open_postgres
from gateway.store.sqlite import open_sqlite
from translators.translator import FormatId
from trust.identity import PartyId

FORMAT = FormatId("luxor.json.1")
BODY = b'{"type":"Order","platform_id":"shop.example","filler":"' + b"x" * 1_000 + b'"}'
CHUNK = 500
"""Messages of one interchange while a backlog is built."""


def now() -> datetime:
    """The time."""
    return datetime.now(UTC)


class Plain:
    """Sends bodies as they are: preparing is measured elsewhere."""

    async def prepare(self, delivery: Delivery, endpoint: Endpoint) -> Prepared:
        """The body, beside an empty report."""
        message = delivery.message
        content = f"{message.key.value}#{message.version}".encode()
        outgoing = Outgoing(
            message_id=message.message_id,
            kind=message.kind,
            format=endpoint.format,
            content=content,
        )
        return Prepared(outgoing=outgoing, report=Report(format=endpoint.format, kind=message.kind))


class Receiver:
    """Takes messages after ``seconds``, unless it is down or hangs."""

    def __init__(self, name: str, *, seconds: float = 0.0) -> None:
        self.id = name
        self.seconds = seconds
        self.is_down = self.hangs = False
        self.got: list[tuple[float, str]] = []
        """When, and the key of what."""
        self.versions: dict[str, list[int]] = {}

    async def deliver(self, outgoing: Outgoing) -> str | None:
        """Take one."""
        if self.is_down:
            raise Unavailable("connection refused")
        if self.hangs:
            await asyncio.sleep(3_600)
        if self.seconds:
            await asyncio.sleep(self.seconds)
        key, _, version = outgoing.content.decode().partition("#")
        self.got.append((time.perf_counter(), key))
        self.versions.setdefault(key, []).append(int(version or 0))
        return None

    async def close(self) -> None:
        """Nothing is held."""


class Town:
    """A journal, destinations, and one process that delivers."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.bell = Bell()
        self.board = Switchboard(journal.destinations, node="bench", told=lambda _: None)
        self._numbers = itertools.count(1)

    async def accept(self, keys: Sequence[str], *, to: Sequence[str], lane: int = 2) -> None:
        """One interchange with a message for each key."""
        name = f"bench-{next(self._numbers)}"
        messages = tuple(
            PlannedMessage(
                ordinal=ordinal,
                kind="Order",
                body=BODY,
                subjects=(Subject("order", key, "shop.example"),),
                legs=tuple(PlannedLeg(destination=d, route="bench", lane=lane) for d in to),
            )
            for ordinal, key in enumerate(keys, 1)
        )
        await self.journal.commit(
            Acceptance(
                record=await self.journal.reserve(),
                party=PartyId("shop"),
                interchange_id=InterchangeId(name),
                attempt=1,
                state=State.ACCEPTED,
                format=FORMAT,
                transport="https",
                digest=hashlib.sha256(name.encode()).hexdigest(),
                size=len(BODY),
                received_at=now(),
                accepted=len(messages),
                refused=0,
                receipt="e30.e30.c2ln",
                outcomes=b"[]",
                messages=messages,
            )
        )

    async def backlog(self, count: int, *, to: Sequence[str], prefix: str = "o") -> None:
        """So many orders, each with a key of its own."""
        for first in range(0, count, CHUNK):
            keys = [f"{prefix}-{n}" for n in range(first, min(first + CHUNK, count))]
            await self.accept(keys, to=to)

    @asynccontextmanager
    async def delivering(
        self,
        *receivers: Receiver,
        settings: DispatchSettings | None = None,
        preparer: Prepares | None = None,
    ) -> AsyncIterator[None]:
        """Deliver to these while the block runs."""
        waking = Waking(
            journal=self.journal,
            board=self.board,
            bell=self.bell,
            seconds=lambda: 0.2,
            clock=now,
            told=lambda _: None,
        )
        dispatchers = [
            self._dispatcher(one, settings or DispatchSettings(), preparer or Plain())
            for one in receivers
        ]
        tasks = [asyncio.create_task(one.run()) for one in dispatchers]
        awake = asyncio.create_task(waking.run())
        try:
            yield
        finally:
            for dispatcher in dispatchers:
                dispatcher.stop()
            await asyncio.wait(tasks, timeout=0.5)
            for task in (*tasks, awake):
                task.cancel()
            await asyncio.gather(*tasks, awake, return_exceptions=True)

    def _dispatcher(
        self, receiver: Receiver, settings: DispatchSettings, preparer: Prepares
    ) -> Dispatcher:
        async def bury(_: Delivery, __: Refused) -> None:
            return

        def ignore(_: Settlement) -> None:
            return

        def fail(_: Delivery, error: Exception) -> None:
            raise error

        return Dispatcher(
            journal=self.journal,
            destination=receiver,
            endpoint=Endpoint(
                id=receiver.id, party=PartyId(receiver.id), format=FORMAT, transport="https"
            ),
            preparer=preparer,
            settings=settings,
            board=self.board,
            bell=self.bell,
            clock=now,
            random=random.random,
            buried=bury,
            observe=ignore,
            failed=fail,
        )


async def until(condition: Callable[[], bool], *, seconds: float = 600.0) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - receivers have no events
            await asyncio.sleep(0.005)


@asynccontextmanager
async def opened(store: str, folder: Path) -> AsyncIterator[Journal]:
    """An empty journal."""
    if store == "sqlite":
        name = f"journal-{time.perf_counter_ns()}.db"
        journal: Journal = await open_sqlite(folder / name, gateway=GATEWAY, clock=now)
        yield journal
        await journal.close()
        return
    with database() as url:
        journal = await open_postgres(url, gateway=GATEWAY, clock=now)
        yield journal
        await journal.close()
