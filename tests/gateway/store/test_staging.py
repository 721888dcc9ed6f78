"""Large interchanges come in chunks that nobody sees before the last commit."""

from __future__ import annotations

import pytest

from gateway.core.identifiers import InterchangeId, RecordNumber
from gateway.core.ports import Journal
from gateway.core.records import PlannedMessage
from tests.gateway.store.samples import (
    POST,
    START,
    accept,
    acceptance,
    item,
    lease,
    message,
    refusal,
)

FIRST = InterchangeId("first")


async def stage(
    journal: Journal, record: RecordNumber, raw: bytes = b"", *messages: PlannedMessage
) -> None:
    await journal.stage(
        record,
        party=POST,
        interchange_id=FIRST,
        raw=(raw,) if raw else (),
        messages=messages,
    )


async def staged(journal: Journal) -> RecordNumber:
    """An interchange of four messages, staged in three chunks."""
    record = await journal.reserve()
    await stage(journal, record, b"<a>")
    await stage(journal, record, b"<b>", message(1), message(2))
    await stage(journal, record, b"", message(3), message(4))
    return record


async def test_what_is_staged_is_invisible(journal: Journal) -> None:
    record = await staged(journal)
    assert await journal.find(POST, FIRST) is None
    assert await journal.message(record, 1) is None
    assert await journal.raw(record, 0) is None
    assert await journal.legs(record) == ()
    assert await journal.trace(item(1).value) == ()
    assert await journal.trace("first") == ()
    assert await journal.backlog() == ()
    assert await journal.lease("risk", limit=9, seconds=9, now=START) is None


async def test_the_last_commit_makes_all_of_it_visible(journal: Journal) -> None:
    record = await staged(journal)
    stored = await journal.commit(
        acceptance(record, messages=(message(5),), raw=(b"<c>",), staged=True, accepted=5)
    )
    assert stored.record == record
    assert [await journal.raw(record, at) for at in range(4)] == [b"<a>", b"<b>", b"<c>", None]
    taken = await lease(journal)
    assert [d.message.ordinal for d in taken.deliveries] == [1, 2, 3, 4, 5]
    assert [d.message.body for d in taken.deliveries] == [message(n).body for n in range(1, 6)]
    assert len(await journal.trace("first")) == 5
    assert len(await journal.legs(record)) == 5


async def test_what_was_discarded_is_gone(journal: Journal) -> None:
    record = await staged(journal)
    await journal.discard(record)
    await journal.discard(record)
    with pytest.raises(ValueError, match="staged"):
        await journal.commit(acceptance(record, staged=True))
    assert await journal.raw(record, 0) is None


async def test_discarding_touches_nothing_that_is_committed(journal: Journal) -> None:
    stored = await accept(journal)
    await journal.discard(stored.record)
    assert await journal.raw(stored.record, 0) == b"<content/>"
    assert (await lease(journal)).deliveries[0].message.body == message().body


async def test_a_staged_interchange_may_be_refused_as_a_whole(journal: Journal) -> None:
    record = await staged(journal)
    refused = await journal.commit(refusal(record, raw=(), staged=True))
    assert await journal.find(POST, FIRST) == refused
    assert await journal.raw(record, 1) == b"<b>"
    assert await journal.message(record, 1) is None
    assert await journal.lease("risk", limit=9, seconds=9, now=START) is None
    assert await journal.trace(item(1).value) == ()


async def test_a_staged_repeat_is_answered_and_leaves_nothing(journal: Journal) -> None:
    first = await accept(journal)
    record = await staged(journal)
    again = await journal.commit(acceptance(record, messages=(), raw=(), staged=True))
    assert again.record == first.record
    assert again.repeated
    with pytest.raises(ValueError, match="staged"):
        await journal.commit(acceptance(record, "second", staged=True, content=b"2"))


async def test_legs_of_a_staged_interchange_follow_what_was_committed_before(
    journal: Journal,
) -> None:
    record = await staged(journal)
    await accept(journal, "meanwhile", messages=[message(about=item(1))], content=b"2")
    await journal.commit(acceptance(record, messages=(), staged=True))
    about = [
        d.message.interchange_id
        for d in (await lease(journal)).deliveries
        if d.message.key == item(1)
    ]
    assert about == ["meanwhile", "first"]


async def test_an_ordinal_may_not_come_twice(journal: Journal) -> None:
    record = await staged(journal)
    with pytest.raises(ValueError, match="ordinal"):
        await journal.commit(acceptance(record, messages=(message(2),), staged=True))
    with pytest.raises(ValueError):  # noqa: PT011 - each store has its own sentence
        await stage(journal, record, b"", message(3))
    await journal.discard(record)
    assert await journal.find(POST, FIRST) is None


async def test_a_committed_record_cannot_be_staged(journal: Journal) -> None:
    stored = await accept(journal)
    with pytest.raises(ValueError, match="committed"):
        await stage(journal, stored.record, b"<more>")
    with pytest.raises(ValueError):  # noqa: PT011 - each store has its own sentence
        await journal.commit(acceptance(stored.record, "second", content=b"2"))
    assert await journal.raw(stored.record, 1) is None
