"""Files that can not be written end a command with their name, not with a stack trace."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli.main import luxor


@pytest.fixture
def blocked(tmp_path: Path) -> Path:
    """A place below something that is no folder."""
    (tmp_path / "file").write_bytes(b"")
    return tmp_path / "file" / "below"


def said(*arguments: str) -> str:
    result = CliRunner().invoke(luxor, list(arguments))
    assert 1 == result.exit_code
    assert isinstance(result.exception, SystemExit)
    return result.output


def test_a_report_that_can_not_be_written(tmp_path: Path, blocked: Path) -> None:
    sample = tmp_path / "items.xml"
    sample.write_bytes(CliRunner().invoke(luxor, ["sample", "upu.itmatt.1"]).stdout_bytes)
    formats = ("--from", "upu.itmatt.1", "--to", "luxor.json.1")

    output = said("translate", str(sample), *formats, "--report", str(blocked))

    assert f"Could not open file '{blocked}': Not a directory" in output


@pytest.mark.parametrize(
    "command", [("schema", "upu.itmatt.1", "--out"), ("certs", "dev", "--dir")]
)
def test_a_folder_that_can_not_be_made(blocked: Path, command: tuple[str, ...]) -> None:
    assert f"Could not open file '{blocked}': Not a directory" in said(*command, str(blocked))


@pytest.mark.parametrize("arguments", [("sample", "upu.itmatt.1"), ("codes", "s10", "--json")])
def test_an_output_without_room(arguments: tuple[str, ...]) -> None:
    with Path("/dev/full").open("wb") as full:
        command = [sys.executable, "-m", "gateway", *arguments]
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)

    assert (1, b"Error: Could not write: No space left on device\n") == (
        ended.returncode,
        ended.stderr,
    )
