"""``luxor deliveries``: listing, showing, counting and acting, and what it says when it can not."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from gateway.cli.deliveries import table_of
from gateway.cli.main import luxor
from gateway.core.deliveries import Unsettled
from gateway.core.destinations import switched
from gateway.core.identifiers import InterchangeId, MessageId
from gateway.core.ports import Journal
from gateway.core.records import LegState, Subject
from gateway.core.records import Result as Settled
from gateway.store.sqlite import open_sqlite
from tests.gateway.store.samples import accept, item, lease, legs, message, settled
from trust.identity import PartyId

EXAMPLE = Path(__file__).parents[3] / "examples/gateway.toml"
NUMBER = 1
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
Run = Callable[..., Result]


def clock() -> datetime:
    return NOW


async def stuck(journal: Journal) -> None:
    """Three items for risk: one buried with a later one behind it, one retrying, one waiting."""
    for name, number in (("first", 1), ("behind", 1), ("second", 2), ("third", 3)):
        planned = message(1, about=item(number), legs=legs("risk"))
        await accept(journal, name, messages=[planned], received_at=NOW)
    taken = await lease(journal, "risk", now=NOW)
    await journal.settle(
        taken,
        [
            settled(taken.deliveries[0], Settled.BURIED, code="content.bad", detail="no"),
            settled(taken.deliveries[2], Settled.RETRY, not_before=NOW),
            settled(taken.deliveries[3], Settled.RETURNED),
        ],
        now=NOW,
    )


def on_journal(folder: Path, work: Callable[[Journal], Any]) -> Any:
    async def run() -> Any:
        journal = await open_sqlite(folder / "data/journal.db", gateway=NUMBER, clock=clock)
        try:
            return await work(journal)
        finally:
            await journal.close()

    return asyncio.run(run())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    text = EXAMPLE.read_text("utf-8").replace("../var/gateway", "data").replace("received", "risk")
    (tmp_path / "gateway.toml").write_text(text, "utf-8")
    (tmp_path / "data").mkdir(mode=0o700)
    on_journal(tmp_path, stuck)
    return tmp_path


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("COLUMNS", "250")

    def command(*arguments: str) -> Result:
        config = ("--config", str(folder / "gateway.toml"))
        return CliRunner().invoke(luxor, ["deliveries", *arguments, *config])

    return command


def rows(result: Result) -> list[dict[str, Any]]:
    """One object on each line."""
    assert result.exit_code == 0, result.output
    return [msgspec.json.decode(line) for line in result.stdout.splitlines()]


def test_buried_ones_are_listed_unless_other_states_are_named(run: Run) -> None:
    assert [(r["state"], r["code"]) for r in rows(run("list", "--json"))] == [
        ("buried", "content.bad")
    ]
    everything = rows(run("list", "--state", "all", "--json"))
    assert [r["state"] for r in everything] == ["buried", "waiting", "retrying", "waiting"]
    assert "content.bad no" in run("list").output
    assert "nothing is buried" in run("list", "--code", "other.*").output


def test_a_list_goes_on_where_another_ended(run: Run) -> None:
    first = run("list", "--state", "all", "--limit", "3", "--json")
    cursor = first.stderr.rpartition(" ")[2].strip()

    rest = run("list", "--state", "all", "--after", cursor, "--json")

    assert len(rows(first)) == 3
    assert [r["interchange_id"] for r in rows(rest)] == ["third"]
    assert run("list", "--after", "nonsense").exit_code == 2


def test_counted_by_destination_state_and_code(run: Run) -> None:
    (counts,) = rows(run("count", "--json"))

    assert (counts["total"], counts["complete"]) == (4, True)
    assert {(r["state"], r["code"], r["count"]) for r in counts["by"]} == {
        ("buried", "content.bad", 1),
        ("retrying", "", 1),
        ("waiting", "", 2),
    }
    assert "4 deliveries" in run("count").output


def test_one_is_shown_with_all_that_was_tried_by_whom(run: Run) -> None:
    ((one),) = rows(run("list", "--json"))
    assert run("retry", one["message_id"], "--by", "anna", "--reason", "mended").exit_code == 0

    (shown,) = rows(run("show", one["message_id"], "--json"))

    told = [(r["attempt"]["result"], r["attempt"].get("detail", "")) for r in shown["attempts"]]
    assert told == [("buried", "no"), ("released", "by hand (anna): mended")]
    assert all(recorded["process"] for recorded in shown["attempts"])
    assert "by hand (anna): mended" in run("show", one["message_id"]).output
    assert run("show", "nonsense").exit_code == 2
    assert run("show", "00000000-0000-8000-8000-000000000001").exit_code == 1


def test_a_destination_is_retried_without_a_question(run: Run) -> None:
    (told,) = rows(run("retry", "risk", "--json"))

    assert (told["destination"], told["retried"], told["done"]) == ("risk", 2, 2)
    assert rows(run("list", "--json")) == []


def test_many_are_asked_for_first(run: Run) -> None:
    asked = run("retry", "--code", "content.*")
    assert asked.exit_code == 2
    assert "1 deliveries: confirm with --yes" in asked.output

    assert "1 deliveries are tried again" in run("retry", "--code", "content.*", "--yes").output


def test_a_dry_run_changes_nothing(run: Run) -> None:
    before = rows(run("list", "--state", "all", "--json"))

    told = run("skip", "--all", "--reason", "obsolete", "--dry-run")

    assert "1 deliveries would be skipped; nothing was changed" in told.output
    assert rows(run("list", "--state", "all", "--json")) == before


def test_skipping_lets_later_ones_go_on(run: Run) -> None:
    (one,) = rows(run("list", "--json"))
    refused = run("skip", one["message_id"], "--reason", "obsolete")
    assert refused.exit_code == 2

    assert run("skip", one["message_id"], "--reason", "obsolete", "--yes").exit_code == 0

    states = {
        r["interchange_id"]: r["state"] for r in rows(run("list", "--state", "all", "--json"))
    }
    assert states == {"behind": "waiting", "second": "retrying", "third": "waiting"}


def test_what_is_left_as_it_is_is_named_with_the_reason(run: Run) -> None:
    behind = rows(run("list", "--state", "waiting", "--json"))[0]

    told = run("bury", behind["message_id"], "--reason", "wrong")

    assert told.exit_code == 1
    assert "an earlier one of its key comes first" in told.output


def test_nothing_is_meant_by_nothing(run: Run) -> None:
    assert run("retry").exit_code == 2
    assert "or say --all" in run("retry").output
    assert "2 deliveries are tried again" in run("retry", "--all", "--yes").output


def test_a_reason_that_does_not_print_is_refused(run: Run) -> None:
    assert run("retry", "risk", "--reason", "a\nb").exit_code == 2


@pytest.mark.parametrize("command", [["list"], ["retry", "inbox:post-a"]])
def test_a_gateway_that_never_ran_has_no_journal(command: list[str], tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(EXAMPLE.read_text("utf-8"), "utf-8")

    result = CliRunner().invoke(luxor, ["deliveries", *command, "--config", str(file)])

    assert 2 == result.exit_code
    assert "there is no journal yet" in result.output


def test_an_unknown_destination_is_named_with_the_known_ones(run: Run) -> None:
    result = run("retry", "nowhere")

    assert 2 == result.exit_code
    assert "no destination is called nowhere; there are risk" in result.stderr


@pytest.mark.parametrize("command", ["list", "show", "count", "retry", "bury", "skip"])
def test_help_has_examples(command: str) -> None:
    assert "Examples:" in CliRunner().invoke(luxor, ["deliveries", command, "--help"]).output


def test_what_a_receiver_said_is_shown_and_does_nothing() -> None:
    """Its words come from another network: they break no list and write nothing to a terminal."""
    leg = Unsettled(
        destination="risk",
        queue=1,
        seq=1,
        message_id=MessageId("m-1"),
        state=LegState.BURIED,
        kind="ItemDeclaration",
        party=PartyId("post-a"),
        interchange_id=InterchangeId("first"),
        key=Subject("item", "RR000000001NL"),
        route="items",
        lane=2,
        due=NOW,
        accepted_at=NOW,
        code="refused",
        detail="[/x] see [link=https://evil.test]here[/link]\x1b[2J",
    )
    written = io.StringIO()

    Console(file=written, width=250, force_terminal=True).print(table_of([leg]))

    assert "refused [/x] see [link=https://evil.test]here[/link]\ufffd[2J" in written.getvalue()
    assert "\x1b[2J" not in written.getvalue()


def test_what_waits_for_a_destination_that_was_removed_can_still_be_acted_on(
    run: Run, folder: Path
) -> None:
    config = folder / "gateway.toml"
    config.write_text(config.read_text("utf-8").replace('"risk"', '"other"'), "utf-8")

    assert "first" in run("list", "--destination", "risk", "--json").output
    skipped = run("skip", "--destination", "risk", "--reason", "it is gone", "--yes")
    assert (0, True) == (skipped.exit_code, "1 deliveries are skipped" in skipped.output)


@pytest.mark.parametrize("command", ["list", "count"])
def test_a_destination_that_there_is_not_is_no_empty_list(run: Run, command: str) -> None:
    said = run(command, "--destination", "rsik")
    assert 2 == said.exit_code
    assert "no destination is called rsik; there are risk" in said.stderr


def test_of_a_message_that_waits_for_a_destination_that_is_off_it_is_told(
    run: Run, folder: Path
) -> None:
    (waits,) = rows(run("list", "--state", "waiting", "--key", item(3).value, "--json"))
    assert "not delivered to now" not in run("show", waits["message_id"]).output

    step = switched(on=False, by="anna", reason="they move", now=NOW)
    on_journal(folder, lambda journal: journal.destinations.change("risk", step))

    said = run("show", waits["message_id"]).output
    assert "risk is not delivered to now: it is off (they move)" in said


def test_nothing_there_is_told_in_few_words(run: Run) -> None:
    said = run("list", "--state", "all", "--key", "RR000000009NL")
    assert (0, "nothing is to be delivered\n") == (said.exit_code, said.output)
