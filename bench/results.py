"""What a measuring module tells: goals with their bars, and series for the plots.

A measuring module is a file of this folder with ``measure(*, quick)``, which yields these while it
prints what it likes. ``bench/results/latest.json`` has the goals as a list of objects,
``run.json`` beside it all that a run found, module by module.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

import msgspec

FOLDER: Final = Path(__file__).parent / "results"
LATEST: Final = "latest.json"
RUN: Final = "run.json"
SOAK: Final = "soak.json"
"""A `Measured` of its own: it takes longer than all of a run."""
NUMBERS: Final = range(1, 12)
"""Of the goals that a whole run answers."""


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

    @property
    def number(self) -> int | None:
        """The number of the goal, if it has one."""
        first = self.goal.split(maxsplit=1)[0]
        return int(first) if first.isdecimal() else None


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """Points of one line of a plot; ``plot`` is an ``id`` of :data:`bench.plots.PLOTS`."""

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


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One of both, as a measuring process hands it over: what it told before it failed counts."""

    goal: Goal | None = None
    series: Series | None = None


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What one module found."""

    module: str
    commit: str
    at: str
    """When it ended, RFC 3339."""
    seconds: float
    """Of wall time."""
    cpu: float = 0.0
    """Seconds of CPU, with the programs that it started and waited for."""
    size: str
    """``quick``, ``usual`` or ``full``."""
    goals: tuple[Goal, ...] = ()
    series: tuple[Series, ...] = ()
    error: str = ""
    """Why it ended early, if it did."""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """Modules and the machine that they ran on last."""

    machine: Mapping[str, str]
    modules: tuple[Measured, ...]

    @property
    def goals(self) -> tuple[Goal, ...]:
        """All goals: those with numbers in their order, then the others."""
        found = [goal for module in self.modules for goal in module.goals]
        return tuple(sorted(found, key=lambda goal: (goal.number or len(NUMBERS) + 1, goal.goal)))

    @property
    def series(self) -> tuple[Series, ...]:
        """All series, in the order of the modules."""
        return tuple(series for module in self.modules for series in module.series)

    @property
    def unanswered(self) -> tuple[int, ...]:
        """The numbers of goals about which nothing was found."""
        answered = {goal.number for goal in self.goals}
        return tuple(number for number in NUMBERS if number not in answered)


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


def joined(earlier: Run | None, later: Run) -> Run:
    """The later run, with what the earlier one found by modules that did not run again."""
    if earlier is None:
        return later
    again = {module.module for module in later.modules}
    kept = [module for module in earlier.modules if module.module not in again]
    modules = sorted([*kept, *later.modules], key=lambda module: module.module)
    return Run(machine=later.machine, modules=tuple(modules))


def write_run(folder: Path, run: Run, goals: Sequence[Goal]) -> None:
    """Write ``run.json``, and ``latest.json`` with its goals as they are told."""
    write_json(folder / RUN, run)
    write_json(folder / LATEST, goals)


def read_run(folder: Path) -> Run | None:
    """What was written last, if anything was.

    Raises:
        msgspec.DecodeError: when the file is something else.
    """
    path = folder / RUN
    return msgspec.json.decode(path.read_bytes(), type=Run) if path.exists() else None


def write_measured(path: Path, measured: Measured) -> None:
    """Write what one module found, apart from the runs."""
    write_json(path, measured)


def read_measured(path: Path) -> Measured | None:
    """What `write_measured` wrote, if anything.

    Raises:
        msgspec.DecodeError: when the file is something else.
    """
    return msgspec.json.decode(path.read_bytes(), type=Measured) if path.exists() else None


def write_json(path: Path, value: object) -> None:
    """The whole file or, when this is interrupted, what was there before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.with_name(f"{path.name}.tmp")
    written.write_bytes(msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n")
    written.replace(path)
