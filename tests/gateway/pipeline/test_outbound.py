"""The outbound half: delivered, retried, buried; an outage costs no attempts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

import msgspec
import pytest

from gateway.core.destinations import Change
from gateway.core.errors import Refused, Unavailable
from gateway.core.records import Delivery, LegState, Outgoing, Result, Settlement
from gateway.pipeline.backoff import pause
from gateway.pipeline.outbound import Dispatcher
from gateway.pipeline.settings import BreakerSettings, DispatchSettings
from gateway.pipeline.switchboard import Switchboard
from tests import samples
from tests.gateway.pipeline.conftest import Middle
from translators.faults import Fault

SETTINGS = DispatchSettings(
    idle=0.01,
    first_pause=0.0,
    longest_pause=0.0,
    timeout=0.5,
    lease=5,
    attempts=3,
    breaker=BreakerSettings(first_pause=0.0, longest_pause=0.0),
)


class Receiver:
    """A destination that does what the test says, message by message."""

    id = "risk"

    def __init__(self) -> None:
        self.got: list[Outgoing] = []
        self.behave: Callable[[Outgoing], None] = lambda _: None

    async def deliver(self, outgoing: Outgoing) -> str | None:
        self.behave(outgoing)
        self.got.append(outgoing)
        return "evidence"

    async def close(self) -> None:
        """Nothing to close."""


class Outbound:
    """A dispatcher at work on a middle's journal."""

    def __init__(self, middle: Middle) -> None:
        self.middle = middle
        self.receiver = Receiver()
        self.settled: list[Settlement] = []
        self.buried: list[tuple[Delivery, Refused]] = []
        self.failed: list[Exception] = []
        self.full = False
        self.changes: list[Change] = []
        self.board = Switchboard(
            middle.journal.destinations, node="node-a", told=self.changes.append
        )

    async def _bury(self, delivery: Delivery, refused: Refused) -> None:
        if self.full:
            raise Unavailable("the journal's disk is full")
        self.buried.append((delivery, refused))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Dispatch while the block runs."""
        dispatcher = Dispatcher(
            journal=self.middle.journal,
            destination=self.receiver,
            endpoint=self.middle.network.endpoints.get("risk"),
            preparer=self.middle.preparer,
            settings=SETTINGS,
            board=self.board,
            bell=self.middle.bell,
            clock=self.middle.clock,
            random=lambda: 0.0,
            buried=self._bury,
            observe=self.settled.append,
            failed=lambda _, error: self.failed.append(error),
        )
        work = asyncio.create_task(dispatcher.run())
        ticker = asyncio.create_task(self._tick())
        try:
            yield
        finally:
            dispatcher.stop()
            ticker.cancel()
            await asyncio.wait_for(work, 10)

    async def _tick(self) -> None:
        while True:
            await self.middle.journal.tick(now=self.middle.now)
            await asyncio.sleep(0.005)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something happened; 10 s is a hang."""
        async with asyncio.timeout(10):
            while not condition():  # noqa: ASYNC110 - the dispatcher has no event for tests
                await asyncio.sleep(0.005)

    def has_settled(self, number: int) -> bool:
        """Whether so many attempts have ended."""
        return len(self.settled) >= number

    def results(self) -> list[Result]:
        """How the attempts ended."""
        return [settlement.result for settlement in self.settled]


@pytest.fixture
def outbound(middle: Middle) -> Outbound:
    """A dispatcher for risk."""
    return Outbound(middle)


async def test_what_waits_is_delivered_with_its_evidence(outbound: Outbound) -> None:
    await outbound.middle.send("post-a", samples.ITEM)
    async with outbound.running():
        await outbound.until(lambda: bool(outbound.settled))

    assert [Result.DELIVERED] == outbound.results()
    assert "evidence" == outbound.settled[0].evidence


async def test_messages_of_one_item_arrive_in_order(outbound: Outbound) -> None:
    for number in range(20):
        await outbound.middle.send("post-a", samples.item(remark=f"{number:02d}"))
    async with outbound.running():
        await outbound.until(lambda: len(outbound.receiver.got) == 20)

    remarks = [
        msgspec.json.decode(o.content)["messages"][0]["remark"] for o in outbound.receiver.got
    ]
    assert sorted(remarks) == remarks


async def test_a_destination_that_is_not_there_costs_no_attempt(outbound: Outbound) -> None:
    calls = 0

    def down_ten_times(_: Outgoing) -> None:
        nonlocal calls
        calls += 1
        if calls <= 10:
            raise Unavailable("connection refused")

    outbound.receiver.behave = down_ten_times
    await outbound.middle.send("post-a", samples.ITEM)
    async with outbound.running():
        await outbound.until(lambda: bool(outbound.receiver.got))

    assert {Result.RETURNED, Result.DELIVERED} == set(outbound.results())
    assert 0 == outbound.settled[-1].delivery.tries


async def test_a_message_that_is_declined_is_buried_after_its_attempts(outbound: Outbound) -> None:
    def decline(_: Outgoing) -> None:
        raise Unavailable("internal", reached=True)

    outbound.receiver.behave = decline
    await outbound.middle.send("post-a", samples.ITEM)
    async with outbound.running():
        await outbound.until(lambda: Result.BURIED in outbound.results())

    assert [Result.RETRY, Result.RETRY, Result.BURIED] == outbound.results()
    assert "attempts.exhausted" == outbound.buried[0][1].code


async def test_what_is_refused_is_buried_and_holds_its_key_only(outbound: Outbound) -> None:
    bad, good = samples.item(remark="bad"), samples.item(item_id=samples.s10(9))

    def refuse(outgoing: Outgoing) -> None:
        if b'"bad"' in outgoing.content:
            raise Refused("interchange.refused", faults=[Fault(code="x", path="/remark")])

    outbound.receiver.behave = refuse
    stored = await outbound.middle.send("post-a", bad)
    later = await outbound.middle.send("post-a", samples.item(remark="later"))
    await outbound.middle.send("post-a", good)
    async with outbound.running():
        await outbound.until(lambda: len(outbound.settled) == 2)

    assert {Result.BURIED, Result.DELIVERED} == set(outbound.results())
    legs = {leg.destination: leg for leg in await outbound.middle.journal.legs(stored.record)}
    assert LegState.BURIED is legs["risk"].state
    waiting = {leg.destination: leg for leg in await outbound.middle.journal.legs(later.record)}
    assert LegState.WAITING is waiting["risk"].state


async def test_a_receiver_that_hangs_is_given_up_after_its_timeout(outbound: Outbound) -> None:
    hung = asyncio.Event()

    async def hang(_: Outgoing) -> str | None:
        hung.set()
        await asyncio.sleep(60)
        return None

    outbound.receiver.deliver = hang  # type: ignore[method-assign, assignment]  # never answers
    await outbound.middle.send("post-a", samples.ITEM)
    async with outbound.running():
        await outbound.until(lambda: bool(outbound.settled))

    assert hung.is_set()
    assert Result.RETURNED is outbound.settled[0].result


async def test_an_attempt_that_failed_has_the_report_of_what_was_encoded(
    outbound: Outbound,
) -> None:
    def decline(_: Outgoing) -> None:
        raise Unavailable("internal", reached=True)

    outbound.receiver.behave = decline
    await outbound.middle.send("post-a", samples.ITEM)
    async with outbound.running():
        await outbound.until(lambda: Result.BURIED in outbound.results())

    reports = [settlement.report for settlement in outbound.settled]
    assert ["luxor.json.1"] * 3 == [report.format for report in reports if report is not None]


async def test_a_mistake_of_ours_with_one_message_stops_no_other(outbound: Outbound) -> None:
    def stumble(outgoing: Outgoing) -> None:
        if b'"bad"' in outgoing.content:
            raise LookupError("content")

    outbound.receiver.behave = stumble
    await outbound.middle.send("post-a", samples.item(remark="bad"))
    async with outbound.running():
        await outbound.until(lambda: Result.BURIED in outbound.results())
        await outbound.middle.send("post-a", samples.item(item_id=samples.s10(9)))
        await outbound.until(lambda: bool(outbound.receiver.got))

    assert {LookupError} == {type(error) for error in outbound.failed}
    assert "attempts.exhausted: 3 attempts: internal" == str(outbound.buried[0][1])


async def test_a_refusal_that_can_not_be_told_now_is_tried_again(outbound: Outbound) -> None:
    def refuse(_: Outgoing) -> None:
        raise Refused("interchange.refused")

    outbound.receiver.behave, outbound.full = refuse, True
    await outbound.middle.send("post-a", samples.ITEM)
    async with outbound.running():
        await outbound.until(lambda: Result.RETURNED in outbound.results())
        outbound.full = False
        await outbound.until(lambda: Result.BURIED in outbound.results())

    assert ["interchange.refused"] == [refused.code for _, refused in outbound.buried]


async def test_one_message_on_which_the_receiver_hangs_does_not_hold_the_others(
    outbound: Outbound,
) -> None:
    async def hang(outgoing: Outgoing) -> str | None:
        if b'"bad"' in outgoing.content:
            await asyncio.sleep(60)
        outbound.receiver.got.append(outgoing)
        return None

    outbound.receiver.deliver = hang  # type: ignore[method-assign]  # one never ends
    await outbound.middle.send("post-a", samples.item(remark="bad"))
    async with outbound.running():
        for number in range(1, 5):
            await outbound.until(partial(outbound.has_settled, number))
            await outbound.middle.send("post-a", samples.item(item_id=samples.s10(number)))
        await outbound.until(lambda: len(outbound.receiver.got) == 4)

    assert Result.RETRY in outbound.results()


def test_pauses_double_to_a_bound_and_are_spread() -> None:
    assert [0.1, 0.2, 0.4, 5.0, 5.0] == [
        pause(n, first=0.2, longest=10.0, spread=0.0) for n in (1, 2, 3, 20, 2_000)
    ]
    assert 10.0 == pause(99, first=0.2, longest=10.0, spread=1.0)
