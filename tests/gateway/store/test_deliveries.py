"""Unsettled deliveries on every store: choosing, paging, showing and acting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.core.deliveries import (
    LONGEST_REASON,
    OPEN,
    Act,
    Acted,
    Chosen,
    Deed,
    Unsettled,
    Why,
)
from gateway.core.identifiers import MessageId
from gateway.core.ports import Journal
from gateway.core.records import LegState, Result
from gateway.store import paging
from gateway.store.postgres import open_postgres
from gateway.store.sqlite import open_sqlite
from tests.gateway.store.samples import (
    GATEWAY,
    START,
    ManualClock,
    accept,
    ids,
    item,
    lease,
    legs,
    message,
    settled,
)
from tests.postgres import database

LATER = START + timedelta(minutes=5)
BURIED = frozenset({LegState.BURIED})


def deed(act: Act, reason: str = "mended") -> Deed:
    return Deed(act=act, by="anna", reason=reason)


async def queue(journal: Journal, name: str, number: int, **changes: Any) -> None:
    planned = message(1, about=item(number), legs=legs("risk", **changes))
    await accept(journal, name, messages=[planned])


async def stuck(journal: Journal) -> None:
    """For risk: buried with a later one behind it, retrying, waiting. For revenue: buried."""
    for name, number in (("buried", 1), ("behind", 1), ("retrying", 2), ("waiting", 3)):
        await queue(journal, name, number)
    taken = await lease(journal)
    await journal.settle(
        taken,
        [
            settled(taken.deliveries[0], Result.BURIED, code="content.bad", detail="no"),
            settled(taken.deliveries[2], Result.RETRY, detail="later", not_before=LATER),
            settled(taken.deliveries[3], Result.RETURNED),
        ],
        now=START,
    )
    await accept(journal, "other", messages=[message(1, about=item(1), legs=legs("revenue"))])
    taken = await lease(journal, "revenue")
    await journal.settle(taken, [settled(taken.deliveries[0], Result.BURIED)], now=LATER)


async def found(journal: Journal, **chosen: Any) -> list[str]:
    """The interchanges of the chosen legs, in order."""
    return [leg.interchange_id for leg in await every(journal, Chosen(**chosen))]


async def every(journal: Journal, chosen: Chosen, *, limit: int = 100) -> list[Unsettled]:
    legs: list[Unsettled] = []
    after: str | None = None
    while True:
        page = await journal.deliveries.page(chosen, after=after, limit=limit)
        legs += page.legs
        after = page.next
        if after is None:
            return legs


async def act(journal: Journal, deed: Deed, **chosen: Any) -> Acted:
    return await journal.deliveries.act(Chosen(**chosen), deed, now=LATER)


async def test_each_leg_stands_somewhere(journal: Journal) -> None:
    await stuck(journal)

    standing = {str(leg.interchange_id): leg for leg in await every(journal, Chosen())}

    assert {name: leg.state for name, leg in standing.items()} == {
        "buried": LegState.BURIED,
        "behind": LegState.WAITING,
        "retrying": LegState.RETRYING,
        "waiting": LegState.WAITING,
        "other": LegState.BURIED,
    }
    buried, retrying = standing["buried"], standing["retrying"]
    assert (buried.code, buried.detail, buried.at, buried.tries) == ("content.bad", "no", START, 1)
    assert (retrying.wake, retrying.key) == (LATER, item(2))
    assert (buried.kind, buried.route, buried.lane) == ("ItemDeclaration", "to-risk", 2)


async def test_what_is_under_lease_says_until_when(journal: Journal) -> None:
    for number in range(20):
        await queue(journal, f"i{number}", 1)
    await lease(journal, seconds=60)

    legs = await every(journal, Chosen())

    leased = [leg for leg in legs if leg.state is LegState.LEASED]
    assert len(leased) == 16  # the first of the key
    assert {leg.wake for leg in leased} == {START + timedelta(seconds=60)}
    assert {leg.state for leg in legs[16:]} == {LegState.WAITING}


@pytest.mark.parametrize(
    ("chosen", "names"),
    [
        ({}, ["other", "buried", "behind", "retrying", "waiting"]),
        ({"states": BURIED}, ["other", "buried"]),
        ({"states": BURIED, "destination": "risk"}, ["buried"]),
        ({"destination": "revenue"}, ["other"]),
        ({"destination": "nowhere"}, []),
        ({"code": "content.*"}, ["buried"]),
        ({"key": item(1).value}, ["other", "buried", "behind"]),
        ({"key": item(1).value, "destination": "risk"}, ["buried", "behind"]),
        ({"key": "nothing"}, []),
        ({"kind": "Order"}, []),
        ({"kind": "Item*", "states": BURIED}, ["other", "buried"]),
        ({"route": "to-revenue"}, ["other"]),
        ({"lane": 1}, []),
        ({"since": LATER}, ["other"]),
        ({"until": LATER}, ["buried", "behind", "retrying", "waiting"]),
        ({"states": frozenset({LegState.RETRYING})}, ["retrying"]),
    ],
)
async def test_chosen_by_conditions(
    journal: Journal, chosen: dict[str, Any], names: list[str]
) -> None:
    await stuck(journal)

    assert await found(journal, **chosen) == names


async def test_one_message_is_found_with_each_of_its_destinations(journal: Journal) -> None:
    planned = message(1, legs=legs("risk", "revenue"))
    await accept(journal, "first", messages=[planned])
    await accept(journal, "second", messages=[planned])
    identifier = (await every(journal, Chosen()))[0].message_id

    legs_ = await every(journal, Chosen(message=identifier))

    assert [(leg.destination, leg.interchange_id) for leg in legs_] == [
        ("revenue", "first"),
        ("risk", "first"),
    ]
    for nobody in ("nothing", "00000000-0000-8000-8000-000000000001"):
        assert await found(journal, message=MessageId(nobody)) == []


@pytest.mark.parametrize("states", [OPEN, BURIED])
@pytest.mark.parametrize("limit", [1, 2, 3, 100])
async def test_pages_together_are_everything_once(
    journal: Journal, limit: int, states: frozenset[LegState]
) -> None:
    await stuck(journal)
    everything = await every(journal, Chosen(states=states))

    assert await every(journal, Chosen(states=states), limit=limit) == everything


async def test_a_page_looks_at_a_bounded_number_and_goes_on(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "LOOKED_AT", 3)
    await stuck(journal)

    first = await journal.deliveries.page(Chosen(lane=2, code="none"))

    assert first.legs == ()
    assert first.next is not None
    assert [leg.interchange_id for leg in await every(journal, Chosen(until=LATER))] == [
        "buried",
        "behind",
        "retrying",
        "waiting",
    ]


async def test_a_cursor_of_another_question_is_refused(journal: Journal) -> None:
    await stuck(journal)
    page = await journal.deliveries.page(Chosen(destination="risk"), limit=1)

    for cursor in ("?", "AAAA", page.next):
        with pytest.raises(ValueError, match="cursor"):
            await journal.deliveries.page(Chosen(destination="revenue"), after=cursor)


def test_conditions_that_can_not_be_are_refused() -> None:
    with pytest.raises(ValueError, match="states"):
        Chosen(states=frozenset({LegState.DELIVERED}))
    with pytest.raises(ValueError, match="state"):
        Chosen(states=frozenset())
    with pytest.raises(ValueError, match="offset"):
        Chosen(since=START.replace(tzinfo=None))


@pytest.mark.parametrize("reason", ["", "a\nb", "\x1b[2J", "x" * (LONGEST_REASON + 1)])
def test_a_deed_needs_a_reason_that_prints(reason: str) -> None:
    with pytest.raises(ValueError, match="reason"):
        deed(Act.RETRY, reason)


async def test_a_retried_one_is_ready_with_all_its_attempts_before_it(journal: Journal) -> None:
    await stuck(journal)

    acted = await act(journal, deed(Act.RETRY), code="content.bad")

    assert [touched.destination for touched in acted.done] == ["risk"]
    assert "risk" in await journal.tick(now=START)
    taken = await lease(journal)
    assert ids(taken)[:2] == ["buried", "behind"]
    assert taken.deliveries[0].tries == 0
    assert "risk" in await journal.wake(seconds=0)


async def test_a_retrying_one_does_not_wait_for_its_time(journal: Journal) -> None:
    await stuck(journal)
    await act(journal, deed(Act.RETRY), states=frozenset({LegState.RETRYING}))

    assert "retrying" in ids(await lease(journal))


async def test_a_buried_one_is_held_until_it_is_retried(journal: Journal) -> None:
    await queue(journal, "first", 1)
    await queue(journal, "later", 1)
    await act(journal, deed(Act.BURY, "wrong"), states=frozenset({LegState.WAITING}))

    assert await journal.lease("risk", limit=9, seconds=9, now=LATER) is None
    assert await found(journal, states=BURIED) == ["first"]
    (leg,) = await journal.buried()
    assert (leg.code, leg.detail) == ("operator.buried", "by hand (anna): wrong")

    await act(journal, deed(Act.RETRY), states=BURIED)
    assert ids(await lease(journal)) == ["first", "later"]


async def test_what_is_skipped_lets_later_ones_go_on(journal: Journal) -> None:
    await stuck(journal)

    await act(journal, deed(Act.SKIP, "obsolete"), code="content.bad")

    assert "behind" in ids(await lease(journal))
    assert await found(journal, key=item(1).value, destination="risk") == ["behind"]


async def test_the_last_one_skipped_leaves_nothing(journal: Journal) -> None:
    await queue(journal, "only", 1)
    await act(journal, deed(Act.SKIP))

    assert await journal.backlog() == ()
    assert await found(journal) == []


async def test_one_in_the_middle_may_be_skipped(journal: Journal) -> None:
    for name in ("first", "second", "third"):
        await queue(journal, name, 1)
    second = (await every(journal, Chosen()))[1].message_id

    await act(journal, deed(Act.SKIP), message=second)

    assert ids(await lease(journal)) == ["first", "third"]


async def test_skipping_the_urgent_one_ends_the_hurry_of_those_before_it(journal: Journal) -> None:
    await queue(journal, "slow", 1, lane=3)
    await queue(journal, "urgent", 1, lane=0)
    urgent = (await every(journal, Chosen(lane=0)))[0].message_id

    await act(journal, deed(Act.SKIP), message=urgent)

    assert await journal.lease("risk", limit=9, seconds=9, now=START, lanes=(0,)) is None
    assert ids(await lease(journal)) == ["slow"]


async def test_every_act_is_an_attempt_with_name_and_reason(journal: Journal) -> None:
    await stuck(journal)
    one = (await every(journal, Chosen(code="content.bad")))[0].message_id
    await act(journal, deed(Act.RETRY), message=one)
    await act(journal, deed(Act.BURY, "wrong"), message=one)
    await act(journal, deed(Act.SKIP, "obsolete"), message=one)

    shown = await journal.deliveries.show(one)

    assert shown is not None
    told = [(r.attempt.result, r.attempt.code, r.attempt.detail) for r in shown.attempts]
    assert told == [
        (Result.BURIED, "content.bad", "no"),
        (Result.RELEASED, "operator.released", "by hand (anna): mended"),
        (Result.BURIED, "operator.buried", "by hand (anna): wrong"),
        (Result.SKIPPED, "operator.skipped", "by hand (anna): obsolete"),
    ]
    assert all(recorded.process for recorded in shown.attempts)
    assert [leg.state for leg in shown.legs] == [LegState.SKIPPED]
    assert shown.message.body is None
    (traced,) = [e for e in await journal.trace(item(1).value) if e.message.message_id == one]
    assert [attempt.result for attempt in traced.attempts] == [result for result, _, _ in told]
    assert await journal.deliveries.show(MessageId("nothing")) is None


@pytest.mark.parametrize("what", list(Act))
async def test_what_is_under_lease_is_left_alone(journal: Journal, what: Act) -> None:
    await queue(journal, "first", 1)
    taken = await lease(journal)
    await queue(journal, "later", 1)

    acted = await act(journal, deed(what))

    assert acted.done == ()
    assert {left.why for left in acted.left_out} == {Why.LEASED}
    await journal.settle(taken, [settled(taken.deliveries[0])], now=START)
    assert await found(journal) == ["later"]


@pytest.mark.parametrize(
    ("what", "name", "why"),
    [
        (Act.RETRY, "behind", Why.BEHIND),
        (Act.BURY, "behind", Why.BEHIND),
        (Act.BURY, "buried", Why.BURIED),
        (Act.RETRY, "waiting", Why.READY),
    ],
)
async def test_what_can_not_be_done_is_left_out_with_the_reason(
    journal: Journal, what: Act, name: str, why: Why
) -> None:
    await stuck(journal)
    before = await every(journal, Chosen())
    (one,) = [leg.message_id for leg in before if leg.interchange_id == name]

    acted = await act(journal, deed(what), message=one)

    assert [left.why for left in acted.left_out] == [why]
    assert await every(journal, Chosen()) == before


async def test_an_act_goes_in_steps(journal: Journal) -> None:
    for number in range(5):
        await queue(journal, f"i{number}", number)
    steps = []
    after: str | None = None
    while True:
        acted = await journal.deliveries.act(
            Chosen(), deed(Act.BURY), now=LATER, after=after, limit=2
        )
        steps.append(len(acted.done))
        after = acted.next
        if after is None:
            break

    assert steps == [2, 2, 1]
    assert len(await found(journal, states=BURIED)) == 5


async def test_two_who_retry_the_same_at_once_do_it_once(journal: Journal) -> None:
    for number in range(8):
        await queue(journal, f"i{number}", number)
    await act(journal, deed(Act.BURY))

    both = await asyncio.gather(*(act(journal, deed(Act.RETRY), states=BURIED) for _ in range(2)))

    touched = [one.message_id for acted in both for one in acted.done]
    assert len(touched) == len(set(touched)) == 8


@pytest.fixture(params=["sqlite", "postgres"])
async def nodes(
    request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock
) -> AsyncIterator[tuple[Journal, Journal]]:
    """Two openings of one store, as two processes have them."""
    with ExitStack() as stack:
        path = tmp_path / "journal.db"
        url = stack.enter_context(database()) if request.param == "postgres" else None
        pair: list[Journal] = [
            await open_sqlite(path, gateway=GATEWAY, clock=clock)
            if url is None
            else await open_postgres(url, gateway=GATEWAY, clock=clock)
            for _ in range(2)
        ]
        try:
            yield pair[0], pair[1]
        finally:
            for journal in pair:
                await journal.close()


async def test_two_nodes_that_act_at_once_never_overlap(nodes: tuple[Journal, Journal]) -> None:
    first, second = nodes
    for number in range(40):
        await queue(first, f"i{number}", number % 20)
    await act(first, deed(Act.BURY))

    both = await asyncio.gather(
        *(act(node, deed(Act.RETRY), states=BURIED) for node in (first, second, first, second))
    )

    touched = [one.message_id for acted in both for one in acted.done]
    assert len(touched) == len(set(touched)) == 20
    assert all(len(acted.done) + len(acted.left_out) <= 20 for acted in both)


async def test_acting_beside_accepting_claiming_and_settling(
    nodes: tuple[Journal, Journal],
) -> None:
    """Nobody waits for the other for ever, and what was not given up is delivered."""
    first, second = nodes
    names = [f"i{number}" for number in range(30)]

    async def accepting() -> None:
        for at, name in enumerate(names):
            await queue(first, name, at % 3)

    async def delivering() -> list[str]:
        done: list[str] = []
        while len(done) < len(names):
            await second.tick(now=LATER)
            taken = await second.lease("risk", limit=9, seconds=60, now=START)
            if taken is not None:
                await second.settle(taken, [settled(d) for d in taken.deliveries], now=START)
                done += ids(taken)
            await asyncio.sleep(0)
        return done

    async def disturbing(node: Journal, task: asyncio.Task[Any]) -> None:
        while not task.done():
            await act(node, deed(Act.BURY))
            await act(node, deed(Act.RETRY))

    async with asyncio.timeout(60):
        delivered = asyncio.create_task(delivering())
        await asyncio.gather(
            accepting(), disturbing(first, delivered), disturbing(second, delivered), delivered
        )

    got = delivered.result()
    assert sorted(got) == sorted(names)
    for key in range(3):
        mine = [int(name[1:]) for name in got if int(name[1:]) % 3 == key]
        assert mine == sorted(mine)
