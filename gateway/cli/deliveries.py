"""``luxor deliveries``: what is stuck, and putting it back to work."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from gateway.cli.groups import Described
from gateway.cli.journals import configured, with_journal
from gateway.core.ports import Journal
from gateway.core.records import Leg

_config = click.option(
    "--config",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("gateway.toml"),
    show_default=True,
    help="The gateway's configuration; it may be running.",
)
_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group(cls=Described)
def deliveries() -> None:
    """Deliveries that their destination refused, and how to try them again.

    A buried message holds back later ones about the same item, so that nothing is overtaken. All
    others go on.
    """


@deliveries.command(
    "list",
    epilog="""\b
Examples:
  luxor deliveries list --config gateway.toml
  luxor deliveries list --destination risk --json""",
)
@_config
@click.option("--destination", help="Only those of this destination.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True)
@_as_json
def list_(file: Path, destination: str | None, limit: int, as_json: bool) -> None:  # noqa: FBT001 - a click option
    """List buried deliveries, oldest first, with the reason."""

    async def look(journal: Journal) -> tuple[Leg, ...]:
        return await journal.buried(destination, limit=limit)

    legs = with_journal(configured(file), look)
    if as_json:
        click.echo(msgspec.json.encode(legs).decode())
        return
    if not legs:
        click.echo("nothing is buried")
        return
    Console().print(table_of(legs))
    click.echo("Look at one with: luxor trace MESSAGE --config FILE")


def table_of(legs: Iterable[Leg]) -> Table:
    """Buried deliveries. What a receiver said stands as it is and does nothing to a terminal."""
    table = Table(
        Column("message", no_wrap=True), Column("destination", overflow="fold"), "since", "reason"
    )
    for leg in legs:
        since = "" if leg.at is None else f"{leg.at:%Y-%m-%d %H:%M:%S}"
        said = f"{leg.code} {leg.detail}".strip()
        reason = "".join(
            letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in said
        )
        table.add_row(leg.message_id, leg.destination, since, Text(reason))
    return table


@deliveries.command(
    epilog="""\b
Examples:
  luxor deliveries retry risk --config gateway.toml"""
)
@click.argument("destination")
@_config
@_as_json
def retry(destination: str, file: Path, as_json: bool) -> None:  # noqa: FBT001 - a click option
    """Put everything that waits or is buried for DESTINATION back to work.

    A running gateway takes it up within a moment, otherwise the next one that starts. What is
    refused again is buried again.
    """

    async def put_back(journal: Journal) -> int:
        return await journal.retry(destination, now=datetime.now(UTC))

    config = configured(file)
    known = {entry.id for entry in config.destination}
    if destination not in known and not destination.startswith("inbox:"):
        raise click.UsageError(
            f"no destination is called {destination}; there are {', '.join(sorted(known))}"
        )
    count = with_journal(config, put_back)
    if as_json:
        click.echo(msgspec.json.encode({"destination": destination, "retried": count}).decode())
    else:
        click.echo(f"{count} items, orders or declarations of {destination} are tried again")
