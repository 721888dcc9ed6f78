"""``luxor report``: what of a message was not simply carried, on its way in and on each way out."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from gateway.cli.access import access, why, with_access
from gateway.cli.journals import reading
from gateway.cli.options import DEFAULT_CONFIG
from gateway.cli.reported import Reported, Reporter, Told
from gateway.cli.story import in_words
from gateway.cli.tables import wide_console
from gateway.client import CredentialsError, PartyClient, ProblemError
from gateway.core.errors import Unavailable
from gateway.core.records import Result
from gateway.core.reports import RECEIVED, Counts, Fate, Line
from trust.errors import TrustError

NOTHING = 1
NOT_READ = 3
_WORDS = {Fate.DROPPED: "not carried"}
_LOST = frozenset({Fate.DROPPED, Fate.DEFAULTED, Fate.CONTRADICTS})


@click.command(
    epilog="""\b
Examples:
  luxor report EE471108151FR --config gateway.toml
  luxor report EE471108151FR --config gateway.toml --not-carried
  luxor report items-4f2a90bb21c0 --to https://localhost:8443 --as post-a --json

\b
Exit status: 0 something is known, 1 nothing is, 2 wrong usage, 3 it could not be asked now."""
)
@click.argument("value", metavar="ID")
@click.option(
    "--config",
    "configs",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    help="An operator's gateway, read from its journal (gateway.toml here, if it is there);"
    " may be given several times.",
)
@with_access
@click.option(
    "--not-carried",
    is_flag=True,
    help="Only what was lost, filled in or contradicts: no codes that were mapped, nothing that"
    " an agreement withheld.",
)
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True)
@click.option("--json", "json_output", is_flag=True, help="Print JSON.")
def report(
    value: str,
    configs: tuple[Path, ...],
    not_carried: bool,  # noqa: FBT001 - a click option
    limit: int,
    json_output: bool,  # noqa: FBT001 - a click option
    **options: Any,
) -> None:
    """Print what of ID was not simply carried, with paths and reasons.

    With --config (an operator), ID is a message, item (S10), order or interchange: what reading
    it left out, and for each delivery what an agreement withheld and what the receiver's format
    dropped, defaulted or mapped. With --to and --as (its sender), ID is an interchange.
    """
    if configs and options["url"] is not None:
        raise click.UsageError("either --config (an operator) or --to (a party), not both")
    if not configs and options["url"] is None:
        if not DEFAULT_CONFIG.is_file():
            raise click.UsageError("--config FILE is needed, or --to URL with --as PARTY")
        configs = (DEFAULT_CONFIG,)
    found = _found(value, configs, limit, options)
    if not_carried:
        found = tuple(_lost(one) for one in found)
    if json_output:
        click.echo(msgspec.json.encode({"value": value, "messages": found}).decode())
    elif found:
        for one in found:
            _print(one, wide_console())
    elif configs:
        click.echo(f"Nothing is known about {value}.", err=True)
    else:
        click.echo(f"Everything of {value} was carried.")
    if configs and not found:
        sys.exit(NOTHING)


def _found(
    value: str, configs: tuple[Path, ...], limit: int, options: dict[str, Any]
) -> tuple[Reported, ...]:
    try:
        if not configs:
            return asyncio.run(_asked(value, limit, options))
        found: list[Reported] = []
        for file in dict.fromkeys(configs):
            with reading(file) as (config, reader):
                found.extend(Reporter(config, reader).find(value, limit=limit))
        return tuple(found)
    except CredentialsError as error:
        raise click.UsageError(str(error)) from error
    except ProblemError as error:
        click.echo(why(error), err=True)
    except (Unavailable, TrustError) as error:
        click.echo(why(error), err=True)
    sys.exit(NOT_READ)


async def _asked(value: str, limit: int, options: dict[str, Any]) -> tuple[Reported, ...]:
    """What a gateway tells the sender of an interchange."""
    async with access(**options).client() as client:
        if not isinstance(client, PartyClient):
            raise click.UsageError("a sender's reports are read over HTTPS: --to https://HOST:PORT")
        status = (await client.status(value)).answer
        told = (await client.report(value))[:limit]
        outcomes = {outcome.ordinal: outcome for outcome in await client.outcomes(value)}
    return tuple(
        Reported(
            status=outcomes[one.ordinal].status,
            interchange_id=value,
            ordinal=one.ordinal,
            message_id=outcomes[one.ordinal].message_id or "",
            kind=one.kind,
            key=outcomes[one.ordinal].key or "",
            reading=Told(
                format=status.claims.format,
                counts=_counted(one.notes, one.more),
                notes=one.notes,
                more=one.more,
            ),
        )
        for one in told
        if one.ordinal in outcomes
    )


def _counted(notes: Iterable[Line], more: int) -> Counts:
    found = [line.kind for line in notes]
    return Counts(
        not_carried=found.count(Fate.DROPPED) + more,
        defaulted=found.count(Fate.DEFAULTED),
        mapped=found.count(Fate.MAPPED),
        contradicting=found.count(Fate.CONTRADICTS),
    )


def _lost(one: Reported) -> Reported:
    """Without mapped codes and what was withheld."""
    deliveries = tuple(
        each
        if each.translation is None
        else msgspec.structs.replace(each, translation=_lost_of(each.translation))
        for each in one.deliveries
    )
    return msgspec.structs.replace(one, reading=_lost_of(one.reading), deliveries=deliveries)


def _lost_of(told: Told) -> Told:
    notes = tuple(line for line in told.notes if line.kind in _LOST)
    counts = msgspec.structs.replace(told.counts, withheld=0, mapped=0)
    return msgspec.structs.replace(told, notes=notes, counts=counts)


def _print(one: Reported, console: Console) -> None:
    who = " ".join(filter(None, (one.party, one.kind, one.key)))
    where = f"message {one.ordinal} of {one.interchange_id}"
    console.print(Text(f"{who}  {where}, {one.status}".strip(), style="bold"))
    if one.message_id:
        console.print(Text(f"  id {one.message_id}", style="dim"))
    _translation(RECEIVED, one.reading, console)
    for each in one.deliveries:
        title = f"→ {each.destination}, attempt {each.n} {each.result}"
        if each.translation is None:
            # What was delivered was encoded, by a version from before there were reports.
            delivered = each.result == Result.DELIVERED
            why = "no report was kept" if delivered else "nothing was encoded"
            console.print(Text(f"  {title}: {why}"))
        else:
            _translation(title, each.translation, console)


def _translation(title: str, told: Told, console: Console) -> None:
    text = Text(f"  {title} in {told.format or 'a format that is not known any more'}: ")
    text.append(_summary(told.counts) or "everything was carried")
    console.print(text)
    if not told.notes:
        return
    table = Table(
        Column(no_wrap=True),
        Column(overflow="fold"),
        Column(overflow="fold"),
        box=None,
        show_header=False,
        padding=(0, 2, 0, 4),
    )
    for line in told.notes:
        place = line.path or line.source_path
        if line.path and line.source_path:
            place = f"{line.path} ({line.source_path})"
        table.add_row(_WORDS.get(line.kind, line.kind), Text(place), Text(line.detail))
    console.print(table)
    if told.more:
        console.print(f"    and {told.more} more that were not kept")


def _summary(counts: Counts) -> str:
    others = ((counts.mapped, "mapped"), (counts.withheld, "withheld by agreement"))
    told = [in_words(counts), *(f"{count} {word}" for count, word in others if count)]
    return ", ".join(filter(None, told))
