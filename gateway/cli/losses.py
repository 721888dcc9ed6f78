"""``luxor losses``: which fields are lost how often, by destination, sender and format."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import msgspec
from rich.table import Column, Table
from rich.text import Text

from gateway.cli.journals import reading
from gateway.cli.options import config_option, json_option
from gateway.cli.tables import wide_console
from gateway.core.errors import Unavailable
from gateway.core.reports import DELIVERED, Fate, Loss

NOT_READ = 3
_KINDS = {
    "not-carried": frozenset({Fate.DROPPED, Fate.CONTRADICTS}),
    "defaulted": frozenset({Fate.DEFAULTED}),
    "mapped": frozenset({Fate.MAPPED}),
    "withheld": frozenset({Fate.WITHHELD}),
}
_WORDS = {Fate.DROPPED: "not carried"}


@click.command(
    epilog="""\b
Examples:
  luxor losses --config gateway.toml
  luxor losses --peer revenue --format upu.cusitm.1 --days 7
  luxor losses --what defaulted --what withheld --json

\b
Exit status: 0, 2 wrong usage, 3 the journal could not be read now."""
)
@config_option()
@click.option("--peer", help="Only this destination, or this sender.")
@click.option("--format", "format_id", metavar="F", help="Only this format.")
@click.option(
    "--what",
    type=click.Choice(sorted(_KINDS)),
    multiple=True,
    default=("not-carried", "defaulted"),
    show_default=True,
    help="What to count; may be given several times.",
)
@click.option(
    "--days", type=click.IntRange(1, 36_500), help="Only what was received within so many days."
)
@json_option()
def losses(
    file: Path,
    peer: str | None,
    format_id: str | None,
    what: tuple[str, ...],
    days: int | None,
    as_json: bool,  # noqa: FBT001 - a click option
) -> None:
    """Count which fields were not carried, in how many messages.

    A field that is lost in every message to a destination is a line that its layout lacks; one
    that is lost of every message of a sender, a line that ours lacks. Reads every attempt of the
    time asked for: give --days for a large journal.
    """
    since = None if days is None else datetime.now(UTC) - timedelta(days=days)
    wanted = frozenset(kind for name in what for kind in _KINDS[name])
    try:
        with reading(file) as (_, reader):
            found = tuple(
                loss
                for loss in reader.losses(since=since)
                if loss.line.kind in wanted
                and peer in (None, loss.peer)
                and format_id in (None, loss.format)
            )
    except Unavailable as error:
        click.echo(f"Not read: {error}", err=True)
        sys.exit(NOT_READ)
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
    elif found:
        _print(found)
    else:
        click.echo("nothing of that kind was lost")


def _print(found: tuple[Loss, ...]) -> None:
    console = wide_console()
    table = Table(
        Column("with", overflow="fold"),
        Column("format", no_wrap=True),
        "kind",
        Column("messages", justify="right", no_wrap=True),
        Column("what", no_wrap=True),
        Column("path", overflow="fold"),
        Column("reason", overflow="fold"),
    )
    for loss in found:
        arrow = "→" if loss.direction == DELIVERED else "←"
        table.add_row(
            Text(f"{arrow} {loss.peer}"),
            loss.format or "not known",
            loss.kind,
            f"{loss.messages} of {loss.of}",
            _WORDS.get(loss.line.kind, loss.line.kind),
            Text(loss.line.path or loss.line.source_path),
            Text(loss.line.detail),
        )
    console.print(table)
