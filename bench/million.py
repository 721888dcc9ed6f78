"""A journal of a million messages: acceptance against an empty one, traces, bytes a message.

``python -m bench.million [--messages N]… [--store sqlite|postgres]…``. Goal 11: at least 80 % of
the acceptance of an empty journal of the same run, and a trace by item at p99 below 50 ms. Orders
and items, one message an interchange; items numbered serially as posts do, and beside it with
scattered numbers. All are delivered once. Rates are the best of several rounds in turns.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from random import Random
from typing import Final

import msgspec

from bench.filling import Clock, Traffic, accept, deliver, fill, journal_in
from bench.results import Series, Told, goal_of
from bench.timing import percentile, verdict
from gateway.core.ports import Journal

OVER: Final = timedelta(days=100)
ROUNDS: Final = 4
TRACES: Final = 2_000
GOAL_RATE, GOAL_TRACE = 0.80, 0.050
QUICK, USUAL, FULL = (6_000,), (20_000, 100_000), (100_000, 1_000_000)
"""Messages in the journal."""
NAMES: Final = {"sqlite": "SQLite", "postgres": "PostgreSQL"}


class Kind(msgspec.Struct, frozen=True):
    """What journal is measured."""

    store: str
    scattered: bool = False

    @property
    def title(self) -> str:
        """For people."""
        return NAMES[self.store] + ", scattered numbers" * self.scattered


class Point(msgspec.Struct, frozen=True):
    """Messages a second into a journal with so many, and into an empty one in turns with it."""

    messages: int
    rate: float
    empty: float


class Found(msgspec.Struct, frozen=True):
    """What one journal showed."""

    points: tuple[Point, ...]
    trace_p50: float
    trace_p99: float
    trace_longest: float
    """Seconds."""
    bytes_each: float


async def rate(journal: Journal, traffic: Traffic, numbers: range, clock: Clock) -> float:
    """Messages a second of one block; its deliveries are made afterwards, outside of the time."""
    began = time.perf_counter()
    await accept(journal, traffic, numbers, clock)
    wall = time.perf_counter() - began
    await deliver(journal, clock)
    return len(numbers) / wall


async def traces(journal: Journal, traffic: Traffic, count: int) -> list[float]:
    """Seconds of traces by item."""
    chance, times = Random(3), []
    for _ in range(min(TRACES, count)):
        value = traffic.item_id(chance.randrange(1, count, 2))
        began = time.perf_counter()
        found = await journal.trace(value)
        times.append(time.perf_counter() - began)
        assert len(found) == 1
        assert len(found[0].attempts) == 1
    return times


async def run(kind: Kind, counts: Sequence[int]) -> Found:
    """Fill one journal to each size in turn, and measure there."""
    clock, traffic = Clock(), Traffic(scattered=kind.scattered)
    block = min(8_000, max(2_000, counts[0] // 4))
    points: list[Point] = []
    there = 0
    async with journal_in(kind.store, clock) as (journal, _):
        for count in counts:
            await fill(journal, traffic, count, clock, over=OVER, first=there)
            there = count
            full: list[float] = []
            empty: list[float] = []
            for _ in range(ROUNDS):
                numbers = range(there, there + block)
                full.append(await rate(journal, traffic, numbers, clock))
                there = numbers.stop
                async with journal_in(kind.store, clock) as (fresh, _):
                    empty.append(await rate(fresh, traffic, range(block), clock))
            points.append(Point(there, max(full), max(empty)))
        times = await traces(journal, traffic, there)
        size = await journal.retention.size(now=clock(), tables=True)
    return Found(
        points=tuple(points),
        trace_p50=percentile(times, 0.5),
        trace_p99=percentile(times, 0.99),
        trace_longest=max(times),
        bytes_each=size.used / there,
    )


def tell(kind: Kind, found: Found) -> None:
    """Print what was measured."""
    print(kind.title)
    for point in found.points:
        share = point.rate / point.empty
        print(
            f"  acceptance, {point.messages:>9,} there {point.rate:8,.0f} a second, into an empty"
            f" one {point.empty:8,.0f}: {share:.0%}"
            f" (goal {GOAL_RATE:.0%}): {verdict(met=share >= GOAL_RATE)}"
        )
    print(
        f"  trace by item: p50 {found.trace_p50 * 1e3:.2f} ms, p99 {found.trace_p99 * 1e3:.2f} ms,"
        f" longest {found.trace_longest * 1e3:.1f} ms (goal p99 < {GOAL_TRACE * 1e3:.0f} ms):"
        f" {verdict(met=found.trace_p99 < GOAL_TRACE)}"
    )
    print(f"  {found.bytes_each:,.0f} bytes a message", flush=True)


def goals(kind: Kind, found: Found, beside: str) -> Iterator[Told]:
    """What goal 11 asks of a large journal; ``beside`` is what other numbers showed."""
    last = found.points[-1]
    yield goal_of(
        f"11 acceptance into {last.messages:,} messages, {kind.title}",
        baseline=last.empty,
        figure=last.rate,
        ratio=last.rate / last.empty,
        at_least=GOAL_RATE,
        unit="messages a second",
        what="into an empty journal in turns with it; into one with so many messages, items"
        " numbered serially",
        note=beside,
    )
    yield goal_of(
        f"11 trace among {last.messages:,} messages, {kind.title}",
        baseline=GOAL_TRACE * 1e3,
        figure=found.trace_p99 * 1e3,
        ratio=found.trace_p99 / GOAL_TRACE,
        at_most=1.0,
        unit="ms",
        what="what is allowed; p99 of traces by item",
    )


def series(kind: Kind, found: Found) -> Series:
    """Acceptance against the size of the journal, from an empty one on."""
    return Series(
        plot="acceptance-against-journal",
        name=kind.title,
        x=(0.0, *(float(point.messages) for point in found.points)),
        y=(
            max(point.empty for point in found.points),
            *(point.rate for point in found.points),
        ),
    )


def measured(
    stores: Sequence[str], counts: Sequence[int], *, scatter: bool = True
) -> Iterator[Told]:
    """Each store with serial numbers, SQLite with scattered ones before unless told otherwise."""
    for store in stores:
        beside = ""
        if store == "sqlite" and scatter:
            scattered = Kind(store, scattered=True)
            found = asyncio.run(run(scattered, counts))
            tell(scattered, found)
            yield series(scattered, found)
            last = found.points[-1]
            beside = f"{last.rate / last.empty:.0%} with scattered numbers"
        kind = Kind(store)
        found = asyncio.run(run(kind, counts))
        tell(kind, found)
        yield from goals(kind, found, beside)
        yield series(kind, found)


def measure(*, quick: bool) -> Iterator[Told]:
    """Goal 11 for journals; PostgreSQL and a million messages take `measure_full`."""
    if quick:
        yield from measured(["sqlite"], QUICK, scatter=False)
    else:
        yield from measured(["sqlite"], USUAL)


def measure_full() -> Iterator[Told]:
    """Goal 11 for journals of the size that it names."""
    yield from measured(["sqlite", "postgres"], FULL)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--messages", type=int, action="append")
    parser.add_argument("--store", choices=tuple(NAMES), action="append")
    given = parser.parse_args()
    for _ in measured(given.store or tuple(NAMES), given.messages or FULL):
        continue


if __name__ == "__main__":
    main()
