"""What dispatching does: deliveries a second, what a hanging neighbour costs, urgent work, outages.

``python -m bench.dispatch [--store sqlite|postgres] [--backlog N] [--orders N] [PART…]``. Goals 9
and 10. Receivers take what they get at once, unless it says otherwise. Parts: rate, hanging,
urgent, day, stream; all of them unless some are named.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from bench.results import Goal, goal_of
from bench.timing import percentile
from bench.town import BODY, FORMAT, Receiver, Town, now, opened, until
from gateway.core.identifiers import MessageId
from gateway.core.records import (
    Outgoing,
)
from gateway.pipeline.settings import DispatchSettings


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What to measure and how much of it."""

    parts: tuple[str, ...] = ()
    """All of them unless some are named."""
    store: str = "sqlite"
    backlog: int = 20_000
    """Messages, of two legs each."""
    orders: int = 20_000
    seconds: float = 8.0
    """Of each phase that lasts a time."""


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


async def rate(town: Town, count: int) -> Sequence[Goal]:
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
    settings = DispatchSettings(batch=256, in_flight=32)
    preparer = preparer_of(town.journal)
    begun = time.perf_counter()
    async with town.delivering(*receivers, settings=settings, preparer=preparer):
        await until(lambda: all(len(receiver.got) == count for receiver in receivers))
    drained = 2 * count / (time.perf_counter() - begun)
    print(f"delivered, to two destinations:         {drained:8.0f} legs a second")
    print(f"goal 9, drained to accepted (3.0):      {drained / accepted:8.1f} ×")
    return [
        goal_of(
            f"9 drained to accepted, whole middle, backlog of {2 * count:,} legs",
            baseline=accepted,
            figure=drained,
            ratio=drained / accepted,
            at_least=3.0,
            unit="a second",
            what="messages judged, planned, receipted and committed; legs minimised, encoded and"
            " settled, apart from it; no transport on either side",
        )
    ]


async def stream(_: Town, seconds: float) -> Sequence[Goal]:
    """gRPC: many deliveries in one stream against a call for each; it has no bar."""
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
    return []


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
    times = [at - born[key] for receiver in others for at, key in receiver.got if key in born]
    return percentile(times, 0.99)


async def hanging(town: Town, seconds: float) -> Sequence[Goal]:
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
    return [
        goal_of(
            "10 beside a destination that hangs",
            baseline=without * 1e3,
            figure=beside * 1e3,
            ratio=beside / without,
            at_most=1.5,
            unit="ms",
            what="p99 from acceptance to delivery at three destinations, 100 messages a second"
            " each; the same while a fourth hangs",
        )
    ]


async def urgent(town: Town, count: int) -> Sequence[Goal]:
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
    return [
        goal_of(
            f"urgent do-not-load behind {count:,} orders",
            baseline=2.0,
            figure=took,
            ratio=took / 2.0,
            at_most=1.0,
            unit="s",
            what="what is allowed; from the end of an outage to its delivery",
        )
    ]


async def day(town: Town, seconds: float) -> Sequence[Goal]:
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
    return [
        goal_of(
            "outage acceptance with a back end down",
            baseline=up,
            figure=down,
            ratio=down / up,
            at_least=0.9,
            unit="messages a second",
            what="acceptance while the back end takes everything; while it is down",
        )
    ]


async def run(options: Options) -> list[Goal]:
    """Print the figures of the parts; their goals."""
    parts: dict[str, Callable[[Town], Awaitable[Sequence[Goal]]]] = {
        "rate": lambda town: rate(town, options.backlog),
        "hanging": lambda town: hanging(town, options.seconds),
        "urgent": lambda town: urgent(town, options.orders),
        "day": lambda town: day(town, options.seconds),
        "stream": lambda town: stream(town, options.seconds / 2),
    }
    print(f"store: {options.store}, {os.cpu_count()} processors")
    found: list[Goal] = []
    with tempfile.TemporaryDirectory() as folder:
        for name in options.parts or parts:
            async with opened(options.store, Path(folder)) as journal:
                found += await parts[name](Town(journal))
    return found


def measure(*, quick: bool) -> Iterator[Goal]:
    """Goals 9 and 10 on SQLite, an outage and what is urgent behind it."""
    options = (
        Options(parts=("rate", "hanging"), backlog=1_500, seconds=3.0)
        if quick
        else Options(backlog=20_000, orders=20_000, seconds=6.0)
    )
    yield from asyncio.run(run(options))


def measure_full() -> Iterator[Goal]:
    """The same with the backlog that goal 9 names."""
    yield from asyncio.run(run(Options(backlog=50_000, orders=200_000, seconds=8.0)))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("parts", nargs="*", metavar="PART")
    parser.add_argument("--store", default="sqlite", choices=("sqlite", "postgres"))
    parser.add_argument("--backlog", type=int, default=20_000)
    parser.add_argument("--orders", type=int, default=200_000)
    parser.add_argument("--seconds", type=float, default=8.0)
    given = parser.parse_args()
    options = Options(
        parts=tuple(given.parts),
        store=given.store,
        backlog=given.backlog,
        orders=given.orders,
        seconds=given.seconds,
    )
    with suppress(KeyboardInterrupt):
        asyncio.run(run(options))


if __name__ == "__main__":
    main()
