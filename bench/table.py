"""Goals in words: figures in few digits, for the terminal and for the page."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench.results import Goal
from bench.timing import verdict


def number(value: float) -> str:
    """Three digits that count, thousands apart."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def percent(value: float, bar: str) -> str:
    """The ratio as its bar is written: below one as a percentage, else times."""
    limit = float(bar.rsplit(maxsplit=1)[-1])
    if limit <= 1:
        return f"{value:.1%}"
    return f"{value:.2f} ×"


def bar(written: str) -> str:
    """The bar for people."""
    sign, limit = written.split()
    shown = f"{float(limit):.0%}" if float(limit) <= 1 else f"{float(limit):g} ×"
    return f"{'≥' if sign == '>=' else '≤'} {shown}"


def tell(goals: Sequence[Goal], console: Console) -> None:
    """Print a table of goals."""
    table = Table(title=None, box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for heading in ("goal", "baseline", "figure", "unit", "ratio", "bar", ""):
        right = heading in {"baseline", "figure", "ratio"}
        table.add_column(heading, justify="right" if right else "left", overflow="fold")
    for goal in goals:
        table.add_row(
            Text(goal.goal),
            number(goal.baseline),
            number(goal.figure),
            Text(goal.unit),
            percent(goal.ratio, goal.bar),
            bar(goal.bar),
            Text(verdict(met=goal.passed), style="green" if goal.passed else "bold red"),
        )
    console.print(table)
