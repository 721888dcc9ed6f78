"""``luxor deliveries``: what is not delivered yet, why, and what is done about it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.table import Column, Table
from rich.text import Text

from gateway.cli.choosing import chosen_of, message_named, with_conditions
from gateway.cli.deliveries_acts import bury, retry, skip
from gateway.cli.groups import Described
from gateway.cli.journals import check_destination, configured, with_journal
from gateway.cli.options import config_option, json_option
from gateway.cli.tables import print_table
from gateway.core.deliveries import OPEN, Chosen, Shown, Unsettled
from gateway.core.destinations import Standing
from gateway.core.ports import Journal
from gateway.core.records import LegState
from gateway.pipeline.deliveries import Counts
from gateway.pipeline.deliveries import count as counted

NOTHING = 1
_PAGE = 500


@click.group(cls=Described)
def deliveries() -> None:
    """Deliveries that are not made yet: which, why, and what to do about them.

    A buried message holds back later ones about the same item, so that nothing is overtaken. All
    others go on.
    """


@deliveries.command(
    "list",
    epilog="""\b
Examples:
  luxor deliveries list --config gateway.toml
  luxor deliveries list --destination risk --code "content.*" --json
  luxor deliveries list --state all --key EE471108151FR
  luxor deliveries list --state retrying --since 2026-11-21T06:00:00Z --limit 1000

\b
With --json, one object on each line.""",
)
@config_option()
@with_conditions
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=100, show_default=True)
@click.option("--after", help="Go on behind the cursor that an earlier list ended with.")
@json_option()
def list_(file: Path, limit: int, after: str | None, as_json: bool, **options: Any) -> None:  # noqa: FBT001 - a click option
    """List deliveries with the reason: buried ones, unless other states are named.

    Buried ones come by destination, oldest first; other states by destination and item.
    """
    chosen = chosen_of(options, usual=frozenset({LegState.BURIED}))
    config = configured(file)
    check_destination(chosen.destination, config)

    async def look(journal: Journal) -> tuple[list[Unsettled], str | None]:
        return await _legs(journal, chosen, after, limit)

    try:
        legs, rest = with_journal(config, look)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if as_json:
        for leg in legs:
            click.echo(msgspec.json.encode(leg).decode())
    elif not legs:
        states = " or ".join(sorted(chosen.states))
        click.echo(
            "nothing is to be delivered" if chosen.states == OPEN else f"nothing is {states}"
        )
    else:
        print_table(table_of(legs))
        click.echo("Look at one with: luxor deliveries show MESSAGE --config FILE", err=True)
    if rest is not None:
        click.echo(f"there is more: --after {rest}", err=True)


async def _legs(
    journal: Journal, chosen: Chosen, after: str | None, limit: int
) -> tuple[list[Unsettled], str | None]:
    """Up to so many, and the cursor behind them when there is more."""
    legs: list[Unsettled] = []
    while len(legs) < limit:
        page = await journal.deliveries.page(
            chosen, after=after, limit=min(_PAGE, limit - len(legs))
        )
        legs += page.legs
        after = page.next
        if after is None:
            break
    return legs, after


def table_of(legs: Iterable[Unsettled]) -> Table:
    """Deliveries. What a receiver said stands as it is and does nothing to a terminal."""
    table = Table(
        Column("message", no_wrap=True),
        Column("destination", overflow="fold"),
        "state",
        "about",
        "since",
        "tries",
        "reason",
    )
    for leg in legs:
        table.add_row(
            leg.message_id,
            leg.destination,
            leg.state,
            _plain(leg.key.value),
            f"{leg.at or leg.accepted_at:%Y-%m-%d %H:%M:%S}",
            str(leg.tries),
            _plain(f"{leg.code} {leg.detail}".strip()),
        )
    return table


def _plain(said: str) -> Text:
    """Words of somebody else: no markup, nothing that a terminal obeys."""
    return Text(
        "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in said)
    )


@deliveries.command(
    epilog="""\b
Examples:
  luxor deliveries count --config gateway.toml
  luxor deliveries count --destination risk --json"""
)
@config_option()
@with_conditions
@json_option()
def count(file: Path, as_json: bool, **options: Any) -> None:  # noqa: FBT001 - a click option
    """Count deliveries by destination, state and code of their last attempt.

    It looks at each of them, a million at most; luxor_backlog of the metrics costs less.
    """
    chosen = chosen_of(options)
    config = configured(file)
    check_destination(chosen.destination, config)

    async def look(journal: Journal) -> Counts:
        return await counted(journal.deliveries, chosen)

    counts = with_journal(config, look)
    if as_json:
        click.echo(msgspec.json.encode(counts).decode())
        return
    table = Table("destination", "state", "code", Column("deliveries", justify="right"))
    for row in counts.by:
        table.add_row(row.destination, row.state, _plain(row.code), str(row.count))
    if counts.by:
        print_table(table)
    click.echo(f"{counts.total} deliveries{'' if counts.complete else ', and more'}")


@deliveries.command(
    epilog="""\b
Examples:
  luxor deliveries show 00000000-1234-8abc-9def-000000000001 --config gateway.toml
  luxor deliveries show 00000000-1234-8abc-9def-000000000001 --json

\b
Exit status: 0 it is known, 1 it is not, 2 wrong usage."""
)
@click.argument("message")
@config_option()
@json_option()
def show(message: str, file: Path, as_json: bool) -> None:  # noqa: FBT001 - a click option
    """Show one MESSAGE: where each of its deliveries stands, and everything that was tried.

    What was done by hand stands among the attempts, with name and reason. Content is not shown.
    """
    identifier = message_named(message)
    if identifier is None:
        raise click.UsageError(f"{message} is no message id")

    async def look(journal: Journal) -> tuple[Shown | None, Mapping[str, Standing]]:
        return await journal.deliveries.show(identifier), await journal.destinations.all()

    shown, standings = with_journal(configured(file), look)
    if shown is None:
        click.echo(f"no message is called {message} here", err=True)
        sys.exit(NOTHING)
    if as_json:
        click.echo(msgspec.json.encode(shown).decode())
        return
    told = shown.message
    click.echo(
        f"{told.kind} {told.key.value}, version {told.version}, from {told.party}"
        f" in {told.interchange_id}, accepted {told.accepted_at:%Y-%m-%d %H:%M:%S}"
    )
    print_table(_story(shown))
    for leg in shown.legs:
        standing = standings.get(leg.destination)
        if leg.state in OPEN and standing is not None and not standing.delivers:
            why = _plain(standing.reason if standing.on else standing.switch_reason).plain
            stands = f"its breaker is {standing.breaker.value}" if standing.on else "it is off"
            click.echo(f"{leg.destination} is not delivered to now: {stands} ({why})")


def _story(shown: Shown) -> Table:
    table = Table(
        Column("destination", overflow="fold"), "state", "at", "try", "result", "process", "reason"
    )
    for leg in shown.legs:
        made = [r for r in shown.attempts if r.attempt.destination == leg.destination]
        table.add_row(leg.destination, leg.state, "", "", "", "", "")
        for recorded in made:
            attempt = recorded.attempt
            table.add_row(
                "",
                "",
                f"{attempt.at:%Y-%m-%d %H:%M:%S}",
                str(attempt.n),
                attempt.result,
                recorded.process,
                _plain(f"{attempt.code} {attempt.detail}".strip()),
            )
    return table


for command in (retry, bury, skip):
    deliveries.add_command(command)
