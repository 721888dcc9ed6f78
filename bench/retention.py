"""What pruning costs accepting: rates with and without it, in turns, on one journal.

``python -m bench.retention [--messages N] [--seconds S] [--store sqlite|postgres]``. Goal: pruning
at its usual pace lowers acceptance by at most 10 % on PostgreSQL and 20 % on SQLite.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import statistics
import time
from collections.abc import Iterator
from datetime import timedelta

from bench.filling import AT_ONCE, START, Clock, Traffic, fill, journal_in
from bench.results import Goal, goal_of
from bench.timing import verdict
from gateway.config.retention import RetentionSection
from gateway.core.ports import Journal
from gateway.core.retention import Budget, Pruned

GOALS = {"sqlite": 0.80, "postgres": 0.90}
TURNS = 5
WARM_SECONDS = 1.0


async def accepting(
    journal: Journal, traffic: Traffic, numbers: itertools.count[int], clock: Clock, seconds: float
) -> float:
    """Messages a second that are accepted in so long a time."""
    until = time.perf_counter() + seconds
    done = 0

    async def one_after_the_other() -> None:
        nonlocal done
        while time.perf_counter() < until:
            record = await journal.reserve()
            await journal.commit(traffic.acceptance(record, next(numbers), at=clock()))
            done += 1

    began = time.perf_counter()
    await asyncio.gather(*(one_after_the_other() for _ in range(AT_ONCE // 4)))
    return done / (time.perf_counter() - began)


async def run(
    store: str, count: int, seconds: float, *, turns: int = TURNS, rest: float | None = None
) -> Goal:
    """Print the figures of one store; its goal."""
    clock, traffic, numbers = Clock(), Traffic(), itertools.count(count)
    section = RetentionSection()
    pace = section.pause if rest is None else rest
    async with journal_in(store, clock) as (journal, _):
        await fill(journal, traffic, count, clock, over=timedelta(days=20))
        clock.at = START + timedelta(days=400)
        await accepting(journal, traffic, numbers, clock, WARM_SECONDS)
        without: list[float] = []
        beside: list[float] = []
        total, pruning = Pruned(), 0.0
        for _ in range(turns):
            without.append(await accepting(journal, traffic, numbers, clock, seconds))
            budget = Budget(rows=section.rows, rest=pace, seconds=seconds)
            began = time.perf_counter()
            task = asyncio.create_task(
                journal.retention.prune(section.rules, now=clock(), budget=budget)
            )
            beside.append(await accepting(journal, traffic, numbers, clock, seconds))
            total += await task
            pruning += time.perf_counter() - began
    share = statistics.median(
        with_ / (before) for with_, before in zip(beside, without, strict=True)
    )
    met = share >= GOALS[store]
    print(f"{store}: {count:,} messages that are over, pause {pace:g} times the step")
    print(f"  acceptance without pruning {statistics.median(without):8,.0f} a second")
    print(
        f"  acceptance beside it       {statistics.median(beside):8,.0f} a second = {share:.0%}"
        f" (goal {GOALS[store]:.0%}): {verdict(met=met)}"
    )
    print(
        f"  removed {total.bodies:,} bodies and {total.contents:,} contents,"
        f" {total.bodies / pruning:,.0f} messages a second{'' if total.over else '; more is left'}",
        flush=True,
    )
    return goal_of(
        f"pruning beside acceptance, {store}",
        baseline=statistics.median(without),
        figure=statistics.median(beside),
        ratio=share,
        at_least=GOALS[store],
        unit="messages a second",
        what="accepted while nothing is pruned; while what is over is pruned at the usual pace",
    )


def measure(*, quick: bool) -> Iterator[Goal]:
    """What pruning costs accepting, on SQLite."""
    if quick:
        yield asyncio.run(run("sqlite", 4_000, 0.5, turns=2))
    else:
        yield asyncio.run(run("sqlite", 60_000, 2.0, turns=4))


def measure_full() -> Iterator[Goal]:
    """The same on both stores, with more that is over."""
    for store in GOALS:
        yield asyncio.run(run(store, 120_000, 3.0))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--messages", type=int, default=120_000)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rest", type=float, help="pause as a multiple of a step's time")
    parser.add_argument("--store", choices=("sqlite", "postgres"), action="append")
    given = parser.parse_args()
    for store in given.store or ("sqlite", "postgres"):
        asyncio.run(run(store, given.messages, given.seconds, rest=given.rest))


if __name__ == "__main__":
    main()
