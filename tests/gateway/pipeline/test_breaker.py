"""The breaker: when it opens and closes, who probes, what is given up and what is replayed."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import msgspec
import pytest

from gateway.core.destinations import Breaker, closed, opened, probing, switched
from gateway.core.errors import Refused, Unavailable
from gateway.core.records import LegState, Result
from gateway.pipeline.prepare import Prepared
from gateway.pipeline.reach import Reach
from gateway.pipeline.settings import BreakerSettings
from tests.gateway.pipeline.sending import SETTINGS, START, Make, Plain, Sending, nodes

replace = msgspec.structs.replace
PAUSED = replace(SETTINGS, breaker=BreakerSettings(failures=3, first_pause=0.2, longest_pause=1.5))


@pytest.fixture
def node() -> Make:
    """Makes nodes on one journal."""
    return nodes()


async def trip(sending: Sending) -> None:
    """Let the breaker open; the clock is moved as far as its pauses need."""
    sending.receiver.down()
    async with asyncio.timeout(10):
        while sending.board.of("risk").breaker is not Breaker.OPEN:
            await asyncio.sleep(0.002)
            sending.clock.move(0.05)


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


async def stumble_at_bad(text: str) -> None:
    if text == "bad":
        raise LookupError("a mistake of ours")


async def test_a_mistake_while_one_sender_is_told_keeps_no_other_from_being_told(
    node: Make,
) -> None:
    sending = node(settings=replace(PAUSED, give_up_after=100.0))
    await sending.queue("bad", "good")
    off = switched(on=False, by="ops", reason="they move", now=START)
    await sending.journal.destinations.change("risk", off)
    sending.clock.move(105)
    sending.telling = stumble_at_bad
    async with sending.running():
        await sending.until(lambda: len(sending.told) >= 2)
        assert {b"bad", b"good"} == {delivery.message.body for delivery, _ in sending.told}
        assert [LookupError] == [type(error) for error in sending.failed][:1]
    (backlog,) = await sending.journal.backlog()
    assert (1, 1) == (backlog.ready, backlog.held)


async def test_a_mistake_while_a_sender_is_told_stops_no_dispatcher(node: Make) -> None:
    async def decline(text: str) -> None:
        if text == "bad":
            raise Unavailable("http.500", reached=True)

    sending = node()
    sending.telling = stumble_at_bad
    sending.receiver.behave = decline
    await sending.queue("bad")
    async with sending.running():
        await sending.until(lambda: bool(sending.failed))
        await sending.queue("good")
        await sending.until(lambda: sending.receiver.got == ["good"])


async def test_what_a_destination_can_take_again_is_not_buried_before(node: Make) -> None:
    sending = node(settings=replace(PAUSED, give_up_after=100.0, batch=2))
    await sending.queue(*(f"old-{n}" for n in range(10)))
    off = switched(on=False, by="ops", reason="they move", now=START)
    await sending.journal.destinations.change("risk", off)
    sending.clock.move(105)

    async def back(_: str) -> None:
        if len(sending.told) == 2:
            on = switched(on=True, by="ops", reason="they have moved", now=sending.clock())
            await sending.board.change("risk", on)

    sending.telling = back
    async with sending.running():
        await sending.until(lambda: len(sending.told) + len(sending.receiver.got) == 10)
    assert 8 == len(sending.receiver.got)


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


async def test_what_is_buried_after_the_destination_came_back_stays_buried(node: Make) -> None:
    first, second = node(node="node-a"), node(node="node-b")
    first.clock.move(1)
    await first.queue("a")
    async with first.running():
        await declined(first)
    for step in (
        opened(node="node-a", failures=3, until=START, reason="r", now=START),
        probing(node="node-a", until=START, now=START),
        closed(node="node-a", replay=True, now=START),
    ):
        await first.board.change("risk", step)
    async with second.running():
        await second.until(lambda: second.board.of("risk").replay_before is None)

    assert [] == second.receiver.asked
    assert 1 == len(await first.journal.buried())


async def test_a_late_answer_from_before_the_outage_closes_no_breaker(node: Make) -> None:
    sending = node(settings=PAUSED)
    reach = Reach(sending.board, "risk", settings=PAUSED, clock=sending.clock, random=lambda: 0.0)
    before = reach.round
    await reach.failed(before, Unavailable("http.503", retry_after=1))
    sending.clock.move(1)
    assert await reach.may_probe()

    states = []
    for begun in (before, reach.round):
        await reach.succeeded(begun)
        states.append(reach.standing.breaker)

    assert [Breaker.HALF_OPEN, Breaker.CLOSED] == states


@pytest.mark.parametrize(
    "mistake", [LookupError("content"), Refused("translation.failed"), Refused("agreement.none")]
)
async def test_what_goes_wrong_before_a_destination_is_asked_closes_no_breaker(
    node: Make, monkeypatch: pytest.MonkeyPatch, mistake: Exception
) -> None:
    async def stumble(*_: object) -> Prepared:
        raise mistake

    sending = node(settings=PAUSED)
    await sending.queue("a")
    async with sending.running():
        await trip(sending)
        asked = list(sending.receiver.asked)
        monkeypatch.setattr(Plain, "prepare", stumble)
        sending.clock.move(2)
        done = len(sending.settled)
        await sending.until(lambda: len(sending.settled) > done)
        await sending.board.refresh()
        assert sending.board.of("risk").breaker is not Breaker.CLOSED
    assert asked == sending.receiver.asked
