"""``luxor clearance``: may these items go, and why, out of an operator's own journal."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec
from rich.table import Column, Table
from rich.text import Text

from gateway.cli.journals import configured, with_journal
from gateway.cli.options import config_option, json_option
from gateway.cli.tables import print_table
from gateway.core.clearance import Clearance, Verdict
from gateway.core.errors import Refused
from gateway.core.ports import Journal
from gateway.pipeline.clearing import check_items, in_full
from gateway.pipeline.weighing import weigh

NOT_ALL = 1
_COLOURS = {Verdict.YES: "green", Verdict.NO: "red", Verdict.WAIT: "yellow"}


@click.command(
    epilog="""\b
Examples:
  luxor clearance EE471108151FR --config gateway.toml
  luxor clearance EE471108151FR RR473124829GB --json

\b
Exit status: 0 all of them may go, 1 some may not or must wait, 2 wrong usage."""
)
@click.argument("items", nargs=-1, required=True, metavar="ITEM...")
@config_option()
@json_option("Print JSON, one answer a line.")
def clearance(items: tuple[str, ...], file: Path, as_json: bool) -> None:  # noqa: FBT001 - a click option
    """Tell whether items may go: yes, no, or wait until.

    The operator's own view, with the message behind each answer. Look at one with: luxor trace
    MESSAGE. Parties ask the gateway for theirs: GET /v1/items/ITEM/clearance.
    """
    config = configured(file)
    now = datetime.now(UTC)
    try:
        check_items(items, most=config.clearance.most_items)
    except Refused as error:
        raise click.UsageError(error.detail) from error

    async def look(journal: Journal) -> tuple[Clearance, ...]:
        found = await weigh(journal.histories, items, now=now, settings=config.clearance)
        return tuple(map(in_full, found))

    answers = with_journal(config, look)
    if as_json:
        for answer in answers:
            click.echo(msgspec.json.encode(answer).decode())
    else:
        print_table(table_of(answers))
    if any(answer.answer is not Verdict.YES for answer in answers):
        sys.exit(NOT_ALL)


def table_of(answers: Iterable[Clearance]) -> Table:
    """One line for each item."""
    table = Table(
        Column("item", no_wrap=True),
        "answer",
        Column("reason", overflow="fold"),
        "until, then",
        "by",
        Column("message", overflow="fold"),
    )
    for one in answers:
        until = "" if one.until is None else f"{one.until:%Y-%m-%d %H:%M:%S}"
        then = "" if one.then is None else f", {one.then}"
        table.add_row(
            Text(_shown(one.item) + (" (used more than once)" if one.ambiguous else "")),
            Text(one.answer, style=_COLOURS[one.answer]),
            Text(_shown(one.reason)),
            until + then,
            one.decided_by or "",
            "\n".join(one.messages),
        )
    return table


def _shown(text: str) -> str:
    """What others have written does nothing to a terminal."""
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text
    )
