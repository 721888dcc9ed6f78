"""``luxor quality``: how good the data of each party is, as it was counted when it was judged."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.table import Column, Table

from gateway.cli.access import access, why, with_access
from gateway.cli.journals import reading
from gateway.cli.options import DEFAULT_CONFIG, json_option
from gateway.cli.tables import wide_console
from gateway.client import CredentialsError, PartyClient, ProblemError
from gateway.core.errors import Refused, Unavailable
from gateway.core.quality import FoundCount, JudgedCount, QualityReport, period
from trust.errors import TrustError
from trust.identity import PartyId

NOT_READ = 3
_DAY = click.DateTime(["%Y-%m-%d"])


@click.command(
    epilog="""\b
Examples:
  luxor quality
  luxor quality --config gateway.toml --party post-a --since 2026-11-01 --daily --json
  luxor quality --to https://localhost:8443 --as post-a

\b
Exit status: 0 it was read, 2 wrong usage, 3 it could not be asked now."""
)
@click.option(
    "--config",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="An operator's gateway, read from its journal: every party (gateway.toml here, if it is"
    " there).",
)
@click.option("--party", "only", metavar="PARTY", help="Only this party (with --config).")
@with_access
@click.option(
    "--since", type=_DAY, metavar="DAY", help="First day (UTC); without it 30 days up to the last."
)
@click.option("--until", type=_DAY, metavar="DAY", help="Last day; without it today.")
@click.option("--daily", is_flag=True, help="Each day apart instead of the sum.")
@json_option()
def quality(
    file: Path | None,
    only: str | None,
    since: datetime | None,
    until: datetime | None,
    daily: bool,  # noqa: FBT001 - a click option
    as_json: bool,  # noqa: FBT001 - a click option
    **options: Any,
) -> None:
    """Count what was found in the messages of each party, by kind and fault code.

    With --config it is what the operator knows of all parties; with --to and --as what a party may
    know of itself. A share is that of the judged messages of the kind; refused ones count each
    time that they come.
    """
    if file is None and options["url"] is None and DEFAULT_CONFIG.is_file():
        file = DEFAULT_CONFIG
    if (file is None) == (options["url"] is None):
        raise click.UsageError("either --config FILE (an operator) or --to URL with --as PARTY")
    if only is not None and file is None:
        raise click.UsageError("--party goes with --config; a party is told of itself alone")
    days = (None if since is None else since.date(), None if until is None else until.date())
    try:
        report = (
            asyncio.run(_asked(days, daily=daily, options=options))
            if file is None
            else _read(file, only, days, daily=daily)
        )
    except (CredentialsError, Refused) as error:
        raise click.UsageError(str(error)) from error
    except ProblemError as error:
        click.echo(why(error), err=True)
        sys.exit(NOT_READ)
    except (Unavailable, TrustError) as error:
        click.echo(why(error), err=True)
        sys.exit(NOT_READ)
    if as_json:
        click.echo(msgspec.json.encode(report).decode())
    else:
        _print(report, wide_console())


async def _asked(
    days: tuple[date | None, date | None], *, daily: bool, options: dict[str, Any]
) -> QualityReport:
    async with access(**options).client() as client:
        if not isinstance(client, PartyClient):
            raise click.UsageError("counts are asked for over HTTPS: --to https://HOST:PORT")
        return await client.quality(since=days[0], until=days[1], daily=daily)


def _read(
    file: Path, only: str | None, days: tuple[date | None, date | None], *, daily: bool
) -> QualityReport:
    first, last = period(*days, today=datetime.now(UTC).date())
    party = None if only is None else PartyId(only)
    with reading(file) as (_, reader):
        counted = reader.quality(party=party, since=first, until=last, daily=daily)
    return QualityReport(since=first, until=last, judged=counted.judged, found=counted.found)


def _print(report: QualityReport, console: Console) -> None:
    if not report.judged:
        console.print(f"nothing was judged from {report.since} to {report.until}")
        return
    dated = any(row.day is not None for row in report.judged)
    table = Table(
        Column("party", no_wrap=True),
        *([Column("day", no_wrap=True)] if dated else []),
        Column("kind", overflow="fold"),
        Column("found", no_wrap=True),  # what is looked up is never cut
        Column("messages", justify="right"),
        Column("share", justify="right"),
        Column("findings", justify="right"),
        title=f"Data quality, {report.since} to {report.until}",
    )
    for judged in report.judged:
        first = [judged.party, *([str(judged.day)] if dated else []), judged.kind or "unknown"]
        table.add_row(*first, "[bold]judged", f"[bold]{judged.messages}", "", "")
        if judged.refused:
            table.add_row(
                *_blank(first), "refused", str(judged.refused), share_of(judged.refused, judged), ""
            )
        for row in _of(report.found, judged):
            share = share_of(row.messages, judged)
            table.add_row(*_blank(first), row.code, str(row.messages), share, str(row.findings))
    console.print(table)
    console.print("What a code means: luxor codes CODE")


def _of(found: Iterable[FoundCount], judged: JudgedCount) -> list[FoundCount]:
    """The findings of one row of judged messages, the most frequent first."""
    place = (judged.party, judged.day, judged.kind)
    mine = [row for row in found if (row.party, row.day, row.kind) == place]
    return sorted(mine, key=lambda row: (-row.messages, row.code))


def _blank(cells: list[str]) -> list[str]:
    return [""] * len(cells)


def share_of(some: int, judged: JudgedCount) -> str:
    """Rounded, but nothing to none of them and nothing to all."""
    share = 100 * some / judged.messages
    if 0 < share < 0.1:
        return "< 0.1 %"
    if 99.9 < share < 100:
        return "> 99.9 %"
    return f"{share:.1f} %"
