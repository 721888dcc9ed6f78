"""``luxor destinations``: how they stand, what waits for them, and the traffic switch."""

from __future__ import annotations

import getpass
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec
from rich.table import Column, Table
from rich.text import Text

from gateway.cli.groups import Described
from gateway.cli.journals import configured, with_journal
from gateway.cli.options import config_option, json_option
from gateway.cli.tables import print_table
from gateway.core.destinations import Breaker, LaneBacklog, Standing
from gateway.core.ports import Journal
from gateway.pipeline.overview import Overview, overviews, switch

_by = click.option("--by", help="Your name beside the switch; otherwise your user name here.")


@click.group(cls=Described)
def destinations() -> None:
    """Destinations: whether they are delivered to, and what waits for them.

    The switch stops deliveries by hand; accepting goes on. The breaker stops them by itself while
    a destination cannot be reached, and tries it again by itself.
    """


@destinations.command(
    "list",
    epilog="""\b
Examples:
  luxor destinations list --config gateway.toml
  luxor destinations list --json""",
)
@config_option()
@json_option()
def list_(file: Path, as_json: bool) -> None:  # noqa: FBT001 - a click option
    """List destinations with switch, breaker and backlog by lane.

    The backlog counts items, orders and declarations that have something to deliver. It is counted
    when it is asked for, which takes a while with millions.
    """
    config = configured(file)
    known = frozenset(entry.id for entry in config.destination)

    async def look(journal: Journal) -> tuple[Overview, ...]:
        return await overviews(journal.destinations, configured=known)

    found = with_journal(config, look)
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
    elif not found:
        click.echo("there are no destinations")
    else:
        print_table(table_of(found))


@destinations.command(
    epilog="""\b
Examples:
  luxor destinations off risk --reason "maintenance until noon"

\b
Exit status: 0 it is off, 1 the journal can not be used now, 2 wrong usage."""
)
@click.argument("destination", metavar="ID")
@click.option("--reason", required=True, help="Why, for whoever looks at it next.")
@_by
@config_option()
@json_option()
def off(destination: str, reason: str, by: str | None, file: Path, as_json: bool) -> None:  # noqa: FBT001 - a click option
    """Deliver nothing to ID until it is switched on again.

    What is under way is finished. A running gateway hears of it within a moment; a restart does
    not change it.
    """
    _switch(destination, file, on=False, by=by, reason=reason, as_json=as_json)


@destinations.command(
    epilog="""\b
Examples:
  luxor destinations on risk
  luxor destinations on risk --reason "maintenance is over"

\b
Exit status: 0 it is on, 1 the journal can not be used now, 2 wrong usage."""
)
@click.argument("destination", metavar="ID")
@click.option("--reason", default="asked for", show_default=True, help="Why.")
@_by
@config_option()
@json_option()
def on(destination: str, reason: str, by: str | None, file: Path, as_json: bool) -> None:  # noqa: FBT001 - a click option
    """Deliver to ID again.

    A breaker that is open tries at once.
    """
    _switch(destination, file, on=True, by=by, reason=reason, as_json=as_json)


def _switch(
    destination: str, file: Path, *, on: bool, by: str | None, reason: str, as_json: bool
) -> None:
    config = configured(file)
    known = frozenset(entry.id for entry in config.destination)

    async def work(journal: Journal) -> Standing:
        return await switch(
            journal.destinations,
            destination,
            on=on,
            by=by or getpass.getuser(),
            reason=reason,
            configured=known,
            now=datetime.now(UTC),
        )

    try:
        standing = with_journal(config, work)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if as_json:
        click.echo(msgspec.json.encode(standing).decode())
    else:
        click.echo(f"{destination} is {'on' if standing.on else 'off'}")


def table_of(found: Iterable[Overview]) -> Table:
    """One row each; reasons stand as they are and do nothing to a terminal."""
    table = Table(
        Column("destination", no_wrap=True),
        "switch",
        "breaker",
        "since",
        "waits by lane",
        "oldest",
        "next try",
        "reason",
    )
    for each in found:
        changed = each.switched_at if not each.on else each.since
        table.add_row(
            each.id if each.configured else f"{each.id} (not configured)",
            "on" if each.on else "off",
            each.breaker.value,
            _time(changed),
            _lanes(each.lanes),
            _time(each.oldest),
            _time(each.next_try),
            Text(_reason(each)),
        )
    return table


def _reason(each: Overview) -> str:
    said = []
    if not each.on:
        said.append(f"{each.switched_by}: {each.switch_reason}")
    if each.breaker is not Breaker.CLOSED:
        said.append(f"{each.reason} ({each.failures} times)")
    return "; ".join(said)


def _lanes(lanes: Iterable[LaneBacklog]) -> str:
    """As ``0: 3, 2: 117 (4 buried)``."""
    shown = []
    for lane in lanes:
        count = lane.ready + lane.leased + lane.waiting + lane.held
        buried = f" ({lane.held:,} buried)" if lane.held else ""
        shown.append(f"{lane.lane}: {count:,}{buried}")
    return ", ".join(shown) or "nothing"


def _time(at: datetime | None) -> str:
    return "" if at is None else f"{at:%Y-%m-%d %H:%M:%S}"
