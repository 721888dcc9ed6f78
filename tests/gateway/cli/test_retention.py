"""``luxor hold``, ``luxor db size``, and what other commands say of content that was removed."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli.db_size import in_units
from gateway.cli.dossier import why_missing
from gateway.cli.journals import reading
from gateway.cli.main import luxor
from gateway.config import load
from gateway.core.identifiers import InterchangeId, message_id
from gateway.core.records import Stored
from gateway.core.retention import Budget, Pruned
from gateway.store.sqlite import open_sqlite
from tests.gateway.store.samples import POST, ManualClock, accept, item, message

EXAMPLE = Path(__file__).parents[3] / "examples/gateway.toml"
OUTCOMES = b'[{"ordinal":1,"status":"accepted","kind":"ItemDeclaration"}]'
LONG_AGO = timedelta(days=200)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A gateway with one message that is over by its class."""
    file = tmp_path / "examples" / "gateway.toml"
    file.parent.mkdir()
    file.write_text(EXAMPLE.read_text("utf-8"), "utf-8")
    asyncio.run(_fill(file))
    return file


def place(config: Path) -> tuple[Path, int]:
    loaded = load(config)
    folder = loaded.path(loaded.gateway.data)
    folder.mkdir(parents=True, exist_ok=True)
    return folder / "journal.db", loaded.gateway.number


async def _fill(config: Path) -> Stored:
    path, number = place(config)
    clock = ManualClock(datetime.now(UTC) - LONG_AGO)
    journal = await open_sqlite(path, gateway=number, clock=clock)
    try:
        planned = (message(1, legs=()), message(2, legs=()))
        return await accept(
            journal, "my-interchange", messages=planned, received_at=clock(), outcomes=OUTCOMES
        )
    finally:
        await journal.close()


def prune(config: Path) -> Pruned:
    """A run of the rules that the configuration has."""

    async def run() -> Pruned:
        path, number = place(config)
        journal = await open_sqlite(path, gateway=number, clock=lambda: datetime.now(UTC))
        try:
            return await journal.retention.prune(
                load(config).retention.rules, now=datetime.now(UTC), budget=Budget(rest=0.0)
            )
        finally:
            await journal.close()

    return asyncio.run(run())


def call(*words: str, config: Path) -> Result:
    return CliRunner().invoke(luxor, [*words, "--config", str(config)])


def told(*words: str, config: Path) -> object:
    result = call(*words, "--json", config=config)
    assert 0 == result.exit_code, result.output
    return json.loads(result.output)


def test_an_item_is_held_listed_and_released(config: Path) -> None:
    value = item(1).value
    held = call("hold", "add", value, "--reason", "case 17", "--by", "officer", config=config)
    while_held = prune(config)
    listed = told("hold", "list", config=config)
    released = call("hold", "release", "1", config=config)
    afterwards = prune(config)

    assert (held.exit_code, released.exit_code) == (0, 0)
    assert "held under number 1" in held.output
    assert (while_held.bodies, while_held.contents) == (1, 0)
    assert isinstance(listed, list)
    assert [(e["value"], e["reason"], e["by"]) for e in listed] == [(value, "case 17", "officer")]
    assert (afterwards.bodies, afterwards.contents) == (1, 1)
    assert 1 == call("hold", "release", "1", config=config).exit_code
    assert "nothing is held" in call("hold", "list", config=config).output


def test_an_interchange_or_a_message_is_held_by_its_id(config: Path) -> None:
    trace = told("trace", "my-interchange", config=config)
    assert isinstance(trace, dict)
    record = trace["messages"][0]["record"]
    _, number = place(config)
    held = told("hold", "add", "my-interchange", "--reason", "audit", config=config)
    one = told("hold", "add", message_id(number, record, 2), "--reason", "case", config=config)

    assert isinstance(held, list)
    assert isinstance(one, list)
    assert [(e["record"], e.get("ordinal")) for e in (*held, *one)] == [(record, None), (record, 2)]
    assert not prune(config)


def test_what_nobody_has_named_is_held_only_when_that_is_meant(config: Path) -> None:
    unknown = call("hold", "add", "RR999999999NL", "--reason", "case", config=config)
    meant = call("hold", "add", "RR999999999NL", "--reason", "case", "--unseen", config=config)

    assert 1 == unknown.exit_code
    assert "Nothing is known about RR999999999NL" in unknown.output
    assert 0 == meant.exit_code


def test_a_hold_can_not_end_before_it_begins(config: Path) -> None:
    result = call("hold", "add", "X", "--reason", "c", "--until", "2026-01-01", config=config)

    assert 2 == result.exit_code
    assert "that time is over" in result.output


def test_size_names_tables_and_what_retention_will_free(config: Path) -> None:
    size = told("db", "size", config=config)
    text = call("db", "size", config=config).output
    prune(config)
    afterwards = told("db", "size", config=config)

    assert isinstance(size, dict)
    assert isinstance(afterwards, dict)
    rows = {table["name"]: table["rows"] for table in size["size"]["tables"]}
    assert (rows["message"], rows["interchange"], rows["body"], rows["raw"]) == (2, 1, 2, 1)
    assert [due["messages"] for due in size["size"]["due"] if due["rule"] == "items"] == [2]
    assert "of 2 items" in text
    assert sum(due["messages"] for due in afterwards["size"]["due"]) == 0
    assert len(afterwards["size"]["samples"]) == 1


def test_the_trace_says_when_the_content_was_removed(config: Path) -> None:
    before = call("trace", item(1).value, config=config).output
    prune(config)
    after = call("trace", item(1).value, config=config).output

    assert "removed" not in before
    assert f"its content was removed on {datetime.now(UTC).date()}: items are kept for 180" in after


def test_evidence_of_removed_content_says_so(config: Path) -> None:
    prune(config)
    with reading(config) as (loaded, reader):
        stored = reader.find(POST, InterchangeId("my-interchange"))
        assert stored is not None
        told = why_missing(reader, loaded, stored)

    assert f"removed on {datetime.now(UTC).date()} by retention (items, 180 days)" in told


@pytest.mark.parametrize("command", [["hold", "add"], ["hold", "list"], ["db", "size"]])
def test_help_has_examples(command: list[str]) -> None:
    assert "Examples:" in CliRunner().invoke(luxor, [*command, "--help"]).output


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (1_500, "1.5 KB"), (2e15, "2,000.0 TB")]
)
def test_sizes_are_told_in_units(count: float, text: str) -> None:
    assert text == in_units(count)
