"""What a measuring module tells: goals with their bars, and series for the plots.

A measuring module has ``measure(*, quick)``, which yields these while it prints what it likes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import msgspec


class Goal(msgspec.Struct, frozen=True, kw_only=True, rename={"passed": "pass"}):
    """One figure beside the bare baseline of the same run, and the bar that it must reach.

    ``ratio`` is what the bar speaks of: usually one divided by the other, as ``what`` says.
    """

    goal: str
    """Starts with the number of the goal, or with a word where the goals have no number for it."""
    baseline: float
    figure: float
    ratio: float
    bar: str
    """As text: ``>= 0.15``."""
    passed: bool
    unit: str
    """Of the baseline and the figure."""
    what: str
    """One line: what the baseline is, and what the figure."""
    note: str = ""
    """Where the time goes when it falls short; the size or store when it matters."""


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """Points of one line of a plot; ``plot`` is a name of `bench.plots`."""

    plot: str
    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    """As many as ``x``."""
    labels: tuple[str, ...] = ()
    """Of the points, where they stand for names and not for numbers; as many as ``x``."""


Told = Goal | Series


class Measure(Protocol):
    """What a measuring module offers."""

    def __call__(self, *, quick: bool) -> Iterator[Told]:
        """Measure; ``quick`` takes smaller sizes and fewer rounds."""


def goal_of(
    goal: str,
    *,
    baseline: float,
    figure: float,
    ratio: float,
    unit: str,
    what: str,
    at_least: float | None = None,
    at_most: float | None = None,
    note: str = "",
) -> Goal:
    """A goal whose ratio must be at least, or at most, so large; exactly one of both is given."""
    if (at_least is None) == (at_most is None):
        raise ValueError("a goal has one bar: at_least or at_most")
    if at_least is not None:
        bar, passed = f">= {at_least:g}", ratio >= at_least
    else:
        assert at_most is not None
        bar, passed = f"<= {at_most:g}", ratio <= at_most
    return Goal(
        goal=goal,
        baseline=baseline,
        figure=figure,
        ratio=ratio,
        bar=bar,
        passed=passed,
        unit=unit,
        what=what,
        note=note,
    )


def write_goals(path: Path, goals: Sequence[Goal]) -> None:
    """Write a list of objects, in order."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(goals), indent=2) + b"\n")


def read_goals(path: Path) -> tuple[Goal, ...]:
    """What `write_goals` wrote.

    Raises:
        msgspec.DecodeError: when it is something else.
    """
    return msgspec.json.decode(path.read_bytes(), type=tuple[Goal, ...])
