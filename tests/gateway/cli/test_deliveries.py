"""``luxor deliveries`` and what it says when it can not work."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli.main import luxor

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
