"""The generated parts of docs/performance.md: `python -m bench.page` draws them from the last run.

Everything between ``<!-- bench:NAME -->`` and ``<!-- bench:end -->`` is made here; the rest of the
page is written by hand. The same run makes the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench.plots import Plot, write_plots
from bench.results import FOLDER, SOAK, Goal, Measured, Run, read_measured, read_run, write_run
from bench.shortfalls import explained
from bench.table import bar, number, percent

PAGE: Final = Path(__file__).parents[1] / "docs/performance.md"
SOAK_PLOTS: Final = "soak-"


def goals_table(goals: Sequence[Goal]) -> str:
    """Every goal in a row, and why the short ones are."""
    lines = [
        "| goal | baseline → figure | ratio | bar | |",
        "|---|---|---|---|---|",
        *(_row(goal) for goal in goals),
    ]
    noted = [f"- **{goal.goal}**: {goal.what}" + _noted(goal) for goal in goals]
    passed = sum(goal.passed for goal in goals)
    told = f"{passed} of {len(goals)} figures reach their bars."
    return "\n".join([told, "", *lines, "", "What is compared:", "", *noted, ""])


def _row(goal: Goal) -> str:
    verdict = "pass" if goal.passed else f"**short**{': ' + goal.note if goal.note else ''}"
    cells = (
        goal.goal,
        f"{number(goal.baseline)} → {number(goal.figure)} {goal.unit}",
        percent(goal.ratio, goal.bar),
        bar(goal.bar),
        verdict,
    )
    return f"| {' | '.join(_cell(cell) for cell in cells)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _noted(goal: Goal) -> str:
    return f" ({goal.note})" if goal.note and goal.passed else ""


def plots_of(drawn: Sequence[Plot]) -> str:
    """The plots, one below the other."""
    return "\n".join(f"![{plot.title}](performance/{plot.id}.svg)\n" for plot in drawn)


def machine_of(run: Run) -> str:
    """What it ran on and when."""
    facts = "; ".join(f"{name} {value}" for name, value in run.machine.items())
    seconds = sum(module.seconds for module in run.modules)
    lines = [f"{facts}. {seconds / 60:.1f} minutes in all.", ""]
    lines += [
        "| module | commit | ended | seconds | of CPU | size | |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [_module(module) for module in run.modules]
    if run.unanswered:
        numbers = ", ".join(map(str, run.unanswered))
        lines += ["", f"No figure in this run for the goals {numbers}."]
    return "\n".join([*lines, ""])


def _module(module: Measured) -> str:
    cells = (
        f"`{module.module}`",
        module.commit,
        module.at,
        f"{module.seconds:.0f}",
        f"{module.cpu:.0f}",
        module.size,
        _cell(module.error),
    )
    return f"| {' | '.join(cells)} |"


def soak_of(soak: Measured, drawn: Sequence[Plot]) -> str:
    """What the long run at a steady rate found."""
    told = f"Commit {soak.commit}, {soak.at}, {soak.seconds / 60:.0f} minutes."
    return "\n".join(
        [told, "", *([goals_table(explained(soak.goals))] if soak.goals else []), plots_of(drawn)]
    )


def with_part(page: str, name: str, content: str) -> str:
    """The page with what stands between ``<!-- bench:NAME -->`` and ``<!-- bench:end -->`` anew.

    Raises:
        ValueError: when the page has not one such part.
    """
    pattern = rf"(<!-- bench:{re.escape(name)} -->\n).*?(<!-- bench:end -->)"
    made, count = re.subn(
        pattern, lambda found: found[1] + content + found[2], page, flags=re.DOTALL
    )
    if count != 1:
        raise ValueError(f"{count} parts bench:{name} in the page, not one")
    return made


def write_page(page: Path, run: Run, soak: Measured | None = None) -> None:
    """Write the plots beside the page, and its generated parts."""
    series = (*run.series, *(soak.series if soak is not None else ()))
    drawn = write_plots(page.with_suffix(""), series)
    text = page.read_text()
    text = with_part(text, "goals", goals_table(explained(run.goals)))
    text = with_part(text, "machine", machine_of(run))
    of_run = [plot for plot in drawn if not plot.id.startswith(SOAK_PLOTS)]
    text = with_part(text, "plots", plots_of(of_run))
    if soak is not None:
        of_soak = [plot for plot in drawn if plot.id.startswith(SOAK_PLOTS)]
        text = with_part(text, "soak", soak_of(soak, of_soak))
    page.write_text(text)


def main() -> None:
    """Make the page of the last run."""
    run = read_run(FOLDER)
    if run is None:
        raise SystemExit("nothing was measured yet: `make bench`")
    write_run(FOLDER, run, explained(run.goals))
    write_page(PAGE, run, read_measured(FOLDER / SOAK))


if __name__ == "__main__":
    main()
