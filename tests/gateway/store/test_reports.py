"""Translation reports: kept with what was read and with each attempt, and counted."""

from __future__ import annotations

import re
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.core.identifiers import InterchangeId, RecordNumber
from gateway.core.ports import Journal
from gateway.core.records import MessageReport, Result
from gateway.core.reports import DELIVERED, RECEIVED, Fate, Report, report_of
from gateway.store.sqlite import SqliteJournal, open_sqlite
from gateway.store.sqlite.reports import TABLES
from gateway.store.sqlite.schema import MIGRATIONS
from tests.gateway.store.samples import (
    GATEWAY,
    PLATFORM,
    POST,
    START,
    ManualClock,
    accept,
    acceptance,
    item,
    lease,
    legs,
    message,
    refusal,
    settled,
)
from translators.faults import Note, NoteKind
from translators.translator import FormatId

XML = FormatId("upu.itmatt.1")


def report(*paths: str, format_id: FormatId = XML, withheld: tuple[str, ...] = ()) -> Report:
    notes = [Note(kind=NoteKind.DROPPED, path=path, detail="no place") for path in paths]
    return report_of(notes, format_id=format_id, kind="ItemDeclaration", withheld=withheld)


def told(ordinal: int, *paths: str) -> MessageReport:
    return MessageReport(ordinal=ordinal, report=report(*paths))


async def delivered(journal: Journal, *reports: Report | None, destination: str = "risk") -> None:
    """Settle what waits for a destination, each delivery with its report."""
    taken = await lease(journal, destination)
    found = zip(taken.deliveries, reports, strict=True)
    await journal.settle(taken, [settled(d, report=told) for d, told in found], now=START)


async def test_reports_of_reading_are_kept_in_the_order_of_messages(journal: Journal) -> None:
    reports = (told(3, "/remark"), told(1, "/pieces/0/hs", "/pieces/4/hs"))
    stored = await accept(journal, messages=[message(1), message(2), message(3)], reports=reports)

    assert await journal.reports(stored.record) == (reports[1], reports[0])
    assert await journal.reports(stored.record, offset=1, limit=5) == (reports[0],)
    assert await journal.reports(stored.record, limit=1) == (reports[1],)


async def test_a_refused_attempt_has_its_reports(journal: Journal) -> None:
    given = refusal(await journal.reserve(), reports=(told(1, "/remark"),))
    stored = await journal.commit(given)

    assert await journal.reports(stored.record) == given.reports


async def test_an_unknown_record_has_no_reports(journal: Journal) -> None:
    assert await journal.reports(RecordNumber(1)) == ()


async def staged(journal: Journal) -> RecordNumber:
    record = await journal.reserve()
    for ordinal in (1, 2):
        await journal.stage(
            record,
            party=POST,
            interchange_id=InterchangeId("first"),
            messages=[message(ordinal)],
            reports=[told(ordinal, "/remark")],
        )
    return record


async def test_what_is_staged_has_reports_when_it_is_committed(journal: Journal) -> None:
    record = await staged(journal)

    assert await journal.reports(record) == ()
    assert await journal.losses() == ()
    await journal.commit(acceptance(record, messages=(), staged=True, reports=(told(3, "/x"),)))
    assert [r.ordinal for r in await journal.reports(record)] == [1, 2, 3]


async def test_a_staged_interchange_that_is_refused_keeps_its_reports(journal: Journal) -> None:
    record = await staged(journal)
    await journal.commit(refusal(record, staged=True))

    assert [r.ordinal for r in await journal.reports(record)] == [1, 2]


async def test_reports_of_what_is_discarded_are_gone(journal: Journal) -> None:
    record = await staged(journal)
    await journal.discard(record)
    await journal.commit(acceptance(record, "second"))

    assert await journal.reports(record) == ()


async def test_a_message_has_one_report(journal: Journal) -> None:
    twice = acceptance(await journal.reserve(), reports=(told(1, "/a"), told(1, "/b")))

    with pytest.raises(ValueError, match="two reports"):
        await journal.commit(twice)


async def test_every_attempt_has_the_report_of_its_encoding(journal: Journal) -> None:
    await accept(journal)
    taken = await lease(journal)
    first = report("/pieces/0/hs", withheld=("/sender/name",))
    retry = settled(taken.deliveries[0], Result.RETRY, report=first)
    await journal.settle(taken, [retry], now=START)
    await journal.tick(now=START + timedelta(seconds=1))
    second = report("/pieces/0/hs", "/pieces/1/hs")
    await delivered(journal, second)

    (entry,) = await journal.trace(item(1).value)
    assert [first, second] == [attempt.report for attempt in entry.attempts]


async def test_an_attempt_that_encoded_nothing_has_no_report(journal: Journal) -> None:
    await accept(journal)
    await delivered(journal, None)

    (entry,) = await journal.trace(item(1).value)
    assert entry.attempts[0].report is None


async def test_losses_count_messages_by_destination_format_and_line(journal: Journal) -> None:
    await accept(journal, messages=[message(n, legs=legs("risk", "post")) for n in (1, 2, 3)])
    await delivered(journal, report("/a/0", "/a/1"), report("/a/7", "/b"), report())
    await delivered(journal, *[report(format_id=FormatId("luxor.json.1"))] * 3, destination="post")

    found = [
        (x.direction, x.peer, x.format, x.line.path, x.messages, x.of)
        for x in await journal.losses()
    ]
    assert [
        (DELIVERED, "risk", XML, "/a/*", 2, 3),
        (DELIVERED, "risk", XML, "/b", 1, 3),
    ] == found


async def test_losses_of_reading_are_counted_by_sender(journal: Journal) -> None:
    await accept(journal, messages=[message(n) for n in (1, 2)], reports=[told(1, "/a")])
    await accept(journal, "other", party=PLATFORM, content=b"2", reports=[told(1, "/a")])

    found = [(x.direction, x.peer, x.line.path, x.messages, x.of) for x in await journal.losses()]
    assert [(RECEIVED, "platform-b", "/a", 1, 1), (RECEIVED, "post-a", "/a", 1, 2)] == found


async def test_losses_since_a_time_leave_out_what_came_before(
    journal: Journal, clock: ManualClock
) -> None:
    await accept(journal, reports=[told(1, "/a")])
    await delivered(journal, report("/b"))
    clock.move(days=1)
    await accept(journal, "later", content=b"2", messages=[message(about=item(2))])
    await delivered(journal, report("/c"))

    since = clock.at - timedelta(hours=1)
    assert ["/c"] == [x.line.path for x in await journal.losses(since=since)]


async def test_what_repeats_is_stored_once(sqlite: SqliteJournal, tmp_path: Path) -> None:
    await accept(sqlite, messages=[message(n) for n in range(1, 101)])
    taken = await lease(sqlite)
    reports = [report("/remark", f"/pieces/{n}/hs") for n in range(100)]
    found = zip(taken.deliveries, reports, strict=True)
    await sqlite.settle(taken, [settled(d, report=r) for d, r in found], now=START)

    with sqlite3.connect(tmp_path / "journal.db") as connection:
        counts = [
            connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - names
            for table in ("attempt", "report", "line")
        ]
    connection.close()
    assert [100, 1, 2] == counts


async def test_attempts_from_before_there_were_reports_say_what_was_withheld(
    tmp_path: Path, clock: ManualClock
) -> None:
    path = tmp_path / "journal.db"
    first = await open_sqlite(path, gateway=GATEWAY, clock=clock)
    await accept(first)
    await delivered(first, None)
    await first.close()
    before = MIGRATIONS.index(TABLES)
    connection = sqlite3.connect(path)
    connection.executescript(
        "UPDATE attempt SET dropped = '[\"/sender/name\"]';"
        "ALTER TABLE attempt DROP COLUMN report; ALTER TABLE attempt DROP COLUMN places;"
        "DROP TABLE report; DROP TABLE line; DROP TABLE reading;"
    )
    earlier, later = "".join(MIGRATIONS[:before]), "".join(MIGRATIONS[before + 1 :])
    for table in dict.fromkeys(re.findall(r"CREATE TABLE (\w+)", later)):
        connection.execute(f"DROP TABLE {table}")
        made_anew = re.search(rf"CREATE TABLE {table} \([^;]*;", earlier)
        if made_anew is not None:
            connection.execute(made_anew[0])
    connection.execute(f"PRAGMA user_version = {before}")
    connection.close()

    upgraded = await open_sqlite(path, gateway=GATEWAY, clock=clock)
    (entry,) = await upgraded.trace(item(1).value)
    await upgraded.close()
    told = entry.attempts[0].report
    assert told is not None
    assert [(Fate.WITHHELD, "/sender/name")] == [(v.kind, v.path) for v in told.values()]
