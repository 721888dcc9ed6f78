"""``luxor hold``: what must not be removed when its time is over."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec
from rich.table import Table
from rich.text import Text

from gateway.cli.groups import Described
from gateway.cli.instants import INSTANT
from gateway.cli.journals import configured, with_journal
from gateway.cli.options import config_option, json_option
from gateway.cli.tables import print_table
from gateway.core.identifiers import RecordNumber, resolve
from gateway.core.ports import Journal
from gateway.core.retention import Hold

NOTHING = 1


@click.group(cls=Described)
def hold() -> None:
    """Legal holds: what is held stays as it is, with the bytes that were received.

    A hold on an item, order or other reference covers every message about it, also later ones.
    """


@hold.command(
    epilog="""\b
Examples:
  luxor hold add RR123456785NL --reason "case 17" --config gateway.toml
  luxor hold add my-interchange --reason "audit" --until 2027-06-30T00:00:00Z
  luxor hold add 00000000-001c-8d5a-8000-064000000001 --reason "case 18" --json

\b
Exit status: 0 held, 1 nothing of that name is in the journal, 2 wrong usage."""
)
@click.argument("what", metavar="ITEM|ORDER|MESSAGE|INTERCHANGE")
@click.option("--reason", required=True, help="Why; a case number rather than a name.")
@click.option("--until", type=INSTANT, help="When it ends by itself (with an offset).")
@click.option("--by", help="Who holds it.  [default: the user of this machine]")
@click.option("--unseen", is_flag=True, help="Hold a reference that no message has named yet.")
@config_option()
@json_option()
def add(
    what: str,
    *,
    reason: str,
    until: datetime | None,
    by: str | None,
    unseen: bool,
    file: Path,
    as_json: bool,
) -> None:
    """Hold WHAT until it is released, or until a time."""
    config = configured(file)
    now = datetime.now(UTC)
    if until is not None and until <= now:
        raise click.UsageError("--until: that time is over")
    holder = by or getpass.getuser()

    async def place(journal: Journal) -> list[Hold]:
        async def held(
            value: str | None = None,
            record: RecordNumber | None = None,
            ordinal: int | None = None,
        ) -> Hold:
            return await journal.holds.add(
                reason=reason,
                by=holder,
                now=now,
                until=until,
                value=value,
                record=record,
                ordinal=ordinal,
            )

        resolved = resolve(what)
        if resolved is not None and resolved[0] == config.gateway.number:
            found = await journal.message(resolved[1], resolved[2])
            return [] if found is None else [await held(None, resolved[1], resolved[2])]
        entries = await journal.trace(what)
        records = {e.message.record for e in entries if e.message.interchange_id == what}
        records |= {refused.record for refused in await journal.refusals(what)}
        placed = [await held(None, record) for record in sorted(records)]
        if unseen or any(subject.value == what for e in entries for subject in e.subjects):
            placed.append(await held(what))
        return placed

    placed = with_journal(config, place)
    if as_json:
        click.echo(msgspec.json.encode(placed).decode())
    elif placed:
        numbers = ", ".join(str(one.no) for one in placed)
        ends = ", ".join(f"luxor hold release {one.no}" for one in placed)
        click.echo(f"held under number {numbers}; end it with: {ends}")
    else:
        click.echo(
            f"Nothing is known about {what}; --unseen holds what is still to come.", err=True
        )
    if not placed:
        sys.exit(NOTHING)


@hold.command(
    "list",
    epilog="""\b
Examples:
  luxor hold list --config gateway.toml
  luxor hold list --config gateway.toml --json""",
)
@config_option()
@json_option()
def list_(file: Path, as_json: bool) -> None:  # noqa: FBT001 - a click option
    """List the holds that were not released; one whose time is over holds nothing any more."""

    async def look(journal: Journal) -> Sequence[Hold]:
        return await journal.holds.all()

    holds = with_journal(configured(file), look)
    if as_json:
        click.echo(msgspec.json.encode(holds).decode())
        return
    if not holds:
        click.echo("nothing is held")
        return
    now = datetime.now(UTC)
    table = Table("no", "what", "since", "until", "by", "reason")
    for one in holds:
        until = "released" if one.until is None else f"{one.until:%Y-%m-%d %H:%M}"
        over = "" if one.lasts(now) else " (over)"
        table.add_row(
            str(one.no),
            Text(_what(one)),
            f"{one.since:%Y-%m-%d %H:%M}",
            f"{until}{over}",
            Text(one.by),
            Text(one.reason),
        )
    print_table(table)


def _what(one: Hold) -> str:
    if one.value is not None:
        return one.value
    message = "" if one.ordinal is None else f", message {one.ordinal}"
    return f"interchange record {one.record}{message}"


@hold.command(
    epilog="""\b
Examples:
  luxor hold release 3 --config gateway.toml

\b
Exit status: 0 released, 1 there is no hold of that number, 2 wrong usage."""
)
@click.argument("number", type=click.IntRange(1))
@config_option()
@json_option()
def release(number: int, file: Path, as_json: bool) -> None:  # noqa: FBT001 - a click option
    """End a hold; the next run of retention removes what is over by then."""

    async def end(journal: Journal) -> bool:
        return await journal.holds.release(number)

    released = with_journal(configured(file), end)
    if as_json:
        click.echo(msgspec.json.encode({"no": number, "released": released}).decode())
    elif released:
        click.echo(f"hold {number} is released")
    else:
        click.echo(f"there is no hold {number}", err=True)
    if not released:
        sys.exit(NOTHING)
