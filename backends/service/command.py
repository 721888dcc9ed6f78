"""The command line of a back end. What only serving needs is imported when it serves."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import click
import msgspec

from backends.service import outbox
from backends.service.configuration import ConfigurationError, read_service
from backends.service.reading import LedgerError, open_for_reading
from backends.service.summary import summarise

Count = Callable[[sqlite3.Connection], dict[str, int]]
"""Counts a back end's own tables."""


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """What a good configuration can be asked to do."""

    check: Callable[[], None]
    serve: Callable[[], Awaitable[None]]


def command(name: str, *, load: Callable[[Path], Program], count: Count) -> click.Command:
    """The command line of the back end ``name``.

    Exit status: 0 done or stopped by a signal, 1 the address is taken, 2 the configuration or the
    ledger cannot be used.
    """

    @click.command(name=name, help=f"The {name} back end: serves until it is told to stop.")
    @click.option(
        "--config",
        "file",
        type=click.Path(path_type=Path, dir_okay=False),
        required=True,
        help="Configuration file (TOML).",
    )
    @click.option("--check", is_flag=True, help="Only check the configuration and its tables.")
    @click.option("--summary", is_flag=True, help="Only count what the ledger holds.")
    @click.option("--json", "as_json", is_flag=True, help="The summary as JSON.")
    @click.option(
        "--retry-refused", is_flag=True, help="Only have answers sent again that were refused."
    )
    def run(*, file: Path, check: bool, summary: bool, as_json: bool, retry_refused: bool) -> None:
        try:
            if summary:
                _print_summary(name, file, count, as_json=as_json)
            elif retry_refused:
                click.echo(f"{_retry_refused(file)} answers wait again")
            elif check:
                load(file).check()
                click.echo(f"{file}: good")
            else:
                asyncio.run(_serve(load(file)))
        except (ConfigurationError, LedgerError) as error:
            click.echo(str(error), err=True)
            sys.exit(2)
        except OSError as error:
            click.echo(f"{name}: {error}", err=True)
            sys.exit(1)

    return run


async def _serve(program: Program) -> None:
    await program.serve()


def _print_summary(name: str, file: Path, count: Count, *, as_json: bool) -> None:
    service = read_service(file)
    with closing(open_for_reading(file.parent / service.ledger)) as connection:
        connection.execute("BEGIN")  # one state for all counts
        found: dict[str, Any] = {
            "backend": name,
            "party": service.party,
            **summarise(connection),
            name: count(connection),
        }
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for path, value in _flat(found):
        click.echo(f"{path:<45} {value}")


def _flat(value: dict[str, Any], path: str = "") -> list[tuple[str, Any]]:
    lines: list[tuple[str, Any]] = []
    for name, entry in value.items():
        below = f"{path}.{name}" if path else name
        lines += _flat(entry, below) if isinstance(entry, dict) else [(below, entry)]
    return lines


def _retry_refused(file: Path) -> int:
    path = file.parent / read_service(file).ledger
    open_for_reading(path).close()
    # Beside a running process, which finds what waits at its next look.
    with closing(sqlite3.connect(path, timeout=30)) as connection, connection:
        return outbox.retry_refused(connection)
