"""What dispatching does: deliveries a second, what a hanging neighbour costs, urgent work, outages.

``python bench/dispatch.py [--store sqlite|postgres] [--backlog N] [--orders N] [PART…]``. Receivers
take what they get at once, unless it says otherwise. Parts: rate, hanging, urgent, day, stream; all
of them unless some are named.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import itertools
import os
import random
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from gateway.app.waking import Waking
from gateway.core.errors import Refused, Unavailable
from gateway.core.identifiers import InterchangeId, MessageId
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


async def accepted_a_second(town: Town, *, seconds: float, to: Sequence[str]) -> float:
    """Messages a second, of interchanges with one message each, 64 callers at once."""
    ends, count = time.perf_counter() + seconds, itertools.count()
    done = 0

    async def caller() -> None:
        nonlocal done
        while time.perf_counter() < ends:
            await town.accept([f"a-{next(count)}-{time.perf_counter_ns()}"], to=to)
            done += 1

    begun = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(64)))
    return done / (time.perf_counter() - begun)


async def rate(town: Town, count: int) -> None:
    """Goal 9: legs drained a second against messages accepted a second, one after the other.

    Through the whole middle: judged, planned, receipted; minimised, encoded, settled. Without
    transports on either side.
    """
    from tests.bench_middle import accepting, preparer_of

    accept = accepting(town.journal, town.bell, clock=now)
    numbers = iter(range(count))

    async def caller() -> None:
        for number in numbers:
            await accept(number)

    begun = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(64)))
    accepted = count / (time.perf_counter() - begun)
    print(f"accepted, of {count:,} items:             {accepted:8.0f} messages a second")
    receivers = [Receiver("risk"), Receiver("clearance")]
    settings = DispatchSettings(batch=256, in_flight=256)
    preparer = preparer_of(town.journal)
    begun = time.perf_counter()
    async with town.delivering(*receivers, settings=settings, preparer=preparer):
        await until(lambda: all(len(receiver.got) == count for receiver in receivers))
    drained = 2 * count / (time.perf_counter() - begun)
    print(f"delivered, to two destinations:         {drained:8.0f} legs a second")
    print(f"goal 9, drained to accepted (3.0):      {drained / accepted:8.1f} ×")


async def stream(_: Town, seconds: float) -> None:
    """gRPC: many deliveries in one stream against a call for each."""
    from tests.bench_middle import grpc_pair

    for name, stream_bytes in (("a call for each", 0), ("one stream", 1 << 20)):
        async with grpc_pair(stream_bytes) as destination:
            ends, count = time.perf_counter() + seconds, itertools.count()
            done = 0

            async def caller() -> None:
                nonlocal done
                while time.perf_counter() < ends:  # noqa: B023 - called within its own turn
                    outgoing = Outgoing(
                        message_id=MessageId(f"m-{next(count)}"),  # noqa: B023 - the same
                        kind="Order",
                        format=FORMAT,
                        content=BODY,
                    )
                    await destination.deliver(outgoing)
                    done += 1

            begun = time.perf_counter()
            await asyncio.gather(*(caller() for _ in range(32)))
            taken = done / (time.perf_counter() - begun)
            print(f"gRPC, {name + ',':<16} 32 at once:     {taken:8.0f} a second")


def p99(values: Sequence[float]) -> float:
    """The 99th percentile."""
    return statistics.quantiles(values, n=100)[98]


async def _paced(town: Town, name: str, receivers: Sequence[Receiver], seconds: float) -> float:
    """p99 in seconds from acceptance to delivery, 100 messages a second to each destination."""
    born: dict[str, float] = {}
    others = [receiver for receiver in receivers if not receiver.hangs]
    to = [receiver.id for receiver in receivers]
    for receiver in others:
        receiver.got.clear()
    begun = time.perf_counter()
    for n in range(int(seconds * 100)):
        await asyncio.sleep(max(0.0, begun + n / 100 - time.perf_counter()))
        key = f"{name}-{n}"
        born[key] = time.perf_counter()
        await town.accept([key], to=to)
    await until(lambda: all(len(receiver.got) >= len(born) for receiver in others))
    return p99([at - born[key] for receiver in others for at, key in receiver.got if key in born])


async def hanging(town: Town, seconds: float) -> None:
    """Goal 10: what a destination that hangs costs the others."""
    others = [Receiver(f"other-{n}", seconds=0.005) for n in range(3)]
    stuck = Receiver("stuck", seconds=0.005)
    async with town.delivering(*others, stuck):
        await _paced(town, "warm", [*others, stuck], 2)
        without = await _paced(town, "well", [*others, stuck], seconds)
        stuck.hangs = True
        beside = await _paced(town, "hung", [*others, stuck], seconds)
    print(f"p99 of three destinations:              {without * 1e3:8.1f} ms")
    print(f"p99 of these while a fourth hangs:      {beside * 1e3:8.1f} ms")
    print(f"goal 10 (at most 1.5):                  {beside / without:8.2f} ×")


async def urgent(town: Town, count: int) -> None:
    """A do-not-load behind a backlog, after an outage."""
    receiver = Receiver("customs", seconds=0.01)
    receiver.is_down = True
    begun = time.perf_counter()
    await town.backlog(count, to=("customs",), prefix="u")
    print(f"backlog of {count:,} orders, built in      {time.perf_counter() - begun:8.1f} s")
    async with town.delivering(receiver):
        await until(lambda: not town.board.of("customs").delivers)
        await asyncio.sleep(3)  # the pauses between probes are at their longest
        await town.accept(["do-not-load"], to=("customs",), lane=0)
        receiver.is_down = False
        returned = time.perf_counter()
        await until(lambda: any(key == "do-not-load" for _, key in receiver.got))
        at = next(at for at, key in receiver.got if key == "do-not-load")
        before = sum(other < at for other, _ in receiver.got)
    took = at - returned
    print(f"do-not-load after the return (2.0):     {took:8.2f} s, {before} deliveries before it")


async def day(town: Town, seconds: float) -> None:
    """A back end that is down: acceptance against the same with it up, then the backlog."""
    receiver = Receiver("backend")
    settings = DispatchSettings(batch=256, in_flight=64)
    async with town.delivering(receiver, settings=settings):
        up = await accepted_a_second(town, seconds=seconds, to=("backend",))
        receiver.is_down = True
        down = await accepted_a_second(town, seconds=seconds, to=("backend",))
        for _ in range(5):
            await town.accept([f"k-{n}" for n in range(100)], to=("backend",))
        (waiting,) = [b for b in await town.journal.backlog() if b.destination == "backend"]
        receiver.is_down = False
        begun = time.perf_counter()

        count = sum(len(keys) for keys in receiver.versions.values()) + waiting.ready
        await until(lambda: len(receiver.got) >= count)
    taken = time.perf_counter() - begun
    print(f"accepted with the back end up:          {up:8.0f} a second")
    print(f"accepted with it down:                  {down:8.0f} a second")
    print(f"acceptance while down (90):             {down / up * 100:8.0f} %")
    print(f"backlog of {waiting.ready:,} keys drained in         {taken:8.1f} s")
    disordered = sum(found != sorted(found) for found in receiver.versions.values())
    doubled = sum(len(found) != len(set(found)) for found in receiver.versions.values())
    print(f"keys disordered: {disordered}, with doubles: {doubled}")


@contextmanager
def _url() -> Iterator[str]:
    from tests.postgres import database

    with database() as url:
        yield url


@asynccontextmanager
async def opened(store: str, folder: Path) -> AsyncIterator[Journal]:
    """An empty journal."""
    if store == "sqlite":
        name = f"journal-{time.perf_counter_ns()}.db"
        journal: Journal = await open_sqlite(folder / name, gateway=1, clock=now)
        yield journal
        await journal.close()
        return
    from gateway.store.postgres import open_postgres

    with _url() as url:
        journal = await open_postgres(url, gateway=1, clock=now)
        yield journal
        await journal.close()


async def run(options: argparse.Namespace) -> None:
    """Print the figures."""
    parts: dict[str, Callable[[Town], Awaitable[None]]] = {
        "rate": lambda town: rate(town, options.backlog),
        "hanging": lambda town: hanging(town, options.seconds),
        "urgent": lambda town: urgent(town, options.orders),
        "day": lambda town: day(town, options.seconds),
        "stream": lambda town: stream(town, options.seconds / 2),
    }
    print(f"store: {options.store}, {os.cpu_count()} processors")
    with tempfile.TemporaryDirectory() as folder:
        for name in options.parts or parts:
            async with opened(options.store, Path(folder)) as journal:
                await parts[name](Town(journal))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART")
    parser.add_argument("--store", default="sqlite", choices=("sqlite", "postgres"))
    parser.add_argument("--backlog", type=int, default=20_000)
    parser.add_argument("--orders", type=int, default=200_000)
    parser.add_argument("--seconds", type=float, default=8.0)
    with suppress(KeyboardInterrupt):
        asyncio.run(run(parser.parse_args()))
