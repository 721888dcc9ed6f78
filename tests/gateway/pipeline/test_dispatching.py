"""Dispatch: the switch, urgent work, limits, settlements, stopping."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import msgspec
import pytest

from gateway.core.destinations import switched
from gateway.core.errors import Unavailable
from gateway.core.records import Delivery, Lease, Result, Settlement
from gateway.pipeline.prepare import Prepared
from gateway.routing import Endpoint
from tests.gateway.pipeline.sending import SETTINGS, START, Make, Plain, Sending, nodes, take

replace = msgspec.structs.replace


@pytest.fixture
def node() -> Make:
    """Makes nodes on one journal."""
    return nodes()


@pytest.fixture
def sending(node: Make) -> Sending:
    return node()


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


async def test_what_took_too_long_to_prepare_is_not_sent_under_a_lease_that_ends(
    node: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    sending = node()
    prepare = Plain.prepare
    took = [4.6]

    async def slow(self: Plain, delivery: Delivery, endpoint: Endpoint) -> Prepared:
        sending.clock.move(took.pop() if took else 0)
        return await prepare(self, delivery, endpoint)

    monkeypatch.setattr(Plain, "prepare", slow)
    await sending.queue("a")
    async with sending.running():
        await sending.until(lambda: sending.receiver.got == ["a"])
    assert [Result.RETURNED, Result.DELIVERED] == [s.result for s in sending.settled]


async def test_a_lease_outlasts_its_deliveries_also_by_a_clock_that_is_ahead(node: Make) -> None:
    sending = node()
    await sending.queue("a")
    leased: list[float] = []

    async def look(_: str) -> None:
        sending.clock.move(4.5)  # the latest moment at which a delivery begins
        ends = sending.clock.now + timedelta(seconds=0.5 + 0.9)  # timeout, and the other's clock
        await sending.journal.tick(now=ends)
        (backlog,) = await sending.journal.backlog()
        leased.append(backlog.leased)

    sending.receiver.behave = look
    async with sending.running():
        await sending.until(lambda: sending.receiver.got == ["a"])
    assert [1] == leased
