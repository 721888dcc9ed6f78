"""Histories: what was said about a subject, with its content, on every store."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

import pytest

from gateway.core.histories import Sought
from gateway.core.ports import Journal
from gateway.core.records import Subject
from tests.gateway.store.samples import PLATFORM, START, ManualClock, accept, item, message

ITEM = item(1)
SOUGHT = Sought(ITEM.kind, ITEM.value)
DECLARATION = frozenset({"ItemDeclaration"})


async def read(
    journal: Journal, *sought: Sought, kinds: Collection[str] = DECLARATION
) -> list[tuple[str, list[str]]]:
    """Origin and interchange ids of each history."""
    found = await journal.histories.read(sought or (SOUGHT,), kinds=kinds, limit=9)
    return [(one.subject.origin, [told.interchange_id for told in one.messages]) for one in found]


async def test_a_history_has_what_was_said_in_order_with_its_content(journal: Journal) -> None:
    await accept(journal, "one", messages=[message(about=ITEM, body=b'{"a":1}')])
    await accept(journal, "other", messages=[message(about=item(2))])
    await accept(journal, "two", messages=[message(about=ITEM, body=b'{"a":2}')])

    (history,) = await journal.histories.read([SOUGHT], kinds=DECLARATION, limit=9)

    assert ITEM == history.subject
    assert START == history.since
    assert not history.cut
    assert [("one", b'{"a":1}', 1), ("two", b'{"a":2}', 2)] == [
        (told.interchange_id, told.body, told.version) for told in history.messages
    ]


async def test_content_is_left_out_when_it_is_not_asked_for(journal: Journal) -> None:
    await accept(journal, messages=[message(about=ITEM)])
    (history,) = await journal.histories.read([SOUGHT], kinds=DECLARATION, limit=9, bodies=False)
    assert [None] == [told.body for told in history.messages]


async def test_only_the_kinds_that_are_asked_for_count(journal: Journal) -> None:
    await accept(journal, "declared", messages=[message(about=ITEM)])
    await accept(journal, "moved", messages=[message(about=ITEM, kind="TransportEvent")])

    assert [("NL", ["declared"])] == await read(journal)
    assert [("NL", ["declared", "moved"])] == await read(
        journal, kinds=("TransportEvent", "ItemDeclaration")
    )
    assert [] == await read(journal, kinds=("Referral",))


async def test_of_a_long_history_the_newest_stay_and_it_says_so(journal: Journal) -> None:
    for name in ("one", "two", "three"):
        await accept(journal, name, messages=[message(about=ITEM)])
    (history,) = await journal.histories.read([SOUGHT], kinds=DECLARATION, limit=2)
    assert ["two", "three"] == [told.interchange_id for told in history.messages]
    assert history.cut
    (whole,) = await journal.histories.read([SOUGHT], kinds=DECLARATION, limit=3)
    assert not whole.cut


async def test_every_origin_of_a_value_has_a_history_of_its_own(journal: Journal) -> None:
    for origin in ("shop-b", "shop-a"):
        about = Subject("item", "P-1", origin)
        await accept(journal, origin, messages=[message(about=about)], party=PLATFORM)
    assert [("shop-a", ["shop-a"]), ("shop-b", ["shop-b"])] == await read(
        journal, Sought("item", "P-1")
    )


async def test_a_value_that_is_used_again_has_a_second_history(
    journal: Journal, clock: ManualClock
) -> None:
    await accept(journal, "before", messages=[message(about=ITEM)])
    clock.move(days=366)
    await accept(journal, "after", messages=[message(about=ITEM)])

    before, after = await journal.histories.read([SOUGHT], kinds=DECLARATION, limit=9)

    assert timedelta(days=366) == after.since - before.since
    assert ["after"] == [told.interchange_id for told in after.messages]


async def test_an_answer_is_in_the_history_of_what_it_answers(journal: Journal) -> None:
    stored = await accept(journal, "asked", messages=[message(about=ITEM)])
    answer = message(
        kind="CustomsResponse",
        about=Subject("mrn", "26LU1"),
        key_of=(stored.record, 1),
    )
    await accept(journal, "answer", messages=[answer])
    assert [("NL", ["asked", "answer"])] == await read(
        journal, kinds=("ItemDeclaration", "CustomsResponse")
    )


@pytest.mark.parametrize("kind", ["order", "receptacle"])
async def test_subjects_of_other_kinds_with_the_same_value_are_others(
    journal: Journal, kind: str
) -> None:
    await accept(journal, messages=[message(about=ITEM)])
    assert [] == await read(journal, Sought(kind, ITEM.value))


async def test_several_are_read_at_once_in_order(journal: Journal) -> None:
    for number in (3, 1, 2):
        await accept(journal, str(number), messages=[message(about=item(number))])
    sought = [Sought("item", item(number).value) for number in (2, 1, 3, 2, 9)]
    assert ["1", "2", "3"] == [ids[0] for _, ids in await read(journal, *sought)]
