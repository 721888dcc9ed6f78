"""The counts of data quality grow with every acceptance, in every store."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec

from gateway.core.ports import Journal
from gateway.core.quality import FoundCount, JudgedCount, Quality
from gateway.core.records import Outcome, State
from gateway.store.sqlite import open_sqlite
from gateway.store.sqlite.schema import MIGRATIONS
from tests.gateway.store.samples import (
    GATEWAY,
    PLATFORM,
    POST,
    START,
    ManualClock,
    accept,
    message,
    refusal,
)
from translators.faults import Fault

DAY = START.date()
KIND = "ItemDeclaration"


def outcomes(*codes: tuple[str, ...], **changes: Any) -> bytes:
    """The outcome list of accepted messages, one for each group of fault codes."""
    listed = [
        msgspec.structs.replace(
            Outcome(
                ordinal=ordinal,
                status=State.ACCEPTED,
                kind=KIND,
                faults=tuple(Fault(code=code) for code in found),
            ),
            **changes,
        )
        for ordinal, found in enumerate(codes, 1)
    ]
    return msgspec.json.encode(listed)


def judged(messages: int, **changes: Any) -> JudgedCount:
    return msgspec.structs.replace(
        JudgedCount(party=POST, kind=KIND, messages=messages, refused=0), **changes
    )


def found(code: str, messages: int, findings: int, **changes: Any) -> FoundCount:
    return msgspec.structs.replace(
        FoundCount(party=POST, kind=KIND, code=code, messages=messages, findings=findings),
        **changes,
    )


async def read(journal: Journal, **changes: Any) -> Quality:
    asked: dict[str, Any] = {"party": None, "since": DAY, "until": DAY, **changes}
    return await journal.quality(**asked)


async def test_a_new_journal_has_counted_nothing(journal: Journal) -> None:
    assert Quality() == await read(journal)


async def test_messages_and_findings_are_counted_by_code(journal: Journal) -> None:
    await accept(journal, "a", outcomes=outcomes(("q.vague", "q.vague", "q.zero"), ("q.vague",)))
    await accept(journal, "b", outcomes=outcomes(("q.zero",), ()), messages=[message(2)])

    assert Quality(
        judged=(judged(4),), found=(found("q.vague", 2, 3), found("q.zero", 2, 2))
    ) == await read(journal)


async def test_each_party_is_counted_apart(journal: Journal) -> None:
    await accept(journal, "a", outcomes=outcomes(("q.vague",)))
    await accept(journal, "b", party=PLATFORM, outcomes=outcomes(()), messages=[message(2)])

    assert Quality(judged=(judged(1, party=PLATFORM),)) == await read(journal, party=PLATFORM)
    whole = await read(journal)
    assert [PLATFORM, POST] == [row.party for row in whole.judged]
    assert [POST] == [row.party for row in whole.found]


async def test_a_repeat_counts_once(journal: Journal) -> None:
    await accept(journal, "a", outcomes=outcomes(("q.vague",)))
    await accept(journal, "a", outcomes=outcomes(("q.vague",)))

    assert Quality(judged=(judged(1),), found=(found("q.vague", 1, 1),)) == await read(journal)


async def test_refused_messages_count_each_time(journal: Journal) -> None:
    listed = outcomes(("s10.form",), status=State.REFUSED)
    for attempt in (1, 2):
        await journal.commit(refusal(await journal.reserve(), attempt=attempt, outcomes=listed))

    assert Quality(judged=(judged(2, refused=2),), found=(found("s10.form", 2, 2),)) == await read(
        journal
    )


async def test_what_is_said_of_the_whole_is_not_counted(journal: Journal) -> None:
    listed = msgspec.json.encode(
        [Outcome(ordinal=0, status=State.REFUSED, faults=(Fault(code="interchange.empty"),))]
    )
    await journal.commit(refusal(await journal.reserve(), outcomes=listed))

    assert Quality() == await read(journal)


async def test_a_message_that_was_not_recognised_has_no_kind(journal: Journal) -> None:
    listed = outcomes(("json.type",), kind=None, status=State.REFUSED)
    await journal.commit(refusal(await journal.reserve(), outcomes=listed))

    assert (judged(1, kind="", refused=1),) == (await read(journal)).judged


async def test_a_period_is_summed_or_told_by_day(journal: Journal) -> None:
    for number, days in enumerate((-1, 0, 1, 2)):
        await accept(
            journal,
            f"i{number}",
            received_at=START + timedelta(days=days),
            outcomes=outcomes(("q.vague",)),
            messages=[message(number + 1)],
        )
    until = DAY + timedelta(days=1)

    assert Quality(judged=(judged(2),), found=(found("q.vague", 2, 2),)) == await read(
        journal, until=until
    )
    daily = await read(journal, until=until, daily=True)
    assert (judged(1, day=DAY), judged(1, day=until)) == daily.judged
    assert [DAY, until] == [row.day for row in daily.found]


async def test_days_are_those_of_utc(journal: Journal) -> None:
    late = START.fromisoformat("2026-11-21T23:30:00-02:00")
    await accept(journal, "a", received_at=late, outcomes=outcomes(()))

    assert Quality() == await read(journal)
    assert (judged(1),) == (await read(journal, until=date(2026, 11, 22))).judged


async def test_an_older_journal_gets_the_tables_and_keeps_what_it_has(
    tmp_path: Path, clock: ManualClock
) -> None:
    path = tmp_path / "journal.db"
    with closing(sqlite3.connect(path)) as old:
        old.executescript(f"{MIGRATIONS[0]}; PRAGMA user_version = 1")
        old.execute("INSERT INTO registry VALUES (1, x'00')")
        old.commit()
    journal = await open_sqlite(path, gateway=GATEWAY, clock=clock)
    try:
        await accept(journal, "a", outcomes=outcomes(("q.vague",)))
        assert (judged(1),) == (await read(journal)).judged
        assert (1, b"\x00") == await journal.registry()
    finally:
        await journal.close()
