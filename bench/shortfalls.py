"""Why goals fall short, as far as it is written down: `bench/shortfalls.toml`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from bench.results import Goal

FILE: Final = Path(__file__).with_suffix(".toml")


class Shortfall(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A reason for goals that begin so."""

    goal: str
    reason: str


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    short: tuple[Shortfall, ...] = ()


def read(path: Path = FILE) -> tuple[Shortfall, ...]:
    """What is written down.

    Raises:
        msgspec.DecodeError: when the file is something else.
    """
    return msgspec.toml.decode(path.read_bytes(), type=_File).short


def explained(
    goals: Iterable[Goal], known: tuple[Shortfall, ...] | None = None
) -> tuple[Goal, ...]:
    """The goals; a short one says why, after what it notes itself."""
    shortfalls = read() if known is None else known
    return tuple(goal if goal.passed else _explained(goal, shortfalls) for goal in goals)


def _explained(goal: Goal, known: tuple[Shortfall, ...]) -> Goal:
    for one in known:
        if goal.goal.startswith(one.goal):
            note = f"{goal.note}; {one.reason}" if goal.note else one.reason
            return msgspec.structs.replace(goal, note=note)
    return goal
