"""Answers that are awaited: from the commit of a message to its answer, on every store."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from sqlite3 import connect
from typing import Any

import pytest

from gateway.core.awaiting import Asked, Awaited, AwaitedCount
from gateway.core.deliveries import Act, Chosen, Deed
from gateway.core.identifiers import RecordNumber
from gateway.core.ports import Journal
from gateway.core.records import (
    Escalation,
    Expected,
    PlannedLeg,
    PlannedMessage,
    Result,
    Stored,
)
from gateway.store.sqlite import SqliteJournal, open_sqlite
from tests.gateway.store.samples import (
    GATEWAY,
    START,
    ManualClock,
    accept,
    acceptance,
    all_settled,
    item,
    lease,
    message,
    settled,
)
from trust.identity import PartyId

RISK = PartyId("customs-risk")
MINUTE = timedelta(minutes=1)
EVER = START + timedelta(days=1000)
ALL = Asked(overdue=False)


def question(number: int = 1, *, destination: str = "risk", **changes: Any) -> PlannedMessage:
    """A message about an item that expects an assessment within a minute of its delivery."""
    expected = Expected(party=RISK, answers=("RiskAssessment",), within=60.0, **changes)
    leg = PlannedLeg(destination=destination, route="to-risk", expects=(expected,))
    return message(1, about=item(number), legs=(leg,))


async def asked(journal: Journal, name: str = "first", **changes: Any) -> Stored:
    return await accept(journal, name, messages=[question(**changes)])


async def delivered(journal: Journal, *, destination: str = "risk", now: datetime = START) -> None:
    taken = await lease(journal, destination, now=now)
    await journal.settle(taken, all_settled(taken), now=now)


async def answer(
    journal: Journal,
    record: RecordNumber,
    *,
    name: str = "answer",
    party: PartyId = RISK,
    kind: str = "RiskAssessment",
    **changes: Any,
) -> Stored:
    said = message(1, kind=kind, key_of=(record, 1), legs=(), **changes)
    return await accept(journal, name, party=party, messages=[said])


async def awaited(journal: Journal) -> tuple[Awaited, ...]:
    return (await journal.awaiting.page(ALL, now=START)).answers


async def test_its_time_begins_with_the_delivery(journal: Journal) -> None:
    await asked(journal)

    assert await awaited(journal) == ()

    later = START + timedelta(hours=1)
    await delivered(journal, now=later)
    (one,) = await awaited(journal)

    assert (one.delivered_at, one.due) == (later, later + MINUTE)
    assert (one.destination, one.party, one.kind) == ("risk", RISK, "ItemDeclaration")


async def test_the_answer_ends_the_waiting(journal: Journal) -> None:
    stored = await asked(journal)
    await delivered(journal)

    await answer(journal, stored.record)

    assert await awaited(journal) == ()
    assert await journal.awaiting.counts(now=EVER) == ()


async def test_an_answer_before_the_delivery_is_settled_counts(journal: Journal) -> None:
    stored = await asked(journal)
    taken = await lease(journal)

    await answer(journal, stored.record)
    await journal.settle(taken, all_settled(taken), now=START)

    assert await awaited(journal) == ()


@pytest.mark.parametrize(
    "said",
    [
        {"kind": "RevenueAssessment"},
        {"party": PartyId("customs-revenue")},
        {"on_behalf_of": PartyId("customs-revenue")},
    ],
)
async def test_what_is_no_answer_or_another_partys_ends_nothing(
    journal: Journal, said: dict[str, Any]
) -> None:
    stored = await asked(journal)
    await delivered(journal)

    await answer(journal, stored.record, **said)

    assert len(await awaited(journal)) == 1


async def test_what_is_said_in_the_name_of_the_party_is_its_answer(journal: Journal) -> None:
    stored = await asked(journal)
    await delivered(journal)

    await answer(journal, stored.record, party=PartyId("bureau"), on_behalf_of=RISK)

    assert await awaited(journal) == ()


async def test_a_repeated_or_refused_acceptance_expects_nothing_more(journal: Journal) -> None:
    stored = await asked(journal)
    await asked(journal)
    await delivered(journal)
    await answer(journal, stored.record)

    assert await awaited(journal) == ()


async def test_a_staged_interchange_expects_as_others_do(journal: Journal) -> None:
    record = await journal.reserve()
    given = await accept(journal, "other", messages=[message(1, about=item(9), legs=())])
    await journal.stage(
        record, party=given.party, interchange_id=given.interchange_id, messages=[question()]
    )
    await journal.commit(acceptance(record, "large", messages=(), staged=True))
    await delivered(journal)

    assert len(await awaited(journal)) == 1


@pytest.mark.parametrize("result", [Result.RETRY, Result.BURIED, Result.RETURNED])
async def test_no_time_begins_without_a_delivery(journal: Journal, result: Result) -> None:
    await asked(journal)
    taken = await lease(journal)
    await journal.settle(taken, [settled(taken.deliveries[0], result)], now=START)

    assert await awaited(journal) == ()


async def test_a_report_of_a_lease_that_is_over_begins_no_time(journal: Journal) -> None:
    await asked(journal)
    taken = await lease(journal, seconds=10)
    await journal.tick(now=START + MINUTE)
    await journal.settle(taken, all_settled(taken), now=START + MINUTE)

    assert await awaited(journal) == ()


async def test_nothing_is_awaited_of_what_was_skipped(journal: Journal) -> None:
    await asked(journal)
    deed = Deed(act=Act.SKIP, by="tests", reason="given up")
    await journal.deliveries.act(Chosen(), deed, now=START)
    await asked(journal, "second", number=2)
    taken = await lease(journal)
    await journal.settle(taken, all_settled(taken, Result.SKIPPED), now=START)

    assert await awaited(journal) == ()


async def test_the_longest_overdue_come_first_and_pages_go_on(journal: Journal) -> None:
    for number in range(5):
        await asked(journal, f"i{number}", number=number)
        await delivered(journal, now=START + timedelta(seconds=number))
    now = START + MINUTE + timedelta(seconds=3)

    first = await journal.awaiting.page(Asked(), now=now, limit=3)
    rest = await journal.awaiting.page(Asked(), now=now, limit=3, after=first.next)

    assert [one.due for one in first.answers] == [
        START + MINUTE + timedelta(seconds=n) for n in range(3)
    ]
    assert [one.due for one in rest.answers] == [now]
    assert rest.next is None
    with pytest.raises(ValueError, match="cursor"):
        await journal.awaiting.page(Asked(), now=now, after="?")


async def test_chosen_by_destination_party_and_kind(journal: Journal) -> None:
    await asked(journal)
    await asked(journal, "second", number=2, destination="revenue")
    await delivered(journal)
    await delivered(journal, destination="revenue")

    async def found(**wanted: Any) -> list[str]:
        page = await journal.awaiting.page(Asked(overdue=False, **wanted), now=START)
        return [one.destination for one in page.answers]

    assert await found(destination="revenue") == ["revenue"]
    assert len(await found(party=RISK)) == 2
    assert await found(party=PartyId("nobody")) == []
    assert len(await found(kind="Item*")) == 2
    assert await found(kind="Order") == []


async def test_counted_by_destination_and_kind(journal: Journal, clock: ManualClock) -> None:
    await asked(journal)
    await asked(journal, "second", number=2)
    await delivered(journal)
    await asked(journal, "third", number=3)
    later = START + timedelta(seconds=30)
    await delivered(journal, now=later)

    counts = await journal.awaiting.counts(now=START + MINUTE)

    assert counts == (
        AwaitedCount(destination="risk", kind="ItemDeclaration", awaited=3, overdue=2),
    )


async def test_claimed_by_one_until_it_is_told_or_its_time_is_over(journal: Journal) -> None:
    await asked(journal)
    await delivered(journal)
    now = START + MINUTE

    assert await journal.awaiting.claim(now=START, seconds=30) == ()
    claimed = await journal.awaiting.claim(now=now, seconds=30)
    assert len(claimed) == 1
    assert await journal.awaiting.claim(now=now, seconds=30) == ()
    assert await journal.awaiting.claim(now=now + MINUTE, seconds=30) == claimed

    await journal.awaiting.escalated(claimed, now=now + MINUTE)

    assert await journal.awaiting.claim(now=EVER, seconds=30) == ()
    (one,) = await awaited(journal)
    assert one.escalated_at == now + MINUTE


async def test_what_is_not_to_be_escalated_is_counted_alone(journal: Journal) -> None:
    await asked(journal, escalate=Escalation.NONE)
    await delivered(journal)

    assert await journal.awaiting.claim(now=EVER, seconds=30) == ()
    assert (await journal.awaiting.counts(now=EVER))[0].overdue == 1


async def test_given_up_in_the_end(journal: Journal) -> None:
    for number in range(3):
        await asked(journal, f"i{number}", number=number)
    await delivered(journal)
    due = START + MINUTE

    assert await journal.awaiting.give_up(due_before=due) == 0
    after = due + timedelta(microseconds=1)
    assert await journal.awaiting.give_up(due_before=after, limit=2) == 2
    assert await journal.awaiting.give_up(due_before=after, limit=2) == 1
    assert await awaited(journal) == ()


async def test_expectations_survive_a_restart(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "journal.db"
    first = await open_sqlite(path, gateway=GATEWAY, clock=clock)
    await asked(first)
    await delivered(first)
    await first.close()
    second = await open_sqlite(path, gateway=GATEWAY, clock=clock)

    assert len(await awaited(second)) == 1

    await second.close()


async def test_what_was_skipped_leaves_no_row_that_would_keep_its_content(
    sqlite: SqliteJournal, tmp_path: Path
) -> None:
    await asked(sqlite)
    deed = Deed(act=Act.SKIP, by="tests", reason="given up")
    await sqlite.deliveries.act(Chosen(), deed, now=START)
    await asked(sqlite, "second", number=2)
    taken = await lease(sqlite)
    await sqlite.settle(taken, all_settled(taken, Result.SKIPPED), now=START)

    with closing(connect(tmp_path / "journal.db")) as connection:
        assert connection.execute("SELECT count(*) FROM awaited").fetchone() == (0,)
