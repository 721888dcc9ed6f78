"""Dispatch: the breaker, the switch, urgent work, limits, giving up and replays."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest

from gateway.core.destinations import Breaker, closed, opened, probing, switched
from gateway.core.errors import Refused, Unavailable
from gateway.core.records import Lease, LegState, Result, Settlement
from gateway.pipeline.settings import BreakerSettings
from gateway.store.memory import MemoryJournal
from tests.gateway.pipeline.sending import SETTINGS, START, Clock, Sending, take

replace = msgspec.structs.replace
PAUSED = replace(SETTINGS, breaker=BreakerSettings(failures=3, first_pause=0.2, longest_pause=1.5))
Make = Callable[..., Sending]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def journal(clock: Clock) -> MemoryJournal:
    return MemoryJournal(gateway=1, clock=clock)


@pytest.fixture
def sending(journal: MemoryJournal, clock: Clock) -> Sending:
    return Sending(journal, clock)


@pytest.fixture
def node(journal: MemoryJournal, clock: Clock) -> Make:
    """Makes nodes on one journal."""

    def make(**changes: object) -> Sending:
        return Sending(journal, clock, **changes)  # type: ignore[arg-type]  # passed on as it is

    return make


async def trip(sending: Sending) -> None:
    """Let the breaker open; the clock is moved as far as its pauses need."""
    sending.receiver.down()
    async with asyncio.timeout(10):
        while sending.board.of("risk").breaker is not Breaker.OPEN:
            await asyncio.sleep(0.002)
            sending.clock.move(0.05)


# The breaker


async def test_a_breaker_opens_after_so_many_failures_in_a_row(node: Make) -> None:
    sending = node(settings=PAUSED)
    await sending.queue("a")
    async with sending.running():
        await trip(sending)

    standing = sending.board.of("risk")
    assert 3 == len(sending.receiver.asked)
    assert (3, "connection refused") == (standing.failures, standing.reason)
    assert ["open"] == sending.states


async def test_deliveries_that_fail_side_by_side_count_once(node: Make) -> None:
    sending = node(settings=PAUSED)
    together = asyncio.Barrier(20)

    async def refuse(_: str) -> None:
        await together.wait()
        raise Unavailable("reset")

    sending.receiver.behave = refuse
    await sending.queue(*(f"m{n}" for n in range(20)))
    async with sending.running():
        await sending.until(lambda: len(sending.settled) == 20)

    assert Breaker.CLOSED is sending.board.of("risk").breaker


async def test_an_open_breaker_lets_nothing_through_before_its_time(node: Make) -> None:
    sending = node(settings=PAUSED)
    await sending.queue("a")
    async with sending.running():
        await trip(sending)
        asked = len(sending.receiver.asked)
        sending.receiver.up()
        await sending.queue("b", lane=0)
        for _ in range(20):
            await asyncio.sleep(0.002)
        assert asked == len(sending.receiver.asked)
        sending.clock.move(1.5)
        await sending.until(lambda: len(sending.receiver.got) == 2)

    assert ["open", "half-open", "closed"] == sending.states


async def test_pauses_of_a_breaker_grow_to_their_bound(node: Make) -> None:
    sending = node(settings=PAUSED)
    pauses: list[float] = []
    await sending.queue("a")
    async with sending.running():
        await trip(sending)
        for failures in range(3, 9):
            await sending.until(lambda n=failures: sending.board.of("risk").failures == n)  # type: ignore[misc]  # a lambda with a default
            standing = sending.board.of("risk")
            assert standing.open_until is not None
            pauses.append((standing.open_until - sending.clock()).total_seconds())
            sending.clock.now = standing.open_until

    assert sorted(pauses) == pauses
    assert 0.75 == pauses[-1]  # half of the longest pause: the rest is jitter


async def test_retry_after_is_honoured_and_opens_at_once(node: Make) -> None:
    sending = node(settings=PAUSED)
    sending.receiver.down("http.503", retry_after=30)
    await sending.queue("a")
    async with sending.running():
        await sending.until(lambda: sending.board.of("risk").breaker is Breaker.OPEN)
        sending.receiver.up()
        sending.clock.move(29)
        for _ in range(20):
            await asyncio.sleep(0.002)
        assert ["a"] == sending.receiver.asked
        sending.clock.move(1)
        await sending.until(lambda: sending.receiver.got == ["a"])


async def test_of_two_nodes_one_probes_with_two_keys(node: Make) -> None:
    first, second = node(node="node-a", settings=PAUSED), node(node="node-b", settings=PAUSED)
    second.receiver = first.receiver
    await first.queue(*(f"m{n}" for n in range(50)))
    async with first.running(), second.running():
        await trip(first)
        await first.until(lambda: second.board.of("risk").breaker is Breaker.OPEN)
        await first.until(lambda: not first.receiver.under_way)
        hang = asyncio.Event()

        async def wait(_: str) -> None:
            await hang.wait()

        first.receiver.behave, first.receiver.most = wait, 0
        first.clock.move(1.5)
        await first.until(lambda: first.receiver.under_way == 2)
        second.bell.ring(("risk",))
        for _ in range(30):
            await asyncio.sleep(0.002)
        assert 2 == first.receiver.most
        hang.set()
        await first.until(lambda: len(first.receiver.got) == 50)


async def test_what_a_destination_answers_closes_its_breaker_also_a_refusal(node: Make) -> None:
    sending = node(settings=PAUSED)
    await sending.queue("a")
    async with sending.running():
        await trip(sending)

        async def refuse(_: str) -> None:
            raise Refused("interchange.refused")

        sending.receiver.behave = refuse
        sending.clock.move(1.5)
        await sending.until(lambda: sending.board.of("risk").breaker is Breaker.CLOSED)

    assert [Result.BURIED] == sending.results()


async def test_an_outage_costs_no_attempt(node: Make) -> None:
    sending = node(settings=PAUSED)
    await sending.queue("a")
    async with sending.running():
        await trip(sending)
        for _ in range(10):
            sending.clock.move(1.5)
            await asyncio.sleep(0.01)
        sending.receiver.up()
        sending.clock.move(1.5)
        await sending.until(lambda: sending.receiver.got == ["a"])

    assert {0} == {settlement.delivery.tries for settlement in sending.settled}


async def test_a_node_that_stops_while_it_probes_lets_another_one_probe(node: Make) -> None:
    first, second = node(node="node-a", settings=PAUSED), node(node="node-b", settings=PAUSED)
    for step in (
        opened(node="node-a", failures=3, until=START, reason="r", now=START),
        probing(node="node-a", until=START + timedelta(hours=1), now=START),
    ):
        await first.board.change("risk", step)
    async with first.running():
        await first.until(lambda: first.board.of("risk").breaker is Breaker.HALF_OPEN)
    await second.queue("a")
    async with second.running():
        await second.until(lambda: second.receiver.got == ["a"])


# The switch


async def test_a_switch_that_is_off_stops_sending_and_not_accepting(sending: Sending) -> None:
    off = switched(on=False, by="ops", reason="maintenance", now=START)
    on = switched(on=True, by="ops", reason="done", now=START)
    async with sending.running():
        await sending.queue("before")
        await sending.until(lambda: sending.receiver.got == ["before"])
        await sending.journal.destinations.change("risk", off)
        await sending.until(lambda: not sending.board.of("risk").on)
        await sending.queue("meanwhile", lane=0)
        for _ in range(20):
            await asyncio.sleep(0.002)
        assert ["before"] == sending.receiver.asked
        await sending.journal.destinations.change("risk", on)
        await sending.until(lambda: sending.receiver.got == ["before", "meanwhile"])


async def test_what_is_in_hand_when_it_is_switched_off_is_given_back(node: Make) -> None:
    sending = node(settings=replace(SETTINGS, in_flight=1, reserved=0))
    release = asyncio.Event()

    async def slow(_: str) -> None:
        await release.wait()

    sending.receiver.behave = slow
    await sending.queue(*(f"m{n}" for n in range(10)))
    async with sending.running() as dispatcher:
        await sending.until(lambda: sending.receiver.under_way == 1)
        off = switched(on=False, by="ops", reason="maintenance", now=START)
        await sending.board.change("risk", off)
        release.set()
        await sending.until(lambda: dispatcher.in_hand == 0)

    assert 1 == len(sending.receiver.got)
    (backlog,) = await sending.journal.backlog()
    assert (9, 0) == (backlog.ready, backlog.leased)


# Urgent work


async def test_an_urgent_message_does_not_wait_for_slow_ones(node: Make) -> None:
    sending = node(settings=replace(SETTINGS, in_flight=4, reserved=1, timeout=60, lease=300))

    async def hang(text: str) -> None:
        if text.startswith("slow"):
            await asyncio.sleep(60)

    sending.receiver.behave = hang
    await sending.queue(*(f"slow-{n}" for n in range(200)))
    dispatcher = sending.dispatcher()
    work = asyncio.create_task(dispatcher.run())
    await sending.until(lambda: sending.receiver.under_way == 3)
    await sending.queue("do-not-load", lane=0)
    await sending.until(lambda: sending.receiver.got == ["do-not-load"])
    work.cancel()
    await asyncio.wait([work])

    assert 4 == sending.receiver.most
    assert 4 == len(sending.receiver.asked)


async def test_claims_go_on_while_one_delivery_hangs(node: Make) -> None:
    sending = node(settings=replace(SETTINGS, timeout=60, lease=300))

    async def hang(text: str) -> None:
        if text == "m0":
            await asyncio.sleep(60)

    sending.receiver.behave = hang
    await sending.queue(*(f"m{n}" for n in range(500)))
    dispatcher = sending.dispatcher()
    work = asyncio.create_task(dispatcher.run())
    await sending.until(lambda: len(sending.receiver.got) == 499)
    await sending.until(lambda: len(sending.settled) == 499)
    work.cancel()
    await asyncio.wait([work])
    (backlog,) = await sending.journal.backlog()
    assert (0, 1) == (backlog.ready, backlog.leased)


async def test_no_key_is_delivered_twice_at_once_and_each_stays_in_order(node: Make) -> None:
    sending = node(settings=replace(SETTINGS, in_flight=8, batch=8))
    open_: set[str] = set()

    async def check(text: str) -> None:
        key = text.partition(".")[0]
        assert key not in open_
        open_.add(key)
        await asyncio.sleep(0.001)
        open_.remove(key)

    sending.receiver.behave = check
    async with sending.running():
        for number in range(8):
            for key in ("a", "b", "c", "d", "e"):
                await sending.queue(f"{key}.{number}", key=key, lane=(number * 3) % 4)
        await sending.until(lambda: len(sending.receiver.got) == 40)

    assert [] == sending.failed
    for key in "abcde":
        mine = [text for text in sending.receiver.got if text[0] == key]
        assert [f"{key}.{number}" for number in range(8)] == mine


async def test_no_lane_starves(node: Make) -> None:
    sending = node(settings=replace(SETTINGS, batch=16, in_flight=4, reserved=1))
    for lane in (3, 2, 1, 0):
        await sending.queue(*(f"{lane}-{n}" for n in range(60)), lane=lane)
    async with sending.running():
        await sending.until(lambda: len(sending.receiver.got) == 240)

    first = sending.receiver.got[:80]
    assert {"0", "1", "2", "3"} == {text[0] for text in first}
    assert sum(text[0] == "0" for text in first) > sum(text[0] == "3" for text in first)


# Limits


async def test_no_more_are_under_way_than_the_destination_takes(node: Make) -> None:
    sending = node(settings=replace(SETTINGS, in_flight=3, reserved=1))

    async def slow(_: str) -> None:
        await asyncio.sleep(0.001)

    sending.receiver.behave = slow
    await sending.queue(*(f"m{n}" for n in range(30)))
    await sending.queue(*(f"u{n}" for n in range(30)), lane=0)
    async with sending.running():
        await sending.until(lambda: len(sending.receiver.got) == 60)

    assert 3 == sending.receiver.most


async def test_a_rate_holds_for_all_nodes_together(node: Make) -> None:
    limited = replace(SETTINGS, rate=10.0)
    first, second = node(node="node-a", settings=limited), node(node="node-b", settings=limited)
    second.receiver = first.receiver
    await first.queue(*(f"m{n}" for n in range(30)))
    async with first.running(), second.running():
        await first.until(lambda: len(first.receiver.got) == 10)
        for _ in range(20):
            await asyncio.sleep(0.002)
        assert 10 == len(first.receiver.asked)
        first.clock.move(1.0)
        await first.until(lambda: len(first.receiver.got) == 20)
        for _ in range(20):
            await asyncio.sleep(0.002)
        assert 20 == len(first.receiver.asked)


# Settlements


async def test_a_slow_delivery_holds_up_no_settlement(node: Make) -> None:
    sending = node(settings=replace(SETTINGS, timeout=60, lease=300))
    release = asyncio.Event()

    async def slow(text: str) -> None:
        if text == "slow":
            await release.wait()

    sending.receiver.behave = slow
    await sending.queue("slow", "quick")
    async with sending.running():
        await sending.until(lambda: len(sending.settled) == 1)
        assert "quick" == sending.receiver.got[0]
        release.set()
        await sending.until(lambda: len(sending.settled) == 2)


async def test_a_settlement_is_tried_again_while_its_lease_lasts(
    sending: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle, failures = sending.journal.settle, 3

    async def flaky(lease: Lease, settlements: list[Settlement], **by: object) -> None:
        nonlocal failures
        if failures:
            failures -= 1
            raise Unavailable("the store is away")
        await settle(lease, settlements, **by)  # type: ignore[arg-type]  # passed on as it is

    monkeypatch.setattr(sending.journal, "settle", flaky)
    await sending.queue("a")
    async with sending.running():
        await sending.until(lambda: len(sending.settled) == 1)

    assert ["a"] == sending.receiver.asked
    assert () == await sending.journal.backlog()


# Giving up


async def test_a_message_whose_time_is_over_is_buried_and_told(node: Make) -> None:
    sending = node(settings=replace(PAUSED, give_up_after=100.0))
    await sending.queue("old")
    sending.clock.move(60)
    await sending.queue("young")
    sending.clock.move(45)
    async with sending.running():
        sending.receiver.down()
        await sending.until(lambda: len(sending.told) == 1)
        sending.clock.move(1.5)
        for _ in range(20):
            await asyncio.sleep(0.002)

    ((delivery, refused),) = sending.told
    assert (b"old", "delivery.given-up") == (delivery.message.body, refused.code)


async def test_while_it_is_switched_off_messages_whose_time_is_over_are_told(node: Make) -> None:
    sending = node(settings=replace(PAUSED, give_up_after=100.0, batch=4))
    await sending.queue(*(f"old-{n}" for n in range(10)))
    sending.clock.move(60)
    await sending.queue(*(f"young-{n}" for n in range(10)))
    off = switched(on=False, by="ops", reason="they move", now=START)
    await sending.journal.destinations.change("risk", off)
    sending.clock.move(45)
    async with sending.running():
        await sending.until(lambda: len(sending.told) == 10)

    assert {b"old"} == {(delivery.message.body or b"")[:3] for delivery, _ in sending.told}
    assert [] == sending.receiver.asked
    (backlog,) = await sending.journal.backlog()
    assert (10, 10) == (backlog.ready, backlog.held)


async def test_a_message_that_can_be_delivered_is_never_too_old(node: Make) -> None:
    sending = node(settings=replace(SETTINGS, give_up_after=100.0))
    await sending.queue("old")
    sending.clock.move(1_000)
    async with sending.running():
        await sending.until(lambda: sending.receiver.got == ["old"])


# Replays


async def declined(sending: Sending) -> None:
    """Everything is answered with an error until it is buried."""

    async def decline(_: str) -> None:
        raise Unavailable("http.500", reached=True)

    sending.receiver.behave = decline
    await sending.until(lambda: Result.BURIED in sending.results())


async def test_what_was_buried_for_want_of_a_destination_is_replayed_once_it_is_back(
    node: Make,
) -> None:
    sending = node(settings=PAUSED)
    stored = await sending.queue("a")
    await sending.queue("a-later", key="a")
    async with sending.running():
        await declined(sending)
        await sending.queue("b")
        await trip(sending)
        sending.receiver.up()
        sending.clock.move(1.5)
        await sending.until(lambda: len(sending.receiver.got) == 3)
        await sending.until(lambda: sending.board.of("risk").replay_before is None)

    mine = [text for text in sending.receiver.got if text.startswith("a")]
    assert ["a", "a-later"] == mine
    (entry,) = await sending.journal.trace("node-a-1")
    said = [(attempt.result, attempt.detail) for attempt in entry.attempts][-2:]
    assert [
        (Result.RELEASED, "by luxor: the destination is back"),
        (Result.DELIVERED, ""),
    ] == said
    (leg,) = await sending.journal.legs(stored.record)
    assert LegState.DELIVERED is leg.state


async def test_without_replay_what_is_buried_stays_buried(node: Make) -> None:
    sending = node(settings=replace(PAUSED, breaker=replace(PAUSED.breaker, replay=False)))
    await sending.queue("a")
    async with sending.running():
        await declined(sending)
        await sending.queue("b")
        await trip(sending)
        sending.receiver.up()
        sending.clock.move(1.5)
        await sending.until(lambda: sending.receiver.got == ["b"])
        for _ in range(20):
            await asyncio.sleep(0.002)

    assert ["b"] == sending.receiver.got


async def test_what_was_refused_for_its_content_is_not_replayed(node: Make) -> None:
    sending = node(settings=PAUSED)

    async def refuse(_: str) -> None:
        raise Refused("interchange.refused")

    sending.receiver.behave = refuse
    await sending.queue("bad")
    async with sending.running():
        await sending.until(lambda: sending.results() == [Result.BURIED])
        await sending.queue("b")
        await trip(sending)
        sending.receiver.up()
        sending.clock.move(1.5)
        await sending.until(lambda: sending.receiver.got == ["b"])
        await sending.until(lambda: sending.board.of("risk").replay_before is None)

    (leg,) = await sending.journal.buried()
    assert "interchange.refused" == leg.code


async def test_a_replay_that_was_broken_off_is_made_by_the_next_process(node: Make) -> None:
    first = node(node="node-a", settings=SETTINGS)
    await first.queue("a")
    async with first.running():
        await declined(first)
    first.clock.move(1)
    for step in (
        opened(node="node-a", failures=3, until=START, reason="r", now=START),
        probing(node="node-a", until=START, now=START),
        closed(node="node-a", replay=True, now=first.clock()),
    ):
        await first.board.change("risk", step)
    second = node(node="node-b", settings=SETTINGS)
    async with second.running():
        await second.until(lambda: second.receiver.got == ["a"])
        await second.until(lambda: second.board.of("risk").replay_before is None)


async def test_stopping_finishes_what_is_under_way_and_gives_the_rest_back(node: Make) -> None:
    sending = node(settings=replace(SETTINGS, in_flight=2, reserved=0))
    release = asyncio.Event()

    async def slow(_: str) -> None:
        await release.wait()

    sending.receiver.behave = slow
    await sending.queue(*(f"m{n}" for n in range(20)))
    async with sending.running() as dispatcher:
        await sending.until(lambda: sending.receiver.under_way == 2)
        dispatcher.stop()
        sending.receiver.behave = take
        release.set()

    assert 2 == len(sending.receiver.got)
    (backlog,) = await sending.journal.backlog()
    assert (18, 0) == (backlog.ready, backlog.leased)
