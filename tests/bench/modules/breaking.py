"""Finds something and then breaks."""

from __future__ import annotations

from collections.abc import Iterator

from bench.results import Goal, goal_of


def measure(*, quick: bool) -> Iterator[Goal]:
    """A goal of the size that is asked for, and a failure."""
    figure = 1.0 if quick else 2.0
    print("measuring")
    yield goal_of(
        "1 first", baseline=1, figure=figure, ratio=figure, at_least=2, unit="µs", what="one; a few"
    )
    raise RuntimeError("this one breaks")


def measure_full() -> Iterator[Goal]:
    """Larger."""
    yield goal_of("1 first", baseline=1, figure=9, ratio=9, at_least=2, unit="µs", what="one; many")
