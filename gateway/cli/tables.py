"""Tables that can be read: on a terminal of any width, and in a file or pipe."""

from __future__ import annotations

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

_LAST = 24
"""What the last column, which says why, is left with at least, in letters of the terminal."""
_WIDEST = 100_000
"""Wider than any table: what is no terminal has no end of the line."""


def print_table(table: Table, *, console: Console | None = None) -> None:
    """Print a table; in a file or pipe each row is one line, for other programs.

    A terminal too narrow for the rows gets each as a paragraph, one value a line, without those
    that are empty. Only the last column of a table is folded.
    """
    console = console or Console()
    if not console.is_terminal:
        console.width = _WIDEST
    for column in table.columns[:-1]:
        column.no_wrap = True
    whole = Measurement.get(console, console.options.update(max_width=_WIDEST), table).maximum
    if not console.is_terminal:
        console.width = whole
    last = Measurement.get(
        console, console.options.update(max_width=_WIDEST), _alone(table)
    ).maximum
    if whole - max(0, last - _LAST) <= console.width:
        console.print(table)
    else:
        _paragraphs(table, console)


def _alone(table: Table) -> Table:
    """The last column by itself."""
    alone = Table.grid()
    for cell in table.columns[-1].cells:
        alone.add_row(cell)
    return alone


def _paragraphs(table: Table, console: Console) -> None:
    for row in zip(*(column.cells for column in table.columns), strict=True):
        _, *values = row
        grid = Table.grid(padding=(0, 2))
        for column, value in zip(table.columns[1:], values, strict=True):
            if str(value):
                grid.add_row("", column.header, value)
        console.print(row[0])
        console.print(grid)
