"""Token buckets of a store: one for all processes on it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

from gateway.core.bucket import Drawn, Rate
from gateway.core.ports import Journal
from gateway.store.sqlite import open_sqlite
from tests.gateway.store.samples import GATEWAY, START, ManualClock

RATE = Rate(2.0, 10)


async def test_a_bucket_gives_its_burst_then_its_rate(journal: Journal) -> None:
    later = START + timedelta(seconds=2)
    drawn = [await journal.draw("a", want=7, rate=RATE, now=at) for at in (START, START, START)]
    assert drawn == [Drawn(7), Drawn(3), Drawn(0, 0.5)]
    assert await journal.draw("a", want=7, rate=RATE, now=later) == Drawn(4)


async def test_buckets_of_other_names_are_others(journal: Journal) -> None:
    assert await journal.draw("a", want=10, rate=RATE, now=START) == Drawn(10)
    assert await journal.draw("b", want=10, rate=RATE, now=START) == Drawn(10)


async def test_two_that_opened_one_file_draw_from_one_bucket(
    tmp_path: Path, clock: ManualClock
) -> None:
    path = tmp_path / "journal.db"
    both = [await open_sqlite(path, gateway=GATEWAY, clock=clock) for _ in range(2)]
    drawn = await asyncio.gather(
        *(one.draw("a", want=1, rate=RATE, now=START) for one in both for _ in range(20))
    )
    assert sum(one.granted for one in drawn) == 10
    for one in both:
        await one.close()


async def test_a_restart_does_not_fill_it(tmp_path: Path, clock: ManualClock) -> None:
    path, granted = tmp_path / "journal.db", []
    for _ in range(3):
        journal = await open_sqlite(path, gateway=GATEWAY, clock=clock)
        granted.append((await journal.draw("a", want=6, rate=RATE, now=START)).granted)
        await journal.close()
    assert granted == [6, 4, 0]
