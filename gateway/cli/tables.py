"""Tables that can be read: on a terminal of any width, and in a file or pipe."""

from __future__ import annotations

from rich.console import Console
from rich.measure import Measurement
from rich.table import Column, Table
from rich.text import Text

_LAST = 24
"""What the last column, which says why, is left with at least, in letters of the terminal."""
_WIDEST = 100_000
"""Wider than any table: how wide one is by itself."""
_FILE_WIDTH = 160


def wide_console(*, stderr: bool = False) -> Console:
    """As wide as the terminal; into a file or pipe wide enough for most paths and lines."""
    console = Console(stderr=stderr, highlight=False)
    if console.is_terminal:
        return console
    return Console(stderr=stderr, highlight=False, width=_FILE_WIDTH)


def print_table(table: Table, *, console: Console | None = None) -> None:
    """Print a table; in a file or pipe each row is one line, for other programs.

    A terminal too narrow for the rows gets each as a paragraph, one value a line, without those
    that are empty. Only the last column of a table is folded.
    """
    console = console or Console()
    if not console.is_terminal:
        _lines(table, console)
        return
    for column in table.columns[:-1]:
        column.no_wrap = True
    spare = max(0, _width(table.columns[-1]) - _LAST)
    options = console.options.update(max_width=_WIDEST)
    if Measurement.get(console, options, table).maximum - spare <= console.width:
        console.print(table)
    else:
        _paragraphs(table, console)


def _lines(table: Table, console: Console) -> None:
    """Columns in line, two spaces between them, without a frame; quick with many rows."""
    widths = [_width(column) for column in table.columns]
    heads = [_plain(column.header) for column in table.columns]
    for row in (heads, *zip(*(map(_plain, column.cells) for column in table.columns), strict=True)):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        console.file.write("  ".join(cells).rstrip() + "\n")


def _width(column: Column) -> int:
    return max(len(_plain(cell)) for cell in (column.header, *column.cells))


def _plain(cell: object) -> str:
    if isinstance(cell, Text):
        return cell.plain
    text = str(cell)
    return Text.from_markup(text).plain if "[" in text else text


def _paragraphs(table: Table, console: Console) -> None:
    for row in zip(*(column.cells for column in table.columns), strict=True):
        _, *values = row
        grid = Table.grid(padding=(0, 2))
        for column, value in zip(table.columns[1:], values, strict=True):
            if str(value):
                grid.add_row("", column.header, value)
        console.print(row[0])
        console.print(grid)
