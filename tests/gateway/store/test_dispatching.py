"""Leases and settlements: order per key, one lease per key, nothing lost, nothing overtaken."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from gateway.core.ports import Journal
from gateway.core.records import LegState, PlannedLeg, Result, Subject
from tests.gateway.store.samples import (
    POST,
    START,
    accept,
    all_settled,
    ids,
    item,
    lease,
    legs,
    message,
    settled,
)

LATER = START + timedelta(minutes=5)


async def queue(
    journal: Journal,
    name: str,
    number: int = 1,
    *,
    to: tuple[PlannedLeg, ...] = legs("risk"),
    lane: int | None = None,
    due: datetime | None = None,
) -> None:
    """One message about an item, under an interchange of its own."""
    planned = to if lane is None else legs("risk", lane=lane, due=due)
    await accept(
        journal, name, messages=[message(about=item(number), legs=planned)], content=name.encode()
    )


async def nothing_ready(journal: Journal, now: datetime = START) -> bool:
    return await journal.lease("risk", limit=100, seconds=60, now=now) is None


async def test_an_empty_journal_leases_nothing(journal: Journal) -> None:
    assert await nothing_ready(journal)
    assert await journal.tick(now=START) == frozenset()


async def test_a_lease_carries_what_a_delivery_needs(journal: Journal) -> None:
    await queue(journal, "a", to=legs("risk", lane=1))
    taken = await lease(journal, seconds=30)
    (delivery,) = taken.deliveries
    assert (taken.destination, taken.until) == ("risk", START + timedelta(seconds=30))
    assert (delivery.lane, delivery.route, delivery.tries) == (1, "to-risk", 0)
    assert delivery.message.party == POST
    assert delivery.message.body == message().body


async def test_each_destination_has_its_own_legs(journal: Journal) -> None:
    await queue(journal, "a", to=legs("risk", "revenue"))
    assert ids(await lease(journal, "risk")) == ["a"]
    assert ids(await lease(journal, "revenue")) == ["a"]


async def test_a_leased_key_is_not_leased_again(journal: Journal) -> None:
    await queue(journal, "a")
    await lease(journal)
    assert await nothing_ready(journal)


async def test_what_was_delivered_does_not_come_again(journal: Journal) -> None:
    await queue(journal, "a")
    taken = await lease(journal)
    await journal.settle(taken, all_settled(taken), now=START)
    await journal.tick(now=LATER)
    assert await nothing_ready(journal)
    assert await journal.backlog() == ()


async def test_legs_of_one_key_come_in_order_and_together(journal: Journal) -> None:
    for name in ("a", "b", "c"):
        await queue(journal, name)
    assert ids(await lease(journal, limit=1)) == ["a", "b", "c"]


async def test_a_later_leg_of_a_leased_key_waits_for_the_lease(journal: Journal) -> None:
    await queue(journal, "a")
    first = await lease(journal)
    await queue(journal, "b")
    assert await nothing_ready(journal)
    await journal.settle(first, all_settled(first), now=START)
    assert ids(await lease(journal)) == ["b"]


async def test_at_most_sixteen_legs_of_a_key_come_at_once(journal: Journal) -> None:
    for n in range(20):
        await queue(journal, f"{n:02}")
    first = await lease(journal)
    assert ids(first) == [f"{n:02}" for n in range(16)]
    await journal.settle(first, all_settled(first), now=START)
    assert ids(await lease(journal)) == [f"{n:02}" for n in range(16, 20)]


async def test_the_limit_counts_keys(journal: Journal) -> None:
    for n in range(5):
        await queue(journal, f"k{n}", n + 1)
    assert len((await lease(journal, limit=3)).deliveries) == 3
    assert len((await lease(journal, limit=3)).deliveries) == 2


async def test_the_legs_of_a_lease_can_be_bounded_together(journal: Journal) -> None:
    for number in (1, 2, 3):
        for n in range(5):
            await queue(journal, f"{number}{n}", number)
    taken = await journal.lease("risk", limit=100, legs=7, seconds=60, now=START)
    assert taken is not None
    assert len(taken.deliveries) == 7
    await journal.settle(taken, all_settled(taken), now=START)
    rest: list[str] = []
    while (more := await journal.lease("risk", limit=1, legs=1, seconds=60, now=START)) is not None:
        rest += ids(more)
        await journal.settle(more, all_settled(more), now=START)
    assert len(rest) == 15 - 7
    every = [*ids(taken), *rest]
    for first in "123":
        assert [f"{first}{n}" for n in range(5)] == [one for one in every if one[0] == first]


async def test_a_lease_may_be_settled_bit_by_bit(journal: Journal) -> None:
    for name in ("a", "b", "c"):
        await queue(journal, name)
    taken = await lease(journal)
    for rest in (["b", "c"], ["c"], []):
        settlement = settled(taken.deliveries[2 - len(rest)])
        await journal.settle(taken, [settlement], now=START)
        assert await nothing_ready(journal)
        assert ids(await journal.held("risk", taken.token)) == rest
    assert await journal.backlog() == ()


async def test_asking_for_a_lease_again_gives_the_same_page(journal: Journal) -> None:
    for n in range(3):
        await queue(journal, f"k{n}", n + 1)
    taken = await lease(journal)
    await queue(journal, "later")
    assert await journal.held("risk", taken.token) == taken
    assert await journal.held("revenue", taken.token) is None


@pytest.mark.parametrize("token", ["", "x", "a.1.b", "a.1.99999999999999999999", "' OR 1=1 --"])
async def test_a_token_that_was_never_given_holds_nothing(journal: Journal, token: str) -> None:
    await queue(journal, "a")
    await lease(journal)
    assert await journal.held("risk", token) is None


async def test_an_expired_lease_comes_back(journal: Journal) -> None:
    await queue(journal, "a")
    taken = await lease(journal, seconds=60)
    assert await journal.tick(now=START + timedelta(seconds=59)) == frozenset()
    assert await journal.tick(now=START + timedelta(seconds=60)) == {"risk"}
    assert await journal.held("risk", taken.token) is None
    assert ids(await lease(journal)) == ["a"]


async def test_a_lease_that_was_taken_over_changes_no_leg_but_is_logged(journal: Journal) -> None:
    await queue(journal, "a")
    old = await lease(journal, seconds=1)
    await journal.tick(now=LATER)
    new = await lease(journal, now=LATER)
    await journal.settle(old, all_settled(old), now=LATER)
    assert await journal.held("risk", new.token) == new
    (leg,) = await journal.legs(new.deliveries[0].message.record)
    assert leg.state is LegState.LEASED
    (entry,) = await journal.trace("a")
    assert [attempt.result for attempt in entry.attempts] == [Result.DELIVERED]


async def test_a_late_report_does_not_reopen_a_delivered_leg(journal: Journal) -> None:
    await queue(journal, "a")
    old = await lease(journal, seconds=1)
    await journal.tick(now=LATER)
    new = await lease(journal, now=LATER)
    await journal.settle(new, all_settled(new), now=LATER)
    await journal.settle(old, all_settled(old, Result.RETRY), now=LATER)
    (leg,) = await journal.legs(new.deliveries[0].message.record)
    assert leg.state is LegState.DELIVERED
    assert await nothing_ready(journal, LATER)


async def test_a_retry_waits_for_its_time_with_all_that_follows(journal: Journal) -> None:
    for name in ("a", "b"):
        await queue(journal, name)
    taken = await lease(journal)
    await journal.settle(
        taken, [settled(taken.deliveries[0], Result.RETRY, not_before=LATER)], now=START
    )
    assert await nothing_ready(journal)
    assert await journal.tick(now=LATER - timedelta(seconds=1)) == frozenset()
    assert await journal.tick(now=LATER) == {"risk"}
    again = await lease(journal, now=LATER)
    assert ids(again) == ["a", "b"]
    assert [d.tries for d in again.deliveries] == [1, 0]


async def test_what_was_delivered_before_a_retry_stays_delivered(journal: Journal) -> None:
    for name in ("a", "b", "c"):
        await queue(journal, name)
    taken = await lease(journal)
    results = (Result.DELIVERED, Result.RETRY, Result.RETURNED)
    await journal.settle(
        taken, [settled(d, r) for d, r in zip(taken.deliveries, results, strict=True)], now=START
    )
    await journal.tick(now=START)
    assert ids(await lease(journal)) == ["b", "c"]


async def test_a_returned_lease_is_ready_at_once_and_leaves_no_trace(journal: Journal) -> None:
    await queue(journal, "a")
    taken = await lease(journal)
    await journal.settle(taken, all_settled(taken, Result.RETURNED), now=START)
    again = await lease(journal)
    assert again.deliveries == taken.deliveries
    (entry,) = await journal.trace("a")
    assert entry.attempts == ()


async def test_a_buried_leg_holds_back_its_key_and_no_other(journal: Journal) -> None:
    await queue(journal, "a", 1)
    await queue(journal, "b", 2)
    taken = await lease(journal, limit=1)
    await journal.settle(
        taken, [settled(taken.deliveries[0], Result.BURIED, code="content.bad")], now=START
    )
    await queue(journal, "c", 1)
    assert ids(await lease(journal)) == ["b"]
    await journal.tick(now=LATER)
    (leg,) = await journal.buried()
    assert (leg.state, leg.code, leg.tries) == (LegState.BURIED, "content.bad", 1)
    assert await journal.buried("risk") == (leg,)
    assert await journal.buried("revenue") == ()
    assert await journal.buried(limit=0) == ()


async def test_retrying_sets_buried_and_waiting_keys_free(journal: Journal) -> None:
    await queue(journal, "a", 1)
    await queue(journal, "b", 2)
    taken = await lease(journal)
    first, second = taken.deliveries
    await journal.settle(
        taken,
        [settled(first, Result.BURIED), settled(second, Result.RETRY, not_before=LATER)],
        now=START,
    )
    assert await journal.retry("revenue", now=START) == 0
    assert await journal.retry("risk", now=START, key=first.key) == 1
    assert ids(await lease(journal)) == ["a"]
    assert await journal.retry("risk", now=START) == 1
    assert ids(await lease(journal)) == ["b"]


async def test_a_skipped_leg_lets_the_next_one_go(journal: Journal) -> None:
    for name in ("a", "b"):
        await queue(journal, name)
    taken = await lease(journal, limit=1)
    await journal.settle(
        taken,
        [settled(taken.deliveries[0], Result.SKIPPED), settled(taken.deliveries[1], Result.RETRY)],
        now=START,
    )
    (leg,) = await journal.legs(taken.deliveries[0].message.record)
    assert leg.state is LegState.SKIPPED
    await journal.tick(now=START)
    assert ids(await lease(journal)) == ["b"]


@pytest.mark.parametrize("result", [Result.BURIED, Result.RETRY, Result.RETURNED])
async def test_what_stops_behind_an_unsettled_leg_comes_again_after_it(
    journal: Journal, result: Result
) -> None:
    for name in ("a", "b", "c"):
        await queue(journal, name)
    taken = await lease(journal)
    await journal.settle(taken, [settled(taken.deliveries[1], result)], now=START)
    assert await journal.buried() == ()
    assert ids(await journal.held("risk", taken.token)) == ["a"]  # it can still be acknowledged
    assert await journal.lease("risk", limit=9, seconds=60, now=START) is None
    await journal.settle(taken, [settled(taken.deliveries[0])], now=START)
    assert ids(await lease(journal)) == ["b", "c"]


@pytest.mark.parametrize("result", [Result.BURIED, Result.RETRY, Result.RETURNED])
async def test_what_is_said_of_a_leg_that_is_gone_changes_nothing(
    journal: Journal, result: Result
) -> None:
    for name in ("a", "b"):
        await queue(journal, name)
    taken = await lease(journal)
    await journal.settle(taken, [settled(taken.deliveries[0])], now=START)
    await journal.settle(taken, [settled(taken.deliveries[0], result)], now=START)
    rest = await journal.held("risk", taken.token)
    assert ids(rest) == ["b"]
    assert rest is not None
    assert [delivery.tries for delivery in rest.deliveries] == [0]


async def test_what_is_named_is_settled_also_out_of_order(journal: Journal) -> None:
    for name in ("a", "b", "c"):
        await queue(journal, name)
    taken = await lease(journal)
    await journal.settle(taken, [settled(taken.deliveries[1])], now=START)
    assert ids(await journal.held("risk", taken.token)) == ["a", "c"]


async def test_urgent_lanes_come_first_and_none_starves(journal: Journal) -> None:
    for lane in (3, 2, 1, 0):
        for n in range(10):
            await queue(journal, f"{lane}-{n}", 100 * lane + n + 1, lane=lane)
    taken = await lease(journal, limit=15)
    assert [d.lane for d in taken.deliveries] == [0] * 8 + [1] * 4 + [2] * 2 + [3]


async def test_weights_say_how_a_claim_is_shared_out(journal: Journal) -> None:
    for lane in (3, 2, 1, 0):
        for n in range(10):
            await queue(journal, f"{lane}-{n}", 100 * lane + n + 1, lane=lane)
    taken = await journal.lease("risk", limit=8, seconds=60, now=START, weights=(1, 1, 1, 5))
    assert taken is not None
    assert [d.lane for d in taken.deliveries] == [0, 1, 2, *[3] * 5]


async def test_only_the_lanes_that_are_asked_for_are_claimed(journal: Journal) -> None:
    for lane in (3, 2, 1, 0):
        await queue(journal, f"{lane}", lane + 1, lane=lane)
    taken = await journal.lease("risk", limit=9, seconds=60, now=START, lanes=(0, 3))
    assert ids(taken) == ["0", "3"]
    assert await journal.lease("risk", limit=9, seconds=60, now=START, lanes=(0,)) is None
    assert ids(await lease(journal)) == ["1", "2"]


async def test_what_an_urgent_leg_pulls_along_is_claimed_with_its_lane(journal: Journal) -> None:
    await queue(journal, "item", 2, lane=3)
    await queue(journal, "do-not-load", 2, lane=0)
    taken = await journal.lease("risk", limit=9, seconds=60, now=START, lanes=(0,))
    assert ids(taken) == ["item", "do-not-load"]


async def test_places_that_a_lane_does_not_need_go_to_others(journal: Journal) -> None:
    for n in range(10):
        await queue(journal, f"k{n}", n + 1, lane=3)
    assert len((await lease(journal, limit=10)).deliveries) == 10


async def test_within_a_lane_the_nearest_deadline_comes_first(journal: Journal) -> None:
    await queue(journal, "patient", 1, lane=2)
    await queue(journal, "near", 2, lane=2, due=START + timedelta(minutes=1))
    assert ids(await lease(journal, limit=1)) == ["near"]


async def test_an_urgent_leg_pulls_what_is_before_it_along(journal: Journal) -> None:
    await queue(journal, "other", 1, lane=1)
    await queue(journal, "item", 2, lane=3)
    await queue(journal, "do-not-load", 2, lane=0)
    assert ids(await lease(journal, limit=1)) == ["item", "do-not-load"]


async def test_what_was_pulled_along_keeps_its_lane_until_the_urgent_leg_has_passed(
    journal: Journal,
) -> None:
    for n in range(20):
        await queue(journal, f"{n:02}", 1, lane=3)
    await queue(journal, "urgent", 1, lane=0)
    await queue(journal, "after", 1, lane=3)
    await queue(journal, "other", 2, lane=1)
    first = await lease(journal, limit=1)
    await journal.settle(first, all_settled(first), now=START)
    second = await lease(journal, limit=1)
    assert ids(second) == ["16", "17", "18", "19", "urgent", "after"]


async def test_after_the_urgent_leg_the_key_falls_back_to_its_own_lane(journal: Journal) -> None:
    await queue(journal, "urgent", 1, lane=0)
    for n in range(16):
        await queue(journal, f"{n:02}", 1, lane=3)
    await queue(journal, "other", 2, lane=1)
    first = await lease(journal, limit=1)
    await journal.settle(first, all_settled(first), now=START)
    assert ids(await lease(journal, limit=1)) == ["other"]


async def test_an_answer_queues_behind_what_it_answers(journal: Journal) -> None:
    asked = await accept(journal, "asked")
    taken = await lease(journal)
    answer = message(about=Subject("referral", "R"), key_of=(asked.record, 1))
    await accept(journal, "answer", messages=[answer], content=b"2")
    assert await nothing_ready(journal)
    await journal.settle(taken, all_settled(taken), now=START)
    assert ids(await lease(journal)) == ["answer"]


async def test_the_backlog_counts_keys_by_what_they_wait_for(journal: Journal) -> None:
    for n in range(4):
        await queue(journal, f"k{n}", n + 1, to=legs("risk", "revenue"))
    one, two = (await lease(journal, limit=2)).deliveries
    first = await journal.held("risk", "none")
    assert first is None
    taken = await lease(journal, limit=1)
    await journal.settle(taken, all_settled(taken, Result.BURIED), now=START)
    assert one.key != two.key
    revenue, risk = await journal.backlog()
    assert (revenue.destination, revenue.ready) == ("revenue", 4)
    assert (risk.ready, risk.leased, risk.waiting, risk.held) == (1, 2, 0, 1)


async def test_tick_names_all_destinations_with_something_ready(journal: Journal) -> None:
    await queue(journal, "a", to=legs("risk", "revenue", "partner"))
    await lease(journal, "revenue")
    assert await journal.tick(now=START) == {"partner", "risk"}


async def test_a_commit_wakes_whoever_waits(journal: Journal) -> None:
    await queue(journal, "a", to=legs("risk", "revenue"))
    assert await journal.wake(seconds=5) == {"risk", "revenue"}
    assert await journal.wake(seconds=0.01) == frozenset()


async def test_a_key_that_has_more_to_deliver_wakes_its_destination(journal: Journal) -> None:
    await queue(journal, "a")
    await journal.wake(seconds=5)
    taken = await lease(journal)
    await queue(journal, "b")
    await journal.wake(seconds=5)
    await journal.settle(taken, all_settled(taken), now=START)
    assert await journal.wake(seconds=5) == {"risk"}


async def test_a_retry_by_hand_wakes_its_destination(journal: Journal) -> None:
    await queue(journal, "a")
    await journal.wake(seconds=5)
    taken = await lease(journal)
    await journal.settle(taken, all_settled(taken, Result.BURIED), now=START)
    assert await journal.wake(seconds=0.01) == frozenset()
    await journal.retry("risk", now=START)
    assert await journal.wake(seconds=5) == {"risk"}


async def test_message_ids_do_not_change_between_attempts(journal: Journal) -> None:
    await queue(journal, "a")
    first = await lease(journal)
    await journal.settle(first, all_settled(first, Result.RETRY), now=START)
    await journal.tick(now=START)
    again = await lease(journal)
    assert again.deliveries[0].message == first.deliveries[0].message


async def test_a_waiter_that_was_cancelled_takes_nothing_with_it(journal: Journal) -> None:
    waiter = asyncio.create_task(journal.wake(seconds=60))
    await asyncio.sleep(0)
    waiter.cancel()
    await asyncio.wait([waiter])
    await queue(journal, "a")
    assert await journal.wake(seconds=5) == {"risk"}
