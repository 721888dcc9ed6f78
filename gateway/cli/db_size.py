"""``luxor db size``: how large the journal is, how it grows, what retention will free."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.table import Column, Table

from gateway.cli.journals import configured, with_journal
from gateway.cli.options import config_option, json_option
from gateway.core.ports import Journal
from gateway.core.retention import Forecast, Size, forecast

_UNITS = ("B", "KB", "MB", "GB", "TB")


@click.command(
    "size",
    epilog="""\b
Examples:
  luxor db size --config gateway.toml
  luxor db size --config gateway.toml --json""",
)
@config_option()
@json_option("Print JSON; sizes in bytes.")
def size_(file: Path, as_json: bool) -> None:  # noqa: FBT001 - a click option
    """Show tables, bytes a message, growth, a forecast, and what retention will free.

    Of a SQLite journal it reads the whole file.
    """
    config = configured(file)
    now = datetime.now(UTC)

    async def look(journal: Journal) -> Size:
        return await journal.retention.size(now=now, rules=config.retention.rules, tables=True)

    size = with_journal(config, look).within(config.retention.capacity)
    told = forecast(size, now=now)
    if as_json:
        each = None if not size.messages else round(size.used / size.messages)
        document = {"size": size, "forecast": told, "bytes_per_message": each}
        click.echo(msgspec.json.encode(document).decode())
        return
    console = Console(highlight=False)
    console.print(_tables(size))
    for name, text in _lines(size, told, now):
        click.echo(f"{name:<22} {text}")


def _tables(size: Size) -> Table:
    table = Table("table", Column("rows", justify="right"), Column("size", justify="right"))
    for one in size.tables:
        if one.rows:
            table.add_row(one.name, f"{one.rows:,}", in_units(one.bytes))
    return table


def _lines(size: Size, told: Forecast | None, now: datetime) -> list[tuple[str, str]]:
    lines = [
        ("in use", in_units(size.used)),
        ("free, used again first", in_units(size.free)),
        ("write-ahead log", in_units(size.log)),
    ]
    if size.room is not None:
        lines.append(("may grow by", in_units(size.room)))
    if size.messages:
        lines.append(
            ("messages", f"{size.messages:,}, {size.used / size.messages:,.0f} bytes each")
        )
    if size.oldest is not None:
        lines.append(("oldest content", f"{size.oldest:%Y-%m-%d}, {(now - size.oldest).days} days"))
    lines.append(("growth", _growth(told)))
    over = [due for due in size.due if due.messages]
    lines += [
        ("retention will free", f"{in_units(d.bytes)} of {d.messages:,} {d.rule}") for d in over
    ]
    return lines if over else [*lines, ("retention will free", "nothing now")]


def _growth(told: Forecast | None) -> str:
    if told is None:
        return "not known yet: measured at each run of retention, for an hour at least"
    text = f"{in_units(abs(told.per_day))} a day"
    if told.per_day <= 0:
        return f"shrinking by {text}" if told.per_day else "none"
    return text if told.days_left is None else f"{text}, full in {told.days_left:,.0f} days"


def in_units(count: float) -> str:
    """A number of bytes for people, in powers of 1,000."""
    power = 0
    while count >= 1_000 and power < len(_UNITS) - 1:
        count, power = count / 1_000, power + 1
    return f"{count:,.0f} {_UNITS[power]}" if power == 0 else f"{count:,.1f} {_UNITS[power]}"
