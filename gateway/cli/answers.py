"""``luxor answers``: what was delivered and never answered."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import msgspec
from rich.table import Column, Table

from gateway.cli.groups import Described
from gateway.cli.journals import configured, with_journal
from gateway.cli.options import config_option, json_option
from gateway.cli.tables import print_table
from gateway.core.awaiting import COUNTED, Asked, Awaited, AwaitedCount
from gateway.core.ports import Journal
from trust.identity import PartyId

_PAGE = 500


@click.group(cls=Described)
def answers() -> None:
    """Answers that are expected of what was delivered, and have not come.

    What is expected stands in [[expect]] of the configuration.
    """


@answers.command(
    "list",
    epilog="""\b
Examples:
  luxor answers list --config gateway.toml
  luxor answers list --destination risk --kind "Item*" --json
  luxor answers list --awaited --limit 1000

\b
With --json, one object on each line.""",
)
@config_option()
@click.option("--destination", help="Only of deliveries there.")
@click.option("--party", help="Only those that this party is to give.")
@click.option("--kind", help="Only of delivered messages of this kind; a glob.")
@click.option("--awaited", is_flag=True, help="Also those whose time is not over.")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=100, show_default=True)
@click.option("--after", help="Go on behind the cursor that an earlier list ended with.")
@json_option()
def list_(
    file: Path,
    destination: str | None,
    party: str | None,
    kind: str | None,
    awaited: bool,  # noqa: FBT001 - a click option
    limit: int,
    after: str | None,
    as_json: bool,  # noqa: FBT001 - a click option
) -> None:
    """List overdue answers, the longest overdue first."""
    asked = Asked(
        destination=destination,
        party=None if party is None else PartyId(party),
        kind=kind,
        overdue=not awaited,
    )
    now = datetime.now(UTC)

    async def look(journal: Journal) -> tuple[list[Awaited], str | None]:
        return await _answers(journal, asked, now, after, limit)

    try:
        found, rest = with_journal(configured(file), look)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if as_json:
        for one in found:
            click.echo(msgspec.json.encode(one).decode())
    elif not found:
        click.echo("no answer is awaited" if awaited else "no answer is overdue")
    else:
        print_table(_table(found, now))
        click.echo("Look at one with: luxor deliveries show MESSAGE --config FILE", err=True)
    if rest is not None:
        click.echo(f"there is more: --after {rest}", err=True)


async def _answers(
    journal: Journal, asked: Asked, now: datetime, after: str | None, limit: int
) -> tuple[list[Awaited], str | None]:
    """Up to so many, and the cursor behind them when there is more."""
    found: list[Awaited] = []
    while len(found) < limit:
        page = await journal.awaiting.page(
            asked, now=now, after=after, limit=min(_PAGE, limit - len(found))
        )
        found += page.answers
        after = page.next
        if after is None:
            break
    return found, after


def _table(found: Iterable[Awaited], now: datetime) -> Table:
    table = Table(
        Column("message", no_wrap=True),
        Column("destination", overflow="fold"),
        "kind",
        "expected",
        "delivered",
        "overdue for",
        "told",
    )
    for one in found:
        late = now - one.due
        table.add_row(
            one.message_id,
            one.destination,
            one.kind,
            ", ".join(one.answers),
            f"{one.delivered_at:%Y-%m-%d %H:%M:%S}",
            str(timedelta(seconds=int(late.total_seconds()))) if late >= timedelta(0) else "",
            "" if one.escalated_at is None else f"{one.escalated_at:%Y-%m-%d %H:%M:%S}",
        )
    return table


@answers.command(
    epilog="""\b
Examples:
  luxor answers count --config gateway.toml
  luxor answers count --json"""
)
@config_option()
@json_option()
def count(file: Path, as_json: bool) -> None:  # noqa: FBT001 - a click option
    """Count answers that have not come, by destination and kind of message.

    Of each, 100,000 are counted at most.
    """

    async def look(journal: Journal) -> tuple[AwaitedCount, ...]:
        return await journal.awaiting.counts(now=datetime.now(UTC))

    counts = with_journal(configured(file), look)
    if as_json:
        click.echo(msgspec.json.encode(counts).decode())
        return
    if not counts:
        click.echo("no answer is awaited")
        return
    table = Table(
        "destination",
        "kind",
        Column("awaited", justify="right"),
        Column("overdue", justify="right"),
    )
    for one in counts:
        table.add_row(one.destination, one.kind, _number(one.awaited), _number(one.overdue))
    print_table(table)


def _number(count: int) -> str:
    return f"{count}{' and more' if count == COUNTED else ''}"
