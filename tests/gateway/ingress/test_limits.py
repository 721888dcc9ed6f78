"""What a party may ask for, by a clock that the tests move: nothing here waits for time."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from gateway.core.bucket import Drawn, Rate
from gateway.core.errors import Unavailable
from gateway.ingress.limits import CONCURRENT, CONNECTIONS, RATE, Limiter
from gateway.pipeline.settings import PartySettings
from gateway.store.memory import MemoryJournal
from tests.fakes import Seen
from trust.identity import PartyId
from trust.members import PartyLimits

START = datetime(2026, 11, 22, 8, tzinfo=UTC)
POST, SHOP = PartyId("post-a"), PartyId("shop")
SETTINGS = PartySettings(requests_per_second=10, burst=20, connections=3, concurrent=2)


class World:
    """A clock, a registry and a store; limiters of several processes look at them."""

    def __init__(self) -> None:
        self.now = START
        self.registered: dict[PartyId, PartyLimits] = {}
        self.journal = MemoryJournal(gateway=1, clock=lambda: self.now)
        self.seen = Seen()
        self.draws = 0
        self.store_fails = False

    def limiter(self, *, shared: bool = True, settings: PartySettings = SETTINGS) -> Limiter:
        """One process."""

        async def draw(scope: str, *, want: int, rate: Rate, now: datetime) -> Drawn:
            self.draws += 1
            if self.store_fails:
                raise Unavailable("the journal is busy")
            return await self.journal.draw(scope, want=want, rate=rate, now=now)

        async def sleep(seconds: float) -> None:
            self.now += timedelta(seconds=seconds)
            await asyncio.sleep(0)

        return Limiter(
            limits=lambda party: self.registered.get(party, PartyLimits()),
            settings=lambda: settings,
            draw=draw if shared else None,
            telemetry=self.seen.telemetry,
            clock=lambda: self.now,
            sleep=sleep,
        )


@pytest.fixture
def world() -> World:
    return World()


async def admitted(limiter: Limiter, party: PartyId, count: int) -> int:
    """How many of so many requests are let in."""
    good = 0
    refused: list[Unavailable] = []
    for _ in range(count):
        try:
            await limiter.admit(party)
        except Unavailable as unavailable:
            refused.append(unavailable)
        else:
            good += 1
    assert all(one.reason == RATE and (one.retry_after or 0) > 0 for one in refused)
    return good


@pytest.mark.parametrize("shared", [True, False])
async def test_a_burst_is_let_in_and_then_the_rate(world: World, shared: bool) -> None:
    limiter = world.limiter(shared=shared)
    assert await admitted(limiter, POST, 50) == 20
    world.now += timedelta(seconds=1)
    assert await admitted(limiter, POST, 50) == 10
    world.now += timedelta(hours=1)
    assert await admitted(limiter, POST, 50) == 20


async def test_the_time_that_is_told_is_enough(world: World) -> None:
    limiter = world.limiter()
    await admitted(limiter, POST, 20)
    with pytest.raises(Unavailable) as refused:
        await limiter.admit(POST)
    assert refused.value.retry_after is not None
    world.now += timedelta(seconds=refused.value.retry_after)
    await limiter.admit(POST)


async def test_one_party_at_its_limit_takes_nothing_from_another(world: World) -> None:
    limiter = world.limiter()
    await admitted(limiter, POST, 1_000)
    assert await admitted(limiter, SHOP, 50) == 20


async def test_processes_share_one_rate(world: World) -> None:
    processes = [world.limiter() for _ in range(4)]
    assert sum([await admitted(process, POST, 50) for process in processes]) == 20
    total = 0
    for _ in range(10):
        world.now += timedelta(seconds=1)
        total += sum([await admitted(process, POST, 50) for process in processes])
    assert total == 100


async def test_one_of_several_processes_gets_the_whole_rate_when_it_alone_is_asked(
    world: World,
) -> None:
    asked, *_idle = [world.limiter() for _ in range(4)]
    assert await admitted(asked, POST, 50) == 20


async def test_a_flood_does_not_reach_the_store(world: World) -> None:
    limiter = world.limiter()
    await admitted(limiter, POST, 10_000)
    assert world.draws == 11  # ten times two tokens, then the one that found none


async def test_what_is_asked_at_once_draws_once(world: World) -> None:
    limiter = world.limiter(settings=replace(SETTINGS, requests_per_second=100, burst=20))
    await asyncio.gather(*(limiter.admit(POST) for _ in range(20)))
    assert world.draws == 1


async def test_without_the_store_a_process_keeps_to_the_rate_alone(world: World) -> None:
    limiter = world.limiter()
    world.store_fails = True
    assert await admitted(limiter, POST, 50) == 20
    assert world.seen.events("limits.store-unavailable")


async def test_the_registry_says_otherwise_and_a_change_counts_at_once(world: World) -> None:
    limiter = world.limiter()
    world.registered[POST] = PartyLimits(requests_per_second=1.0, burst=2)
    assert await admitted(limiter, POST, 50) == 2
    world.registered[POST] = PartyLimits(requests_per_second=40.0, burst=40)
    world.now += timedelta(seconds=1)
    assert await admitted(limiter, POST, 50) == 40
    assert await admitted(limiter, SHOP, 50) == 20


async def test_a_clock_that_is_set_back_shuts_nobody_out_for_long(world: World) -> None:
    limiter = world.limiter()
    await admitted(limiter, POST, 50)
    world.now -= timedelta(hours=1)
    await admitted(limiter, POST, 1)
    world.now += timedelta(seconds=1)
    assert await admitted(limiter, POST, 5) == 5


async def test_what_comes_in_a_stream_waits_for_its_turn(world: World) -> None:
    limiter = world.limiter()
    for _ in range(70):
        await limiter.turn(POST)
    waited = (world.now - START).total_seconds()
    assert 5.0 <= waited <= 5.3  # 20 at once, 50 at ten a second


async def test_requests_under_way_are_bounded_and_end(world: World) -> None:
    limiter = world.limiter()
    with limiter.call(POST):
        with limiter.call(POST):
            with pytest.raises(Unavailable) as refused, limiter.call(POST):
                pass
            assert refused.value.reason == CONCURRENT
            assert refused.value.retry_after == 1.0
            with limiter.call(SHOP):
                pass
        with limiter.call(POST):
            pass


async def test_a_request_that_fails_gives_its_place_back(world: World) -> None:
    limiter = world.limiter()
    for _ in range(5):
        with pytest.raises(ValueError, match="broken"), limiter.call(POST):
            raise ValueError("broken")
    with limiter.call(POST), limiter.call(POST):
        pass


async def test_submissions_of_streams_wait_for_places(world: World) -> None:
    limiter, most, open_ = world.limiter(), 0, 0
    done: Counter[PartyId] = Counter()

    async def submission(party: PartyId) -> None:
        nonlocal most, open_
        with await limiter.place(party):
            if party == POST:
                open_ += 1
                most = max(most, open_)
            await asyncio.sleep(0)
            done[party] += 1
            if party == POST:
                open_ -= 1

    async with asyncio.timeout(10):
        await asyncio.gather(*(submission(party) for party in (POST, SHOP) for _ in range(30)))
    assert done == {POST: 30, SHOP: 30}
    assert most == 2


async def test_a_cancelled_submission_gives_its_place_back(world: World) -> None:
    limiter = world.limiter()

    async def hold() -> None:
        with await limiter.place(POST):
            await asyncio.Event().wait()

    holding = [asyncio.create_task(hold()) for _ in range(4)]
    await asyncio.sleep(0)
    for task in holding:
        task.cancel()
    await asyncio.gather(*holding, return_exceptions=True)
    async with asyncio.timeout(10):
        with await limiter.place(POST), await limiter.place(POST):
            pass


async def test_connections_are_counted_once_each(world: World) -> None:
    limiter = world.limiter()
    for connection in ("a", "b", "c", "a", "b"):
        limiter.connect(POST, connection)
    with pytest.raises(Unavailable) as refused:
        limiter.connect(POST, "d")
    assert refused.value.reason == CONNECTIONS
    limiter.connect(SHOP, "d")
    limiter.disconnect(POST, "a")
    with pytest.raises(Unavailable):
        limiter.connect(POST, "d")  # another call still uses it
    limiter.disconnect(POST, "a")
    limiter.connect(POST, "d")


async def test_a_party_at_a_limit_is_counted_each_time_and_logged_once_a_minute(
    world: World,
) -> None:
    limiter = world.limiter()
    await admitted(limiter, POST, 120)
    said = world.seen.events("limit.reached")
    assert [(event["party"], event["code"]) for event in said] == [(POST, RATE)]
    assert world.seen.count("luxor_limited_total", party=POST, code=RATE) == 100
    world.now += timedelta(seconds=61)
    await admitted(limiter, POST, 50)
    assert len(world.seen.events("limit.reached")) == 2


@pytest.mark.parametrize("own", [PartyLimits(), PartyLimits(connections=7)])
def test_what_the_registry_leaves_out_is_what_all_may(own: PartyLimits) -> None:
    of = SETTINGS.of(own)
    assert of == replace(SETTINGS, connections=own.connections or 3)
