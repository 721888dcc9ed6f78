"""What the journal tells: traces, where legs stand, the party registry."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from gateway.core.errors import Unavailable
from gateway.core.identifiers import RecordNumber
from gateway.core.ports import Journal
from gateway.core.records import Leg, LegState, Result, Subject
from gateway.core.reports import report_of
from tests.gateway.store.samples import (
    PLATFORM,
    RECEIPT,
    START,
    ManualClock,
    accept,
    all_settled,
    item,
    lease,
    legs,
    message,
    refusal,
    settled,
)
from translators.faults import Note, NoteKind
from translators.translator import FormatId

REPORT = report_of(
    [
        Note(kind=NoteKind.DROPPED, path="/pieces/0/hs", detail="no place for it"),
        Note(kind=NoteKind.DROPPED, path="/pieces/2/hs", detail="no place for it"),
        Note(kind=NoteKind.MAPPED, path="/mail_class", detail="letters → U"),
    ],
    format_id=FormatId("upu.itmatt.1"),
    kind="ItemDeclaration",
    withheld=("/sender/name",),
)
ORDER = Subject("order", "O-77", "platform-b")


async def test_a_trace_follows_a_value_across_sources_in_order(
    journal: Journal, clock: ManualClock
) -> None:
    await accept(journal, "order", party=PLATFORM, messages=[message(about=ORDER, kind="Order")])
    clock.move(seconds=5)
    both = message(subjects=(item(1), ORDER))
    await accept(journal, "item", messages=[both], content=b"2")
    clock.move(seconds=5)
    await accept(journal, "unrelated", messages=[message(about=item(2))], content=b"3")
    entries = await journal.trace("O-77")
    assert [e.message.interchange_id for e in entries] == ["order", "item"]
    assert [e.message.kind for e in entries] == ["Order", "ItemDeclaration"]
    assert entries[1].subjects == (item(1), ORDER)
    assert (entries[1].format, entries[1].transport) == ("upu.itmatt.1", "https")
    assert [e.message.interchange_id for e in await journal.trace(item(1).value)] == ["item"]


async def test_a_trace_of_an_interchange_has_all_its_messages(journal: Journal) -> None:
    await accept(journal, messages=[message(n) for n in (3, 1, 2)])
    assert [e.message.ordinal for e in await journal.trace("first")] == [1, 2, 3]
    assert [e.message.ordinal for e in await journal.trace("first", limit=2)] == [1, 2]


async def test_a_trace_of_nothing_known_is_empty(journal: Journal) -> None:
    await journal.commit(refusal(await journal.reserve()))
    assert await journal.trace("nobody") == ()
    assert await journal.trace("first") == ()


async def test_a_trace_has_each_attempt_and_where_each_leg_stands(journal: Journal) -> None:
    stored = await accept(journal, messages=[message(legs=legs("risk", "revenue"))])
    taken = await lease(journal)
    await journal.settle(
        taken,
        [settled(taken.deliveries[0], Result.RETRY, code="timeout", detail="no answer in 5 s")],
        now=START,
    )
    later = START + timedelta(seconds=9)
    await journal.tick(now=later)
    again = await lease(journal, now=later)
    await journal.settle(
        again,
        [settled(again.deliveries[0], report=REPORT, evidence=RECEIPT)],
        now=later,
    )
    (entry,) = await journal.trace(item(1).value)
    assert [(a.n, a.result, a.code, a.at) for a in entry.attempts] == [
        (1, Result.RETRY, "timeout", START),
        (2, Result.DELIVERED, "", later),
    ]
    assert entry.attempts[1].report == REPORT
    assert entry.attempts[1].evidence == RECEIPT
    assert entry.legs == await journal.legs(stored.record)
    assert entry.legs == (
        Leg(
            message_id=entry.message.message_id,
            destination="risk",
            state=LegState.DELIVERED,
            tries=2,
            at=later,
        ),
        Leg(
            message_id=entry.message.message_id,
            destination="revenue",
            state=LegState.WAITING,
        ),
    )


async def test_legs_show_what_they_wait_for(journal: Journal) -> None:
    planned = message(legs=legs("ready", "leased", "retrying", "buried", "delivered"))
    stored = await accept(journal, messages=[planned])
    results = {
        "retrying": Result.RETRY,
        "buried": Result.BURIED,
        "delivered": Result.DELIVERED,
    }
    await lease(journal, "leased")
    for destination, result in results.items():
        taken = await lease(journal, destination)
        await journal.settle(taken, all_settled(taken, result), now=START)
    assert {leg.destination: leg.state for leg in await journal.legs(stored.record)} == {
        "ready": LegState.WAITING,
        "leased": LegState.LEASED,
        "retrying": LegState.RETRYING,
        "buried": LegState.BURIED,
        "delivered": LegState.DELIVERED,
    }


async def test_legs_behind_a_buried_one_are_waiting(journal: Journal) -> None:
    await accept(journal, "a")
    behind = await accept(journal, "b", content=b"2")
    taken = await lease(journal)
    await journal.settle(taken, [settled(taken.deliveries[0], Result.BURIED)], now=START)
    (leg,) = await journal.legs(behind.record)
    assert leg.state is LegState.WAITING


async def test_an_unknown_record_has_no_legs(journal: Journal) -> None:
    assert await journal.legs(RecordNumber(1)) == ()


async def test_a_message_without_destinations_is_kept(journal: Journal) -> None:
    stored = await accept(journal, messages=[message(legs=())])
    assert await journal.legs(stored.record) == ()
    assert len(await journal.trace("first")) == 1


async def test_the_registry_is_replaced_version_by_version(journal: Journal) -> None:
    assert await journal.registry() is None
    assert await journal.store_registry(b"one", expected=0) == 1
    assert await journal.store_registry(b"two", expected=1) == 2
    assert await journal.registry() == (2, b"two")


async def test_of_two_changes_to_the_registry_the_quicker_one_stays(journal: Journal) -> None:
    answers = await asyncio.gather(
        *(journal.store_registry(document, expected=0) for document in (b"a", b"b", b"c")),
        return_exceptions=True,
    )
    assert sum(answer == 1 for answer in answers) == 1
    assert sum(isinstance(answer, Unavailable) for answer in answers) == 2


async def test_closing_twice_is_no_mistake(journal: Journal) -> None:
    await accept(journal)
    await journal.close()
    await journal.close()
