"""``luxor deliveries`` and what it says when it can not work."""

import io
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from gateway.cli.deliveries import table_of
from gateway.cli.main import luxor
from gateway.core.identifiers import MessageId
from gateway.core.records import Leg, LegState

EXAMPLE = Path(__file__).parents[3] / "examples/gateway.toml"


@pytest.mark.parametrize("command", [["list"], ["retry", "inbox:post-a"]])
def test_a_gateway_that_never_ran_has_no_journal(command: list[str], tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(EXAMPLE.read_text("utf-8"), "utf-8")

    result = CliRunner().invoke(luxor, ["deliveries", *command, "--config", str(file)])

    assert 2 == result.exit_code
    assert "there is no journal yet" in result.output


def test_an_unknown_destination_is_named_with_the_known_ones() -> None:
    result = CliRunner().invoke(luxor, ["deliveries", "retry", "nowhere", "--config", str(EXAMPLE)])

    assert 2 == result.exit_code
    assert "no destination is called nowhere" in result.output


@pytest.mark.parametrize("command", ["list", "retry"])
def test_help_has_examples(command: str) -> None:
    assert "Examples:" in CliRunner().invoke(luxor, ["deliveries", command, "--help"]).output


def test_what_a_receiver_said_is_shown_and_does_nothing() -> None:
    """Its words come from another network: they break no list and write nothing to a terminal."""
    leg = Leg(
        message_id=MessageId("m-1"),
        destination="risk",
        state=LegState.BURIED,
        code="refused",
        detail="[/x] see [link=https://evil.test]here[/link]\x1b[2J",
    )
    written = io.StringIO()

    Console(file=written, width=200, force_terminal=True).print(table_of([leg]))

    assert "refused [/x] see [link=https://evil.test]here[/link]\ufffd[2J" in written.getvalue()
    assert "\x1b[2J" not in written.getvalue()
