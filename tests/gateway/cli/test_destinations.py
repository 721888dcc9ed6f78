"""``luxor destinations`` and its controls: how destinations stand, and the switch."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from gateway.cli.destinations import table_of
from gateway.cli.main import luxor
from gateway.core.destinations import Breaker, LaneBacklog, opened
from gateway.core.ports import Journal
from gateway.ingress.controls import Asked
from gateway.ingress.destination_controls import destination_controls
from gateway.pipeline.overview import Overview
from gateway.store.memory import MemoryJournal
from gateway.store.sqlite import open_sqlite
from tests.gateway.store.samples import accept, item, legs, message

EXAMPLE = Path(__file__).parents[3] / "examples/gateway.toml"
NUMBER = 1
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
Run = Callable[..., Result]


def clock() -> datetime:
    return NOW


async def _prepare(path: Path) -> None:
    journal = await open_sqlite(path, gateway=NUMBER, clock=clock)
    for number, lane in enumerate((0, 2, 2), 1):
        planned = message(about=item(number), legs=legs("risk", lane=lane))
        await accept(
            journal, f"i-{number}", messages=[planned], content=b"%d" % number, received_at=NOW
        )
    until = NOW + timedelta(seconds=9)
    step = opened(node="a", failures=4, until=until, reason="connection refused", now=NOW)
    await journal.destinations.change("revenue", step)
    await journal.close()


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """The command, on a journal with something in it."""
    text = EXAMPLE.read_text("utf-8").replace("../var/gateway", "data").replace("received", "risk")
    (tmp_path / "gateway.toml").write_text(text, "utf-8")
    (tmp_path / "data").mkdir(mode=0o700)
    asyncio.run(_prepare(tmp_path / "data/journal.db"))

    def invoke(*arguments: str) -> Result:
        config = str(tmp_path / "gateway.toml")
        return CliRunner().invoke(
            luxor, ["destinations", *arguments, "--config", config], catch_exceptions=False
        )

    return invoke


def listed(run: Run) -> dict[str, dict[str, Any]]:
    """What ``list --json`` prints, by destination."""
    return {each["id"]: each for each in msgspec.json.decode(run("list", "--json").stdout)}


def test_the_list_has_every_destination_with_what_waits_for_it(run: Run) -> None:
    found = listed(run)

    assert {"risk", "revenue"} == set(found)
    risk = found["risk"]
    assert risk["configured"]
    assert (True, "closed", None) == (risk["on"], risk["breaker"], risk["next_try"])
    assert [(0, 1), (2, 2)] == [(lane["lane"], lane["ready"]) for lane in risk["lanes"]]
    assert "2026-11-21T12:00:00Z" == risk["oldest"]
    revenue = found["revenue"]
    assert not revenue["configured"]
    assert ("open", 4, "connection refused", "2026-11-21T12:00:09Z") == (
        revenue["breaker"],
        revenue["failures"],
        revenue["reason"],
        revenue["next_try"],
    )


def test_a_switch_stays_as_it_was_left(run: Run) -> None:
    said = run("off", "risk", "--reason", "they move", "--by", "ops")
    assert (0, "risk is off\n") == (said.exit_code, said.stdout)
    risk = listed(run)["risk"]
    assert (False, "ops", "they move") == (risk["on"], risk["switched_by"], risk["switch_reason"])

    assert "risk is on\n" == run("on", "risk").stdout
    assert listed(run)["risk"]["on"]


def test_switching_off_needs_a_reason(run: Run) -> None:
    assert 2 == run("off", "risk").exit_code
    said = run("off", "risk", "--reason", "two\nlines")
    assert (2, True) == (said.exit_code, "printable" in said.stderr)


def test_a_destination_that_there_is_not_is_named_beside_those_that_there_are(run: Run) -> None:
    said = run("off", "nowhere", "--reason", "x")
    assert 2 == said.exit_code
    assert "no destination is called nowhere; there are " in said.stderr
    assert "risk" in said.stderr


def test_the_table_tells_switch_breaker_lanes_and_reasons() -> None:
    each = Overview(
        id="risk",
        configured=True,
        on=False,
        switched_at=NOW,
        switched_by="ops",
        switch_reason="they move",
        breaker=Breaker.OPEN,
        since=NOW,
        failures=3,
        reason="grpc UNAVAILABLE",
        next_try=None,
        oldest=NOW,
        lanes=(LaneBacklog(destination="risk", lane=2, ready=1_200, held=3),),
    )
    out = io.StringIO()
    Console(file=out, width=200).print(table_of([each]))
    for words in (
        "off",
        "open",
        "2: 1,203 (3 buried)",
        "ops: they move; grpc UNAVAILABLE (3 times)",
    ):
        assert words in out.getvalue()


async def _asked(journal: Journal, method: str, path: str, **by: Any) -> Any:
    (control,) = (
        control
        for control in destination_controls(journal, lambda: {"risk"}, clock)
        if (control.method, control.path) == (method, path)
    )
    body = b"" if "body" not in by else msgspec.json.encode(by["body"])
    answer = await control.handle(Asked(by.get("place", {}), {}, body))
    return msgspec.json.decode(msgspec.json.encode(answer.value))


async def test_controls_do_what_the_command_does() -> None:
    journal = MemoryJournal(gateway=1, clock=clock)
    place = {"id": "risk"}
    order = {"by": "ops", "reason": "they move"}
    off, on = (f"/control/destinations/{{id}}/{way}" for way in ("off", "on"))

    await _asked(journal, "POST", off, place=place, body=order)
    (risk,) = await _asked(journal, "GET", "/control/destinations")
    assert (False, "they move") == (risk["on"], risk["switch_reason"])
    standing = await _asked(journal, "POST", on, place=place, body=order)
    assert standing["id"] == "risk"
    assert (await journal.destinations.all())["risk"].on
    with pytest.raises(ValueError, match="no destination is called nowhere"):
        await _asked(journal, "POST", off, place={"id": "nowhere"}, body=order)
    with pytest.raises(msgspec.ValidationError, match="reason"):
        await _asked(journal, "POST", off, place=place, body={"by": "ops"})
