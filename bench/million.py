"""A journal of a million messages: acceptance against an empty one, traces, bytes a message.

``python -m bench.million [--messages N] [--store sqlite|postgres]``. Goal 11: at least 80 % of the
acceptance of an empty journal of the same run, and a trace by item at p99 below 50 ms. Orders and
items, one message an interchange, items numbered serially as posts do; all delivered once.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from datetime import timedelta
from random import Random

from bench.filling import (
    Clock,
    Traffic,
    accept,
    deliver,
    fill,
    journal_in,
    percentile,
    verdict,
)
from gateway.core.ports import Journal

OVER = timedelta(days=100)
BLOCK = 8_000
ROUNDS = 3
TRACES = 2_000
GOAL_RATE, GOAL_TRACE = 0.80, 0.050


async def rate(journal: Journal, traffic: Traffic, first: int, clock: Clock) -> float:
    """Messages a second of one block; its deliveries are made afterwards, outside of the time."""
    began = time.perf_counter()
    await accept(journal, traffic, range(first, first + BLOCK), clock)
    wall = time.perf_counter() - began
    await deliver(journal, clock)
    return BLOCK / wall


async def traces(journal: Journal, traffic: Traffic, count: int) -> tuple[float, float, float]:
    """p50, p99 and the longest of traces by item, in seconds."""
    chance, times = Random(3), []
    for _ in range(TRACES):
        value = traffic.item_id(chance.randrange(1, count, 2))
        began = time.perf_counter()
        found = await journal.trace(value)
        times.append(time.perf_counter() - began)
        assert len(found) == 1
        assert len(found[0].attempts) == 1
    return percentile(times, 0.5), percentile(times, 0.99), max(times)


async def run(store: str, count: int) -> bool:
    """Print the figures of one store; whether the goals are met."""
    clock, traffic = Clock(), Traffic()
    async with journal_in(store, clock) as (journal, _):
        began = time.perf_counter()
        await fill(journal, traffic, count, clock, over=OVER)
        print(f"{store}: {count:,} messages in {time.perf_counter() - began:.0f} s", flush=True)
        full: list[float] = []
        empty: list[float] = []
        for turn in range(ROUNDS):
            full.append(await rate(journal, traffic, count + turn * BLOCK, clock))
            async with journal_in(store, clock) as (fresh, _):
                empty.append(await rate(fresh, traffic, 0, clock))
        times = await traces(journal, traffic, count)
        size = await journal.retention.size(now=clock(), tables=True)
    return tell(
        store,
        count + ROUNDS * BLOCK,
        statistics.median(full),
        statistics.median(empty),
        times,
        size.used,
    )


def tell(
    store: str,
    count: int,
    full: float,
    empty: float,
    times: tuple[float, float, float],
    used: int,
) -> bool:
    """Print what was measured; whether both goals are met."""
    share = full / empty
    p50, p99, longest = (1_000 * value for value in times)
    met = share >= GOAL_RATE, times[1] < GOAL_TRACE
    print(f"  acceptance, empty            {empty:8,.0f} a second")
    print(
        f"  acceptance, {count:>9,} there {full:8,.0f} a second = {share:.0%}"
        f" (goal {GOAL_RATE:.0%}): {verdict(met=met[0])}"
    )
    print(
        f"  trace by item: p50 {p50:.2f} ms, p99 {p99:.2f} ms, longest {longest:.1f} ms"
        f" (goal p99 < {GOAL_TRACE * 1_000:.0f} ms): {verdict(met=met[1])}"
    )
    print(f"  {used / count:,.0f} bytes a message", flush=True)
    return all(met)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--store", choices=("sqlite", "postgres"), action="append")
    given = parser.parse_args()
    for store in given.store or ("sqlite", "postgres"):
        asyncio.run(run(store, given.messages))


if __name__ == "__main__":
    main()
