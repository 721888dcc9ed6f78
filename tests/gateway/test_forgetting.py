"""Retention in the background: what it removes, what it tells, and what it does not stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from gateway.app.forgetting import Forgetting
from gateway.config.retention import RetentionSection
from gateway.core.errors import Refused, Unavailable
from gateway.core.identifiers import InterchangeId
from gateway.core.ports import Journal
from gateway.core.retention import Sample, Size, forecast
from gateway.store.sqlite import SqliteJournal, open_sqlite
from tests import samples
from tests.fakes import Seen, until
from tests.gateway.pipeline.conftest import FORMATS, JSON, Middle
from tests.gateway.store.samples import GATEWAY, START, ManualClock, accept, message
from translators.canonical import Header, Interchange
from translators.translator import encode

QUICK = RetentionSection(pause=0.0, every=1.0)
DAY = timedelta(days=1)


@asynccontextmanager
async def journal_of(folder: Path, clock: ManualClock) -> AsyncIterator[SqliteJournal]:
    journal = await open_sqlite(folder / "journal.db", gateway=GATEWAY, clock=clock)
    try:
        yield journal
    finally:
        await journal.close()


def forgetting(
    journal: Journal, seen: Seen, clock: ManualClock, section: RetentionSection = QUICK
) -> Forgetting:
    return Forgetting(
        journal=journal, settings=lambda: section, telemetry=seen.telemetry, clock=clock
    )


async def test_what_is_over_goes_and_is_counted(tmp_path: Path) -> None:
    clock, seen = ManualClock(), Seen()
    async with journal_of(tmp_path, clock) as journal:
        stored = await accept(journal, messages=(message(legs=()),), received_at=clock())
        part = forgetting(journal, seen, clock)
        clock.move(days=181)
        await part.look()
        age = seen.count("luxor_retention_oldest_seconds")
        await part.run()
        raw = await journal.raw(stored.record, 0)
        await part.look()

    assert raw is None
    assert age == pytest.approx(181 * 86_400, abs=1)
    assert seen.count("luxor_retention_oldest_seconds") == 0
    assert seen.count("luxor_retention_pruned_total", what="bodies") == 1
    assert seen.count("luxor_retention_pruned_total", what="contents") == 1
    [event] = seen.events("retention.pruned")
    assert (event["bodies"], event["left"], event["over"]) == (1, 0, True)
    assert seen.count("luxor_journal_bytes", part="used") > 0


async def test_it_runs_by_itself_when_its_time_has_come(tmp_path: Path) -> None:
    clock, seen = ManualClock(), Seen()
    async with journal_of(tmp_path, clock) as journal:
        await accept(journal, messages=(message(legs=()),), received_at=clock())
        clock.move(days=181)
        task = asyncio.create_task(forgetting(journal, seen, clock).watch(look=0.01))
        try:
            await until(lambda: bool(seen.events("retention.pruned")))
        finally:
            task.cancel()
            await asyncio.wait([task])

    assert seen.count("luxor_retention_pruned_total", what="bodies") == 1


class Away:
    """A journal whose store is away at first."""

    def __init__(self, journal: Journal, times: int) -> None:
        self._journal = journal
        self._times = times
        self.retention = self

    async def forgotten(self) -> object:
        """Fails so many times."""
        self._times -= 1
        if self._times >= 0:
            raise Unavailable("the journal cannot be reached")
        return await self._journal.retention.forgotten()

    def __getattr__(self, name: str) -> Callable[..., Awaitable[object]]:
        found: Callable[..., Awaitable[object]] = getattr(self._journal.retention, name)
        return found


async def test_a_store_that_is_away_is_waited_for(tmp_path: Path) -> None:
    clock, seen = ManualClock(), Seen()
    async with journal_of(tmp_path, clock) as journal:
        part = forgetting(Away(journal, 2), seen, clock)  # type: ignore[arg-type] # only retention is asked
        task = asyncio.create_task(part.watch(look=0.01))
        try:
            await until(lambda: seen.count("luxor_journal_bytes", part="used") > 0)
        finally:
            task.cancel()
            await asyncio.wait([task])

    assert len(seen.events("retention.postponed")) == 2


class Asked(ManualClock):
    """A clock that counts who asks it: once in each round of the watch, when nothing is removed."""

    asked = 0

    def __call__(self) -> datetime:
        """The time."""
        self.asked += 1
        return super().__call__()


async def test_nothing_is_removed_when_it_is_switched_off(tmp_path: Path) -> None:
    clock, seen = Asked(), Seen()
    off = msgspec.structs.replace(QUICK, enabled=False, every=0.001)
    async with journal_of(tmp_path, clock) as journal:
        stored = await accept(journal, messages=(message(legs=()),), received_at=clock())
        clock.move(days=10_000)
        clock.asked = 0
        task = asyncio.create_task(forgetting(journal, seen, clock, off).watch(look=0.01))
        try:
            await until(lambda: clock.asked > 3)
        finally:
            task.cancel()
            await asyncio.wait([task])
        raw = await journal.raw(stored.record, 0)

    assert raw == b"<content/>"


def size(used: int, *earlier: tuple[float, int], room: int | None = 1_000) -> Size:
    """Measurements so many days before."""
    samples_ = (Sample(at=START - days * DAY, used=count) for days, count in earlier)
    return Size(used=used, free=200, log=0, room=room, samples=tuple(samples_))


def test_the_forecast_is_by_the_growth_of_a_week() -> None:
    told = forecast(size(1_000, (30, 0), (6, 400), (1, 900)), now=START)

    assert told is not None
    assert told.per_day == pytest.approx(100)
    assert told.days_left == pytest.approx(12)  # the room and what is free


def test_a_store_that_does_not_grow_is_never_full() -> None:
    told = forecast(size(1_000, (5, 1_000)), now=START)

    assert told is not None
    assert (told.per_day, told.days_left) == (0, None)


def test_there_is_no_forecast_of_minutes() -> None:
    assert forecast(size(1_000), now=START) is None
    assert forecast(size(1_000, (0.01, 10)), now=START) is None


@pytest.mark.parametrize(("room", "left"), [(None, 4_800), (100_000, 4_800), (70, 70)])
def test_a_capacity_bounds_the_room(room: int | None, left: int) -> None:
    assert size(5_000, room=room).within(10_000).room == left


def document(days: float) -> bytes:
    """An item in a document that was made so long ago."""
    header = Header(sender="FRA", recipient="LUA", prepared_at=samples.NOW - days * DAY)
    return encode(FORMATS.get(JSON), Interchange(header=header, messages=(samples.item(),)))


async def test_a_document_from_before_what_is_remembered_is_refused() -> None:
    middle = Middle()
    middle.inbound._forgotten = lambda: samples.NOW - 400 * DAY

    with pytest.raises(Refused) as refused:
        await middle.send("post-a", content=document(401), identifier="old")
    young = await middle.send("post-a", content=document(399), identifier="young")

    assert refused.value.code == "interchange.too-old"
    assert await middle.journal.find(young.party, InterchangeId("old")) is None
    assert young.accepted == 1
