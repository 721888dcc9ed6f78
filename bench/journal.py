"""The stores side by side: acceptances, claims and settlements a second, in groups and one by one.

``python -m bench.journal [--messages N] [--store sqlite|postgres]…``. Goal 9 of the stores alone.
One message in an interchange with three legs; receivers that take everything at once; every flush
of an acceptance waits for the disk, PostgreSQL's too. Bare transactions of one row stand beside.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path

import asyncpg
import msgspec

from bench.filling import Clock, Traffic
from bench.results import Goal, goal_of
from bench.timing import verdict
from gateway.core.ports import Journal
from gateway.core.records import PlannedLeg, Result, Settlement
from gateway.store.postgres import open_postgres
from gateway.store.sqlite import open_sqlite
from tests.postgres import Server

DESTINATIONS = ("risk", "revenue", "statistics")
GROUPS = (1, 32, 128, 512)
SINGLES = 50
"""One in so many messages has its legs claimed and settled one by one."""
BATCH = 256
DRAINED_GOAL = 3.0
SINGLE_GOALS = {"sqlite": 4.0, "postgres": 8.0}
NAMES = {"sqlite": "SQLite", "postgres": "PostgreSQL"}
QUICK, USUAL, FULL = 2_000, 15_000, 60_000
"""Messages."""


async def bare_file(folder: Path, count: int) -> float:
    """Transactions of one row a second, each flushed."""
    connection = sqlite3.connect(folder / "bare.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE bare (n INTEGER)")
    begun = time.perf_counter()
    for n in range(count):
        connection.execute("INSERT INTO bare VALUES (?)", (n,))
    took = time.perf_counter() - begun
    connection.close()
    return count / took


async def bare_database(url: str, count: int) -> float:
    """The same over one connection."""
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE bare (n bigint)")
    begun = time.perf_counter()
    for n in range(count):
        await connection.execute("INSERT INTO bare VALUES ($1)", n)
    took = time.perf_counter() - begun
    await connection.execute("DROP TABLE bare")
    await connection.close()
    return count / took


@asynccontextmanager
async def stores(names: Iterable[str]) -> AsyncIterator[dict[str, tuple[Journal, float]]]:
    """Empty journals by name, with their baselines."""
    opened: dict[str, tuple[Journal, float]] = {}
    clock = Clock()
    with ExitStack() as stack:
        for name in names:
            if name == "sqlite":
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
                bare = await bare_file(folder, 1_000)
                opened[name] = (
                    await open_sqlite(folder / "journal.db", gateway=7, clock=clock),
                    bare,
                )
            else:
                server = Server(safe=True, settings={"shared_buffers": "256MB"})
                stack.callback(server.stop)
                server.start()
                url = stack.enter_context(server.database())
                bare = await bare_database(url, 1_000)
                opened[name] = (await open_postgres(url, gateway=7, clock=clock), bare)
        try:
            yield opened
        finally:
            for journal, _ in opened.values():
                await journal.close()


async def accepted(journal: Journal, numbers: range, *, at_once: int) -> float:
    """Messages accepted a second, so many callers at a time."""
    traffic, clock, waiting = Traffic(), Clock(), iter(numbers)

    async def one_after_the_other() -> None:
        for number in waiting:
            record = await journal.reserve()
            planned = traffic.acceptance(record, number, at=clock())
            legs = tuple(
                PlannedLeg(destination=d, route="r", lane=number % 3) for d in DESTINATIONS
            )
            (message,) = planned.messages
            message = msgspec.structs.replace(message, legs=legs)
            await journal.commit(msgspec.structs.replace(planned, messages=(message,)))

    begun = time.perf_counter()
    await asyncio.gather(*(one_after_the_other() for _ in range(at_once)))
    return len(numbers) / (time.perf_counter() - begun)


async def drained(journal: Journal, *, limit: int, most: int | None = None) -> float:
    """Legs claimed and settled a second, so many keys at a time, of all destinations in turn."""
    now = Clock()() + timedelta(hours=1)
    legs = 0
    begun = time.perf_counter()
    left = list(DESTINATIONS)
    while left and (most is None or legs < most):
        destination = left.pop(0)
        lease = await journal.lease(
            destination, limit=limit, seconds=60, now=now, legs=1 if limit == 1 else None
        )
        if lease is None:
            continue
        done = [Settlement(delivery=d, result=Result.DELIVERED) for d in lease.deliveries]
        await journal.settle(lease, done, now=now)
        legs += len(done)
        left.append(destination)
    return legs / (time.perf_counter() - begun)


def show(what: str, rate: float, baseline: float) -> float:
    """Print one figure beside its baseline."""
    print(f"  {what:<44} {rate:9,.0f} a second, {rate / baseline:6.2f} × bare")
    return rate


async def measured(name: str, journal: Journal, bare: float, count: int) -> Sequence[Goal]:
    """Print the figures of one store; its goals."""
    print(f"{name}: {bare:,.0f} bare transactions a second")
    start, rates = 0, []
    for at_once in GROUPS:
        numbers = range(start, start + max(200, count * at_once // sum(GROUPS)))
        start = numbers.stop
        rate = await accepted(journal, numbers, at_once=at_once)
        rates.append(show(f"accepted, {at_once} callers at once", rate, bare))
    singles = start // SINGLES
    rate = await drained(journal, limit=1, most=singles)
    single = show("claimed and settled, one by one", rate, bare)
    what = f"the same, {BATCH} keys at a time, {len(DESTINATIONS) * start - singles:,} legs"
    batched = show(what, await drained(journal, limit=BATCH), bare)
    assert await journal.backlog() == ()
    return goals(name, accepting=max(rates), single=single, batched=batched)


def goals(name: str, *, accepting: float, single: float, batched: float) -> Sequence[Goal]:
    """Goal 9 from rates a second, printed too."""
    found = (
        goal_of(
            f"9 drained to accepted, store alone, {NAMES[name]}",
            baseline=accepting,
            figure=batched,
            ratio=batched / accepting,
            at_least=DRAINED_GOAL,
            unit="a second",
            what="messages accepted, the best of several groups; legs claimed and settled in"
            " batches",
        ),
        goal_of(
            f"9 batched claims to single ones, {NAMES[name]}",
            baseline=single,
            figure=batched,
            ratio=batched / single,
            at_least=SINGLE_GOALS[name],
            unit="legs a second",
            what=f"claimed and settled one by one; {BATCH} keys at a time",
        ),
    )
    for goal in found:
        print(f"  {goal.goal}: {goal.ratio:.1f} × ({goal.bar}: {verdict(met=goal.passed)})")
    return found


async def run(names: Iterable[str], count: int) -> list[Goal]:
    """Print the figures of each store; the goals of all."""
    found: list[Goal] = []
    async with stores(names) as opened:
        for name, (journal, bare) in opened.items():
            found += await measured(name, journal, bare, count)
    return found


def measure(*, quick: bool) -> Iterator[Goal]:
    """Goal 9 of both stores."""
    for name in NAMES:
        yield from asyncio.run(run([name], QUICK if quick else USUAL))


def measure_full() -> Iterator[Goal]:
    """The same with more messages."""
    yield from asyncio.run(run(NAMES, FULL))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--store", action="append", choices=tuple(NAMES))
    given = parser.parse_args()
    asyncio.run(run(given.store or NAMES, given.messages))


if __name__ == "__main__":
    main()
