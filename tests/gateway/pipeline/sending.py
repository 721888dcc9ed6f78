"""A dispatcher at work on a journal of any kind, with a receiver that does what a test says."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from gateway.core.destinations import Change
from gateway.core.errors import Refused, Unavailable
from gateway.core.identifiers import InterchangeId
from gateway.core.ports import Destination, Journal
from gateway.core.records import (
    Acceptance,
    Delivery,
    Outgoing,
    PlannedLeg,
    PlannedMessage,
    Result,
    Settlement,
    State,
    Stored,
    Subject,
)
from gateway.core.reports import Report
from gateway.pipeline.bell import Bell
from gateway.pipeline.outbound import Dispatcher
from gateway.pipeline.prepare import Prepared
from gateway.pipeline.settings import BreakerSettings, DispatchSettings
from gateway.pipeline.switchboard import Switchboard
from gateway.routing import Endpoint
from gateway.store.memory import MemoryJournal
from translators.translator import FormatId
from trust.identity import PartyId

START = datetime(2026, 11, 21, 12, tzinfo=UTC)
FORMAT = FormatId("luxor.json.1")
SETTINGS = DispatchSettings(
    idle=0.01,
    first_pause=0.0,
    longest_pause=0.0,
    timeout=0.5,
    lease=5,
    attempts=3,
    breaker=BreakerSettings(first_pause=0.0, longest_pause=0.0),
)
HANG_S = 10.0
"""What takes longer than this hangs."""


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        """Later by so many seconds."""
        self.now += timedelta(seconds=seconds)


class Plain:
    """Sends bodies as they are."""

    async def prepare(self, delivery: Delivery, endpoint: Endpoint) -> Prepared:
        message = delivery.message
        assert message.body is not None
        outgoing = Outgoing(
            message_id=message.message_id,
            kind=message.kind,
            format=endpoint.format,
            content=message.body,
        )
        return Prepared(outgoing=outgoing, report=Report(format=endpoint.format, kind=message.kind))


Behave = Callable[[str], Awaitable[None]]
"""Given the text of a message: returns, raises or hangs."""


async def take(_: str) -> None:
    """Take every message."""


class Receiver:
    """A destination; ``got`` is what it took, ``asked`` what it was asked for, as texts."""

    def __init__(self, name: str) -> None:
        self.id = name
        self.got: list[str] = []
        self.asked: list[str] = []
        self.under_way = 0
        self.most = 0
        self.behave: Behave = take

    async def deliver(self, outgoing: Outgoing) -> str | None:
        text = outgoing.content.decode()
        self.asked.append(text)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await self.behave(text)
        finally:
            self.under_way -= 1
        self.got.append(text)
        return None

    async def close(self) -> None:
        """Nothing to close."""

    def down(self, reason: str = "connection refused", *, retry_after: float | None = None) -> None:
        """From now on nobody is there."""

        async def refuse(_: str) -> None:
            raise Unavailable(reason, retry_after=retry_after)

        self.behave = refuse

    def up(self) -> None:
        """From now on everything is taken."""
        self.behave = take


class Sending:
    """One node that delivers to one destination of a journal."""

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        *,
        settings: DispatchSettings = SETTINGS,
        node: str = "node-a",
        destination: str = "risk",
        receiver: Destination | None = None,
    ) -> None:
        self.journal = journal
        self.clock = clock
        self.settings = settings
        self.destination = destination
        self.receiver = receiver if isinstance(receiver, Receiver) else Receiver(destination)
        self._other = None if isinstance(receiver, Receiver) else receiver
        self.changes: list[Change] = []
        self.board = Switchboard(journal.destinations, node=node, told=self.changes.append)
        self.bell = Bell()
        self.settled: list[Settlement] = []
        self.told: list[tuple[Delivery, Refused]] = []
        self.failed: list[Exception] = []
        self.telling: Behave = take
        """Done while a sender is told that a message is buried, given its text."""
        self._numbers = itertools.count(1)

    async def queue(
        self, *texts: str, lane: int = 2, key: str | None = None, to: Iterable[str] = ()
    ) -> Stored:
        """Accept messages in one interchange, each with a key of its own unless said otherwise."""
        number = next(self._numbers)
        destinations = tuple(to) or (self.destination,)
        messages = tuple(
            PlannedMessage(
                ordinal=ordinal,
                kind="ItemDeclaration",
                body=text.encode(),
                subjects=(Subject("item", key or text, "LU"),),
                legs=tuple(PlannedLeg(destination=d, route="r", lane=lane) for d in destinations),
            )
            for ordinal, text in enumerate(texts, 1)
        )
        name = f"{self.board.node}-{number}"
        stored = await self.journal.commit(
            Acceptance(
                record=await self.journal.reserve(),
                party=PartyId("post-a"),
                interchange_id=InterchangeId(name),
                attempt=1,
                state=State.ACCEPTED,
                format=FORMAT,
                transport="https",
                digest=hashlib.sha256(name.encode()).hexdigest(),
                size=1,
                received_at=self.clock(),
                accepted=len(messages),
                refused=0,
                receipt="e30.e30.c2ln",
                outcomes=b"[]",
                messages=messages,
            )
        )
        self.bell.ring(destinations)
        return stored

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Dispatcher]:
        """Deliver while the block runs."""
        await self.board.refresh()
        dispatcher = self.dispatcher()
        work = asyncio.create_task(dispatcher.run())
        ticker = asyncio.create_task(self._tick())
        try:
            yield dispatcher
        finally:
            dispatcher.stop()
            await asyncio.wait_for(work, HANG_S)
            ticker.cancel()

    def dispatcher(self) -> Dispatcher:
        """A dispatcher that does not run yet."""

        async def bury(delivery: Delivery, refused: Refused) -> None:
            self.told.append((delivery, refused))
            await self.telling((delivery.message.body or b"").decode())

        return Dispatcher(
            journal=self.journal,
            destination=self._other or self.receiver,
            endpoint=Endpoint(
                id=self.destination,
                party=PartyId("customs"),
                format=FORMAT,
                transport="https",
            ),
            preparer=Plain(),
            settings=self.settings,
            board=self.board,
            bell=self.bell,
            clock=self.clock,
            random=lambda: 0.0,
            buried=bury,
            observe=self.settled.append,
            failed=lambda _, error: self.failed.append(error),
        )

    async def _tick(self) -> None:
        while True:
            self.bell.ring(await self.board.refresh())
            self.bell.ring(await self.journal.tick(now=self.clock()))
            await asyncio.sleep(0.005)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(HANG_S):
            while not condition():  # noqa: ASYNC110 - there is no event for what tests look at
                await asyncio.sleep(0.002)

    def results(self) -> list[Result]:
        """How attempts ended, without what was given back."""
        return [s.result for s in self.settled if s.result is not Result.RETURNED]

    @property
    def states(self) -> list[str]:
        """The states of the breaker, one after the other."""
        return [
            state for state, _ in itertools.groupby(c.after.breaker.value for c in self.changes)
        ]


Make = Callable[..., Sending]
"""Makes a node, given what is to be other than usual."""


def nodes() -> Make:
    """Nodes on one journal in memory, with one clock."""
    clock = Clock()
    journal = MemoryJournal(gateway=1, clock=clock)

    def make(**changes: object) -> Sending:
        return Sending(journal, clock, **changes)  # type: ignore[arg-type]  # passed on as it is

    return make
