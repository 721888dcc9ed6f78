"""``luxor report`` and ``luxor losses``: what was not carried, where, and how often."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import Result

from gateway.core.identifiers import InterchangeId, message_id
from gateway.core.ports import Journal
from gateway.core.records import MessageReport, Outcome, State
from gateway.core.records import Result as Ended
from gateway.core.reports import Report, report_of
from gateway.store.sqlite import open_sqlite
from tests.e2e import documents
from tests.gateway.cli.conftest import CONFIG, Command, Running
from tests.gateway.store.samples import acceptance, lease, legs, message, refusal, settled
from translators.faults import Note, NoteKind
from translators.translator import FormatId

AT = datetime(2026, 11, 23, 8, tzinfo=UTC)
ITMATT, CUSITM = FormatId("upu.itmatt.1"), FormatId("upu.cusitm.1")
COLOUR = Note(kind=NoteKind.DROPPED, source_path="/itmatt/item[1]/colour", detail="no line")
NO_PLACE = Note(kind=NoteKind.DROPPED, path="/pieces/0/url", detail="upu.cusitm.1 has no place")
MAPPED = Note(kind=NoteKind.MAPPED, path="/mail_class", detail="parcels → C")
NATURE = Note(kind=NoteKind.DEFAULTED, path="/nature", detail="sale")
ITEM = "RR000000001NL"


def report(*notes: Note, format_id: FormatId = CUSITM, withheld: tuple[str, ...] = ()) -> Report:
    return report_of(notes, format_id=format_id, kind="ItemDeclaration", withheld=withheld)


class Kept(msgspec.Struct, frozen=True):
    """A configuration with a journal, and the id of its first message."""

    config: Path
    message: str


async def _settle(journal: Journal, destination: str, reports: Iterable[Report | None]) -> None:
    taken = await lease(journal, destination, now=AT)
    found = zip(taken.deliveries, reports, strict=True)
    await journal.settle(taken, [settled(d, Ended.DELIVERED, report=r) for d, r in found], now=AT)


async def _happen(path: Path) -> str:
    journal = await open_sqlite(path, gateway=1, clock=lambda: AT)
    record = await journal.reserve()
    outcomes = [Outcome(ordinal=n, status=State.ACCEPTED, not_carried=2 - n) for n in (1, 2)]
    await journal.commit(
        acceptance(
            record,
            messages=[message(n, legs=legs("archive", "revenue")) for n in (1, 2)],
            raw=(documents.itmatt(documents.item(ITEM), documents.item("RR000000002NL")),),
            reports=(MessageReport(ordinal=1, report=report(COLOUR, format_id=ITMATT)),),
            outcomes=msgspec.json.encode(outcomes),
            received_at=AT,
        )
    )
    wrong = Outcome(ordinal=1, status=State.REFUSED, key="RR000000009NL", not_carried=1)
    await journal.commit(
        refusal(
            await journal.reserve(),
            "wrong",
            reports=(MessageReport(ordinal=1, report=report(COLOUR, format_id=ITMATT)),),
            outcomes=msgspec.json.encode([wrong]),
            received_at=AT,
        )
    )
    told = report(NO_PLACE, NATURE, MAPPED, withheld=("/sender/name",))
    await _settle(journal, "revenue", [told, report(NO_PLACE, MAPPED)])
    await _settle(journal, "archive", [None, report(format_id=FormatId("luxor.json.1"))])
    await journal.close()
    return message_id(1, record, 1)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    folder = tmp_path_factory.mktemp("kept")
    (folder / "data").mkdir()
    config = folder / "gateway.toml"
    config.write_text(CONFIG)
    return Kept(config, asyncio.run(_happen(folder / "data/journal.db")))


@pytest.fixture
def told(command: Command, kept: Kept) -> Callable[..., list[dict[str, Any]]]:
    def ask(value: str, *more: str) -> list[dict[str, Any]]:
        result = command("report", value, "--config", kept.config, "--json", *more)
        assert result.exit_code == 0, result.output
        found: list[dict[str, Any]] = msgspec.json.decode(result.stdout)["messages"]
        return found

    return ask


def kinds(translation: dict[str, Any]) -> list[str]:
    return [note["kind"] for note in translation["notes"]]


def test_a_message_is_told_with_its_reading_and_each_delivery(
    told: Callable[..., list[dict[str, Any]]], kept: Kept
) -> None:
    (one,) = told(kept.message)

    assert [(d["destination"], d["result"]) for d in one["deliveries"]] == [
        ("revenue", "delivered"),
        ("archive", "delivered"),
    ]
    translation = one["deliveries"][0]["translation"]
    assert "upu.cusitm.1" == translation["format"]
    assert ["defaulted", "dropped", "mapped", "withheld"] == kinds(translation)
    assert {"withheld": 1, "not_carried": 1, "defaulted": 1, "mapped": 1} == translation["counts"]
    assert "translation" not in one["deliveries"][1]


def test_what_reading_dropped_is_told_with_the_codes_that_the_kept_bytes_show(
    told: Callable[..., list[dict[str, Any]]], kept: Kept
) -> None:
    (one,) = told(kept.message)

    reading = one["reading"]
    assert {"kind": "dropped", "source_path": COLOUR.source_path, "detail": "no line"} == (
        reading["notes"][0]
    )
    mapped = {note["path"] for note in reading["notes"] if note["kind"] == "mapped"}
    assert {"/mail_class", "/nature"} <= mapped
    assert len(mapped) == reading["counts"]["mapped"]


def test_an_interchange_is_told_with_all_its_messages(
    told: Callable[..., list[dict[str, Any]]],
) -> None:
    assert [1, 2] == [one["ordinal"] for one in told("first")]


def test_what_was_refused_is_told_too(told: Callable[..., list[dict[str, Any]]]) -> None:
    for value in ("wrong", "RR000000009NL"):
        found = [one for one in told("wrong") if one["status"] == "refused"]
        assert [COLOUR.source_path] == [n["source_path"] for n in found[0]["reading"]["notes"]]
        assert value in (found[0]["interchange_id"], found[0]["key"])


def test_only_what_was_not_carried_when_asked(
    told: Callable[..., list[dict[str, Any]]], kept: Kept
) -> None:
    (one,) = told(kept.message, "--not-carried")

    assert ["defaulted", "dropped"] == kinds(one["deliveries"][0]["translation"])
    assert ["dropped"] == kinds(one["reading"])


def test_a_terminal_reads_paths_and_reasons(command: Command, kept: Kept) -> None:
    result = command("report", ITEM, "--config", kept.config)

    assert result.exit_code == 0, result.output
    assert "→ revenue, attempt 1 delivered in upu.cusitm.1: 1 not carried, 1 defaulted" in (
        result.stdout
    )
    assert "upu.cusitm.1 has no place" in result.stdout
    assert "→ archive, attempt 1 delivered: no report was kept" in result.stdout


def test_the_trace_counts_and_says_where_to_look(command: Command, kept: Kept) -> None:
    result = command("trace", ITEM, "--config", kept.config)

    assert "reading it: 1 not carried" in result.stdout
    assert "1 not carried, 1 defaulted" in result.stdout
    assert f"luxor report {ITEM} --config {kept.config}" in result.stdout


def test_nothing_known_is_said(command: Command, kept: Kept) -> None:
    result = command("report", "nobody", "--config", kept.config)

    assert 1 == result.exit_code
    assert "Nothing is known about nobody" in result.stderr


def test_losses_name_the_field_the_destination_and_of_how_many(
    command: Command, kept: Kept
) -> None:
    result = command("losses", "--config", kept.config, "--json")

    found = [
        (
            loss["direction"],
            loss["peer"],
            loss["line"].get("path", ""),
            loss["messages"],
            loss["of"],
        )
        for loss in msgspec.json.decode(result.stdout)
    ]
    assert [
        ("received", "post-a", "", 2, 3),
        ("delivered", "revenue", "/pieces/*/url", 2, 2),
        ("delivered", "revenue", "/nature", 1, 2),
    ] == found


@pytest.mark.parametrize(
    ("options", "paths"),
    [
        (("--peer", "revenue", "--what", "withheld"), ["/sender/name"]),
        (("--format", "upu.cusitm.1", "--what", "mapped"), ["/mail_class"]),
        (("--peer", "nobody"), []),
    ],
)
def test_losses_can_be_narrowed(
    command: Command, kept: Kept, options: tuple[str, ...], paths: list[str]
) -> None:
    result = command("losses", "--config", kept.config, "--json", *options)

    assert paths == [loss["line"]["path"] for loss in msgspec.json.decode(result.stdout)]


def test_losses_are_a_table_for_people(command: Command, kept: Kept) -> None:
    result: Result = command("losses", "--config", kept.config)

    assert "→ revenue" in result.stdout
    assert "2 of 2" in result.stdout


def test_a_sender_asks_its_gateway(command: Command, running: Running) -> None:
    certs = ("--certs", running.certs, "--as", "post-a", "--to", running.https)
    item = running.config.parent / "item.xml"
    item.write_bytes(documents.itmatt(documents.item("RR473124829GB")))
    sent = ("--id", "reported-1", "--format", ITMATT)
    assert 0 == command("submit", item, *sent, *certs).exit_code
    assert InterchangeId("reported-1")

    result = command("report", "reported-1", *certs)

    assert 0 == result.exit_code, result.output
    assert "Everything of reported-1 was carried." in result.stdout
