"""``luxor clearance``: the operator's own view, out of the journal, beside the gateway."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from gateway.cli.main import luxor
from gateway.core.identifiers import resolve
from gateway.routing import subjects_of
from gateway.store.sqlite import open_sqlite
from tests.gateway.pipeline.clearances import ID, decided, declared
from tests.gateway.store.samples import accept, message
from tests.samples import s10
from translators.canonical import Message, kind_of
from trust.identity import PartyId

EXAMPLE = Path(__file__).parents[3] / "examples/gateway.toml"
RELEASED, HELD, UNKNOWN = ID, s10(301), s10(302)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A gateway whose post has declared two items; customs released one and holds the other."""
    text = EXAMPLE.read_text("utf-8").replace("../var/gateway", "data")
    (tmp_path / "gateway.toml").write_text(text, "utf-8")
    (tmp_path / "data").mkdir(mode=0o700)
    lines: Sequence[tuple[str, Message]] = (
        ("post-a", declared()),
        ("post-a", declared(item_id=HELD)),
        ("customs", decided("released")),
        ("customs", decided("held", item_id=HELD)),
    )

    async def fill() -> None:
        now = datetime.now(UTC)
        journal = await open_sqlite(tmp_path / "data/journal.db", gateway=1, clock=lambda: now)
        for number, (party, content) in enumerate(lines):
            planned = message(kind=kind_of(content), body=msgspec.json.encode(content), about=None)
            planned = msgspec.structs.replace(planned, subjects=subjects_of(content, party=party))
            await accept(
                journal, str(number), messages=[planned], party=PartyId(party), received_at=now
            )
        await journal.close()

    asyncio.run(fill())
    return tmp_path


def run(folder: Path, *arguments: str) -> Result:
    config = ("--config", str(folder / "gateway.toml"))
    return CliRunner().invoke(luxor, ["clearance", *arguments, *config])


def test_each_item_is_answered_with_the_message_behind_it(folder: Path) -> None:
    result = run(folder, RELEASED, HELD, UNKNOWN, "--json")
    lines = [msgspec.json.decode(line) for line in result.stdout.splitlines()]
    assert [
        (RELEASED, "yes", "decision.released", "customs"),
        (HELD, "no", "decision.held", "customs"),
        (UNKNOWN, "no", "item.unknown", None),
    ] == [(one["item"], one["answer"], one["reason"], one.get("decided_by")) for one in lines]
    (behind,) = lines[0]["messages"]
    address = resolve(behind)
    assert address is not None
    assert (1, 1) == (address[0], address[2])
    assert 1 == result.exit_code


def test_it_is_over_well_when_all_may_go(folder: Path) -> None:
    result = run(folder, RELEASED)
    assert 0 == result.exit_code
    assert "decision.released" in result.output


def test_what_is_no_item_is_wrong_usage(folder: Path) -> None:
    result = run(folder, "x" * 36)
    assert 2 == result.exit_code
    assert "1 to 35 characters" in result.output


def test_without_a_journal_it_says_so(tmp_path: Path) -> None:
    text = EXAMPLE.read_text("utf-8").replace("../var/gateway", "data")
    (tmp_path / "gateway.toml").write_text(text, "utf-8")
    result = run(tmp_path, ID)
    assert 2 == result.exit_code
    assert "no journal" in result.output


def test_a_terminal_is_left_alone(folder: Path) -> None:
    assert "\x1b[2J" not in run(folder, "\x1b[2Jx").output
