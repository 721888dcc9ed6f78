"""``luxor answers``: what was delivered and never answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from gateway.cli.main import luxor
from gateway.core.records import Expected, PlannedLeg
from gateway.store.sqlite import open_sqlite
from tests.gateway.store.samples import accept, all_settled, item, lease, message
from trust.identity import PartyId

EXAMPLE = Path(__file__).parents[3] / "examples/gateway.toml"
LONG_AGO = datetime(2026, 1, 2, tzinfo=UTC)
Run = Callable[..., Result]


async def asked(path: Path) -> None:
    """Three items for risk, delivered long ago: two answers are overdue, one has centuries."""
    journal = await open_sqlite(path, gateway=1, clock=lambda: LONG_AGO)
    for number, within in enumerate((60.0, 120.0, 1e10)):
        expected = Expected(party=PartyId("customs-risk"), answers=("RiskAss*",), within=within)
        leg = PlannedLeg(destination="risk", route="items", expects=(expected,))
        planned = message(1, about=item(number), legs=(leg,))
        await accept(journal, f"i{number}", messages=[planned], received_at=LONG_AGO)
    taken = await lease(journal, now=LONG_AGO)
    await journal.settle(taken, all_settled(taken), now=LONG_AGO)
    await journal.close()


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("COLUMNS", "250")
    config = tmp_path / "gateway.toml"
    config.write_text(EXAMPLE.read_text("utf-8").replace("../var/gateway", "data"), "utf-8")
    (tmp_path / "data").mkdir(mode=0o700)
    asyncio.run(asked(tmp_path / "data/journal.db"))

    def command(*arguments: str) -> Result:
        return CliRunner().invoke(luxor, ["answers", *arguments, "--config", str(config)])

    return command


def due(result: Result) -> list[str]:
    assert result.exit_code == 0, result.output
    return [msgspec.json.decode(line)["due"] for line in result.stdout.splitlines()]


def test_overdue_ones_are_listed_the_longest_first(run: Run) -> None:
    assert due(run("list", "--json")) == ["2026-01-02T00:01:00Z", "2026-01-02T00:02:00Z"]
    assert "RiskAss*" in run("list").output


def test_awaited_ones_are_listed_when_they_are_asked_for(run: Run) -> None:
    assert len(due(run("list", "--awaited", "--json"))) == 3


def test_a_list_goes_on_where_another_ended(run: Run) -> None:
    first = run("list", "--limit", "1", "--json")
    cursor = first.stderr.rpartition(" ")[2].strip()

    assert due(run("list", "--after", cursor, "--json")) == ["2026-01-02T00:02:00Z"]
    assert run("list", "--after", "nonsense").exit_code == 2


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        (("--destination", "risk"), 2),
        (("--destination", "revenue"), 0),
        (("--party", "customs-risk"), 2),
        (("--party", "nobody"), 0),
        (("--kind", "Item*"), 2),
        (("--kind", "Order"), 0),
    ],
)
def test_chosen_by_conditions(run: Run, condition: tuple[str, str], found: int) -> None:
    assert len(due(run("list", *condition, "--json"))) == found


def test_counted_by_destination_and_kind(run: Run) -> None:
    told = run("count", "--json")

    assert msgspec.json.decode(told.stdout) == [
        {"destination": "risk", "kind": "ItemDeclaration", "awaited": 3, "overdue": 2}
    ]
    assert "ItemDeclaration" in run("count").output


@pytest.mark.parametrize("command", ["list", "count"])
def test_help_has_examples(command: str) -> None:
    assert "Examples:" in CliRunner().invoke(luxor, ["answers", command, "--help"]).output
