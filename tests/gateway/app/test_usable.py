"""A journal that is away: said once, shown by readiness and metric, waited for."""

from __future__ import annotations

import asyncio
from datetime import datetime
from functools import partial

import msgspec

from gateway.app.overseeing import WARN_SECONDS, Overseeing
from gateway.app.usable import Usable, count_backlog, pause_after
from gateway.app.waking import Waking
from gateway.core.errors import Unavailable
from gateway.core.records import Backlog
from gateway.pipeline.bell import Bell
from gateway.pipeline.switchboard import Switchboard
from gateway.store.memory import MemoryJournal
from gateway.store.status import StoreStatus
from tests.fakes import Seen, clock, until


class Shaky(MemoryJournal):
    """A journal that can be taken away."""

    away = False
    ticks = 0

    async def tick(self, *, now: datetime) -> frozenset[str]:
        self.ticks += 1
        if self.away:
            raise Unavailable("the journal cannot be reached")
        return await super().tick(now=now)

    async def backlog(self) -> tuple[Backlog, ...]:
        if self.away:
            raise Unavailable("the journal cannot be reached")
        return await super().backlog()


def told_of(usable: Usable, *, away: bool) -> bool:
    return usable() is not away


def ticked(journal: Shaky, more_than: int) -> bool:
    return journal.ticks > more_than


async def test_a_journal_that_goes_and_comes_back_is_told_once_each_and_costs_no_part() -> None:
    seen, journal = Seen(), Shaky(gateway=1, clock=clock)
    usable, counts = Usable(seen.telemetry), list[tuple[Backlog, ...]]()
    waking = Waking(
        journal=journal,
        board=Switchboard(journal.destinations, node="n", told=lambda _: None),
        bell=Bell(),
        seconds=lambda: 0.001,
        clock=clock,
        told=usable.told,
    )
    working = [
        asyncio.create_task(waking.run()),
        asyncio.create_task(count_backlog(journal, counts.append, seconds=0.001)),
    ]
    shown = []
    for away in (True, False):
        journal.away = away
        await until(partial(told_of, usable, away=away))
        ticks, counted = journal.ticks, len(counts)
        await until(partial(ticked, journal, ticks + 3))
        shown.append((usable(), seen.registry.get_sample_value("luxor_journal_usable")))
    await until(lambda: len(counts) > counted)
    alive = [not task.done() for task in working]
    for task in working:
        task.cancel()
    await asyncio.gather(*working, return_exceptions=True)

    assert [True, True] == alive
    assert [(False, 0.0), (True, 1.0)] == shown
    assert [1, 1] == [len(seen.events(name)) for name in ("journal.lost", "journal.back")]


def test_counting_takes_a_small_share_of_the_time() -> None:
    """After an outage millions of keys are counted: less often than they would be otherwise."""
    assert [40.0, 1.0] == [pause_after(taken, seconds=1.0) for taken in (2.0, 0.001)]


async def test_a_transaction_that_lasts_too_long_is_warned_of() -> None:
    """Vacuum keeps what its snapshot sees, and claims walk over it."""
    seen = Seen()
    given = StoreStatus(
        store="postgresql",
        place="postgresql://db/luxor",
        server="PostgreSQL 18.4",
        version=1,
        needed=1,
        processes=("a", "b"),
        oldest_transaction_seconds=WARN_SECONDS,
        oldest_snapshot_age=7,
    )

    for seconds in (WARN_SECONDS, WARN_SECONDS + 1):
        Overseeing(_never, telemetry=seen.telemetry).tell(
            msgspec.structs.replace(given, oldest_transaction_seconds=seconds)
        )

    (event,) = seen.events("journal.vacuum-held-back")
    assert (301, 7) == (event["seconds"], event["transactions"])
    assert [301.0, 7.0, 2.0] == [
        seen.count(f"luxor_journal_{name}")
        for name in ("oldest_transaction_seconds", "snapshot_age_transactions", "processes")
    ]


async def _never() -> StoreStatus:
    raise Unavailable("not asked here")
