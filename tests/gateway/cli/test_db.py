"""``luxor db``: a store's version, bringing it up to date, and what it says when it can not."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli.main import luxor
from gateway.store.postgres.schema import MIGRATIONS as POSTGRES_STEPS
from gateway.store.sqlite.members import Membership
from gateway.store.sqlite.schema import MIGRATIONS as SQLITE_STEPS
from tests.postgres import database

EXAMPLE = Path(__file__).parents[3] / "examples/gateway.toml"
NUMBER = 1  # of the example


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(luxor, ["db", *map(str, arguments)])


@pytest.fixture(params=["sqlite", "postgresql"])
def config(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A configuration whose journal is not there yet."""
    text = EXAMPLE.read_text("utf-8").replace('data = "../var/gateway"', 'data = "data"')
    assert 'data = "data"' in text
    file = tmp_path / "gateway.toml"
    with ExitStack() as stack:
        if request.param == "postgresql":
            url = stack.enter_context(database(gateway=None))
            text += f'\n[journal]\nurl = "{url}"\n'
        file.write_text(text, "utf-8")
        yield file


def steps(config: Path) -> int:
    return len(POSTGRES_STEPS if "[journal]" in config.read_text("utf-8") else SQLITE_STEPS)


def test_what_is_not_there_yet_is_pending_and_checking_makes_nothing(config: Path) -> None:
    checked = run("migrate", "--check", "--config", config)
    told = run("status", "--config", config)

    assert (1, 1) == (checked.exit_code, told.exit_code), checked.output + told.output
    assert f"version 0, {steps(config)} steps to {steps(config)}" in checked.output
    assert "none: no journal is there yet" in told.output
    assert not (config.parent / "data").exists()


def test_migrating_makes_the_journal_and_says_from_what_to_what(config: Path) -> None:
    first = run("migrate", "--json", "--config", config)
    again = run("migrate", "--config", config)
    status = json.loads(run("status", "--json", "--config", config).output)

    assert (0, 0) == (first.exit_code, again.exit_code), first.output + again.output
    done = json.loads(first.output)
    assert (0, steps(config), steps(config)) == (done["before"], done["after"], done["needed"])
    assert f"version {steps(config)}, nothing to do" in again.output
    assert (steps(config), NUMBER) == (status["version"], status["gateway"])
    assert 0 == run("migrate", "--check", "--config", config).exit_code


def test_a_journal_of_another_gateway_is_left_alone(config: Path) -> None:
    run("migrate", "--config", config)
    text = config.read_text("utf-8")
    config.write_text(text.replace("number = 1", "number = 2"), "utf-8")
    assert text != config.read_text("utf-8")

    result = run("migrate", "--config", config)

    assert 2 == result.exit_code
    assert "belongs to gateway 1, not to 2" in result.output


def test_a_file_of_a_later_program_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(EXAMPLE.read_text("utf-8").replace("../var/gateway", "data"), "utf-8")
    run("migrate", "--config", file)
    with closing(sqlite3.connect(tmp_path / "data/journal.db")) as connection:
        connection.execute("PRAGMA user_version = 99")

    told, result = run("status", "--config", file), run("migrate", "--config", file)

    assert (1, 2) == (told.exit_code, result.exit_code)
    assert "99: of a later program" in told.output
    assert "newer than this program" in result.output


def test_a_file_in_use_is_not_migrated_under_its_users(tmp_path: Path) -> None:
    """A running gateway would go on with tables that it does not know."""
    file = tmp_path / "gateway.toml"
    file.write_text(EXAMPLE.read_text("utf-8").replace("../var/gateway", "data"), "utf-8")
    run("migrate", "--config", file)
    with closing(sqlite3.connect(tmp_path / "data/journal.db")) as connection:
        connection.execute(f"PRAGMA user_version = {len(SQLITE_STEPS) - 1}")
    running = Membership(tmp_path / "data/journal.db.locks", "0123456789ab")

    result = run("migrate", "--config", file)
    status = json.loads(run("status", "--json", "--config", file).output)
    running.close()

    assert 3 == result.exit_code
    assert "1 processes have the journal open: stop them" in result.output
    assert ["0123456789ab"] == status["processes"]
    assert [] == json.loads(run("status", "--json", "--config", file).output).get("processes", [])


@pytest.mark.parametrize(
    ("url", "code", "said"),
    [
        ("postgresql://luxor:s3cret@127.0.0.1:1/journal", 3, "cannot be reached"),
        ("postgresql://luxor:s3cret@127.0.0.1:1/journal?sslmode=sure", 2, "sslmode"),
        ("postgresql://luxor:s3cret@127.0.0.1:port/journal", 2, "port"),
    ],
)
def test_what_is_wrong_with_a_database_is_told_without_its_password(
    url: str, code: int, said: str, tmp_path: Path
) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(f'{EXAMPLE.read_text("utf-8")}\n[journal]\nurl = "{url}"\n', "utf-8")

    for command in ("status", "migrate"):
        result = run(command, "--config", file)

        assert code == result.exit_code, result.output
        assert said in result.output
        assert "s3cret" not in result.output


def test_a_server_without_tls_is_not_talked_to_when_tls_is_wanted(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    with database(gateway=None) as url:
        text = f'{EXAMPLE.read_text("utf-8")}\n[journal]\nurl = "{url}?sslmode=require"\n'
        file.write_text(text, "utf-8")
        result = run("migrate", "--config", file)

    assert 3 == result.exit_code
    assert "rejected SSL upgrade" in result.output


def test_a_password_comes_from_where_the_configuration_says(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    lines = '\n[journal]\nurl = "postgresql://luxor@127.0.0.1:1/j"\npassword = "file:db.password"\n'
    file.write_text(EXAMPLE.read_text("utf-8") + lines, "utf-8")

    result = run("status", "--config", file)

    assert 2 == result.exit_code
    assert "journal.password" in result.output


@pytest.mark.parametrize("command", ["migrate", "status"])
def test_help_has_examples(command: str) -> None:
    assert "Examples:" in run(command, "--help").output
