"""What is forgotten when its time is over, the same on every store."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from gateway.config.retention import RetentionDays, RetentionSection
from gateway.core.identifiers import InterchangeId, record_time
from gateway.core.ports import Journal
from gateway.core.records import Expected, LegState, Result, StoredMessage
from gateway.core.retention import Budget, Pruned
from gateway.store.sqlite import SqliteJournal
from tests.gateway.store.samples import (
    POST,
    ManualClock,
    accept,
    acceptance,
    all_settled,
    item,
    lease,
    legs,
    message,
    refusal,
    settled,
)

AT_ONCE = Budget(rows=100, rest=0.0, seconds=60.0)
RULES = RetentionSection(
    days=RetentionDays(items=10, orders=20, other=15, refused=5), trace=2_000
).rules


async def prune(journal: Journal, clock: ManualClock) -> Pruned:
    return await journal.retention.prune(RULES, now=clock(), budget=AT_ONCE)


async def deliver(journal: Journal, clock: ManualClock) -> None:
    """Everything that waits for ``risk``."""
    while (taken := await journal.lease("risk", limit=100, seconds=60, now=clock())) is not None:
        await journal.settle(taken, all_settled(taken), now=clock())


async def test_content_goes_when_its_time_is_over_and_not_before(
    journal: Journal, clock: ManualClock
) -> None:
    stored = await accept(journal, received_at=clock())
    await deliver(journal, clock)

    clock.move(days=10)
    young = await prune(journal, clock)
    kept = await journal.raw(stored.record, 0)
    clock.move(seconds=2)
    over = await prune(journal, clock)

    assert not young
    assert kept == b"<content/>"
    assert (over.bodies, over.contents, over.left) == (1, 1, 0)
    assert await journal.raw(stored.record, 0) is None
    assert not await prune(journal, clock)


async def test_the_trace_goes_on_when_the_content_is_gone_and_tells_when_it_went(
    journal: Journal, clock: ManualClock
) -> None:
    stored = await accept(journal, received_at=clock())
    taken = await lease(journal, now=clock())
    done = [settled(d, code="ok", detail="taken by J. Doe") for d in taken.deliveries]
    await journal.settle(taken, done, now=clock())
    clock.move(days=11)
    pruned = await prune(journal, clock)

    [entry] = await journal.trace(item(1).value)
    [leg] = await journal.legs(stored.record)
    removal = await journal.retention.removal(stored.record, "items")

    assert pruned.details == 1
    assert entry.attempts[0].detail == ""
    assert (entry.attempts[0].result, entry.attempts[0].code) == (Result.DELIVERED, "ok")
    assert leg.state is LegState.DELIVERED
    assert removal is not None
    assert (removal.on, removal.days) == (clock().date(), 10)
    assert await journal.retention.removal(stored.record, "orders") is None
    found = await journal.find(POST, InterchangeId("first"))
    assert found is not None
    assert found.digest == stored.digest


async def test_what_is_not_delivered_keeps_its_content_until_it_is(
    journal: Journal, clock: ManualClock
) -> None:
    stored = await accept(
        journal, messages=(message(1), message(2, legs=legs("revenue"))), received_at=clock()
    )
    await deliver(journal, clock)
    clock.move(days=30)

    while_open = await prune(journal, clock)
    content = await journal.raw(stored.record, 0)
    taken = await lease(journal, "revenue", now=clock())
    await journal.settle(taken, all_settled(taken), now=clock())
    afterwards = await prune(journal, clock)

    assert (while_open.bodies, while_open.contents, while_open.left) == (1, 0, 1)
    assert content is not None
    assert taken.deliveries[0].message.body is not None
    assert (afterwards.bodies, afterwards.contents, afterwards.left) == (1, 1, 0)


async def test_a_buried_message_keeps_its_content(journal: Journal, clock: ManualClock) -> None:
    await accept(journal, received_at=clock())
    taken = await lease(journal, now=clock())
    await journal.settle(taken, all_settled(taken, Result.BURIED), now=clock())
    clock.move(days=400)

    assert (await prune(journal, clock)).bodies == 0
    assert await journal.retry("risk", now=clock()) == 1
    assert (await lease(journal, now=clock())).deliveries[0].message.body is not None


async def test_what_awaits_an_answer_keeps_its_content_until_it_comes(
    journal: Journal, clock: ManualClock
) -> None:
    expected = Expected(party=POST, answers=("CustomsResponse",), within=60.0)
    [leg] = legs("risk")
    asked = message(legs=(msgspec.structs.replace(leg, expects=(expected,)),))
    stored = await accept(journal, messages=(asked,), received_at=clock())
    await deliver(journal, clock)
    clock.move(days=11)
    while_awaited = await prune(journal, clock)
    answer = message(kind="CustomsResponse", key_of=(stored.record, 1), legs=())
    await accept(journal, "answer", messages=(answer,), received_at=clock())
    afterwards = await prune(journal, clock)

    assert (while_awaited.bodies, while_awaited.left) == (0, 1)
    assert (afterwards.bodies, afterwards.left) == (1, 0)


async def test_received_bytes_go_with_the_shortest_class_and_each_body_with_its_own(
    journal: Journal, clock: ManualClock
) -> None:
    mixed = (message(1, kind="Order", legs=()), message(2, legs=()), message(3, kind="X", legs=()))
    stored = await accept(journal, messages=mixed, received_at=clock())
    counts = []
    for days in (9, 2, 5, 5):
        clock.move(days=days)
        pruned = await prune(journal, clock)
        counts.append((pruned.bodies, pruned.contents))

    assert counts == [(0, 0), (1, 1), (1, 0), (1, 0)]
    assert await journal.raw(stored.record, 0) is None


async def test_the_bytes_of_refused_attempts_have_a_time_of_their_own(
    journal: Journal, clock: ManualClock
) -> None:
    record = await journal.reserve()
    await journal.commit(refusal(record, received_at=clock()))
    clock.move(days=6)

    assert (await prune(journal, clock)).contents == 1
    assert await journal.raw(record, 0) is None
    assert [one.record for one in await journal.refusals("first")] == [record]


async def test_what_is_on_hold_stays_until_the_hold_is_released(
    journal: Journal, clock: ManualClock
) -> None:
    two = (message(1, legs=()), message(2, legs=()))
    stored = await accept(journal, messages=two, received_at=clock())
    hold = await journal.holds.add(reason="case 17", by="officer", now=clock(), value=item(2).value)
    clock.move(days=11)

    while_held = await prune(journal, clock)
    content = await journal.raw(stored.record, 0)
    released = await journal.holds.release(hold.no)
    afterwards = await prune(journal, clock)

    assert (while_held.bodies, while_held.contents, while_held.left) == (1, 0, 1)
    assert content is not None
    assert released
    assert (afterwards.bodies, afterwards.contents, afterwards.left) == (1, 1, 0)
    assert not await journal.holds.release(hold.no)


@pytest.mark.parametrize("ordinal", [None, 1])
async def test_an_interchange_or_one_message_of_it_can_be_held(
    journal: Journal, clock: ManualClock, ordinal: int | None
) -> None:
    two = (message(1, legs=()), message(2, legs=()))
    stored = await accept(journal, messages=two, received_at=clock())
    until = clock() + timedelta(days=50)
    await journal.holds.add(
        reason="case", by="officer", now=clock(), until=until, record=stored.record, ordinal=ordinal
    )
    clock.move(days=11)
    while_held = await prune(journal, clock)
    clock.move(days=40)
    afterwards = await prune(journal, clock)

    assert (while_held.bodies, while_held.contents) == (0 if ordinal is None else 1, 0)
    assert (afterwards.bodies, afterwards.contents) == (2 - while_held.bodies, 1)
    assert [one.reason for one in await journal.holds.all()] == ["case"]


async def test_a_hold_names_one_thing(journal: Journal, clock: ManualClock) -> None:
    with pytest.raises(ValueError, match="a hold names"):
        await journal.holds.add(reason="case", by="officer", now=clock())
    with pytest.raises(ValueError, match="a hold names"):
        await journal.holds.add(reason="case", by="officer", now=clock(), value="X", ordinal=1)


async def test_a_refused_attempt_can_be_held(journal: Journal, clock: ManualClock) -> None:
    record = await journal.reserve()
    await journal.commit(refusal(record, received_at=clock()))
    hold = await journal.holds.add(reason="case", by="officer", now=clock(), record=record)
    clock.move(days=6)

    assert (await prune(journal, clock)).left == 1
    await journal.holds.release(hold.no)
    assert (await prune(journal, clock)).contents == 1


async def test_an_id_may_come_again_when_it_is_forgotten(
    journal: Journal, clock: ManualClock
) -> None:
    first = await accept(journal, messages=(message(1, legs=()),), control_reference="r")
    known = await journal.retention.forgotten()
    clock.move(days=401)
    pruned = await prune(journal, clock)
    forgotten = await journal.retention.forgotten()
    again = await accept(journal, messages=(message(1, legs=()),), control_reference="r")

    assert known is None
    assert pruned.seen == 2
    assert forgotten is not None
    assert record_time(first.record) < forgotten <= clock() - timedelta(days=400)
    assert not again.repeated
    assert again.record != first.record
    assert [entry.message.record for entry in await journal.trace("first")] == [again.record]


async def test_references_in_the_name_of_another_party_are_forgotten_too(
    journal: Journal, clock: ManualClock
) -> None:
    changes = {"control_reference": "r", "on_behalf_of": "shop", "messages": (message(legs=()),)}
    await accept(journal, "one", **changes)
    clock.move(days=401)
    await prune(journal, clock)

    assert not (await accept(journal, "two", **changes)).repeated


async def test_the_trace_goes_last_and_with_it_what_nothing_names_any_more(
    journal: Journal, clock: ManualClock
) -> None:
    stored = await accept(journal, received_at=clock())
    await deliver(journal, clock)
    clock.move(days=2_001)
    pruned = await prune(journal, clock)

    assert (pruned.bodies, pruned.traces) == (1, 1)
    assert await journal.trace(item(1).value) == ()
    assert await journal.legs(stored.record) == ()
    assert await journal.message(stored.record, 1) is None
    assert await journal.find(POST, InterchangeId("first")) is None
    again = await accept(journal, "second", received_at=clock())
    taken = await lease(journal, now=clock())
    assert taken.deliveries[0].message.record == again.record
    assert taken.deliveries[0].message.version == 1


async def test_a_trace_never_goes_before_its_content(journal: Journal, clock: ManualClock) -> None:
    await accept(journal, messages=(message(legs=()),), received_at=clock())
    clock.move(days=6)
    rules = msgspec.structs.replace(RULES, trace=5)
    pruned = await journal.retention.prune(rules, now=clock(), budget=AT_ONCE)

    assert (pruned.traces, pruned.left) == (0, 1)
    assert len(await journal.trace(item(1).value)) == 1


async def test_versions_go_on_while_anything_names_their_key(
    journal: Journal, clock: ManualClock
) -> None:
    await accept(journal, "one", messages=(message(legs=()),), received_at=clock())
    clock.move(days=100)
    await accept(journal, "two", messages=(message(legs=()),), received_at=clock())
    clock.move(days=1_950)
    pruned = await prune(journal, clock)

    [entry] = await journal.trace(item(1).value)
    assert pruned.traces == 1
    assert entry.message.version == 2


async def test_what_is_staged_is_not_touched(journal: Journal, clock: ManualClock) -> None:
    await accept(journal, messages=(message(legs=()),), received_at=clock())
    record = await journal.reserve()
    name = InterchangeId("large")
    await journal.stage(
        record, party=POST, interchange_id=name, raw=(b"<large/>",), messages=(message(1),)
    )
    clock.move(days=3_000)
    assert (await prune(journal, clock)).traces == 1
    await journal.commit(acceptance(record, "large", messages=(), staged=True, accepted=1, raw=()))

    assert await journal.raw(record, 0) == b"<large/>"
    taken: StoredMessage = (await lease(journal, now=clock())).deliveries[0].message
    assert taken.body is not None


async def test_old_counts_of_quality_go(journal: Journal, clock: ManualClock) -> None:
    await accept(journal, messages=(message(legs=()),), received_at=clock())
    clock.move(days=2_000)
    since = clock().date() - timedelta(days=2_500)
    before = await journal.quality(party=None, since=since, until=clock().date())
    pruned = await prune(journal, clock)
    after = await journal.quality(party=None, since=since, until=clock().date())

    assert len(before.judged) == 1
    assert pruned.others == 1
    assert after.judged == ()


async def test_steps_are_told_by_rule(sqlite: SqliteJournal, clock: ManualClock) -> None:
    journal = sqlite
    await accept(journal, messages=(message(legs=()),), received_at=clock())
    clock.move(days=11)
    told: list[tuple[str, int]] = []
    await journal.retention.prune(
        RULES, now=clock(), budget=AT_ONCE, told=lambda name, p: told.append((name, p.bodies))
    )

    assert told == [("items", 1)]


async def test_size_is_told(journal: Journal, clock: ManualClock) -> None:
    stored = await accept(journal, messages=(message(legs=()),), received_at=clock())
    size = await journal.retention.size(now=clock())

    assert size.used > 0
    assert size.oldest == record_time(stored.record)
