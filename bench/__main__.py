"""`python -m bench`: every measuring module one after another, and what they found."""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TextIO

import click
import msgspec
from rich.console import Console

from bench import machine, shortfalls, table
from bench.measuring import catalogue, measure
from bench.results import (
    FOLDER,
    LATEST,
    SOAK,
    Goal,
    Line,
    Measured,
    Run,
    joined,
    read_measured,
    read_run,
    write_run,
)

LONGEST: Final = {"quick": 180.0, "usual": 600.0, "full": 5_400.0}
"""Seconds after which a module is ended, by size: a hang does not stop the others."""
EXAMPLES: Final = """\b
Examples:
  python -m bench                          about ten minutes, writes docs/performance.md
  python -m bench --quick                  about two minutes; docs/performance.md stays
  python -m bench --only layouts --only million
  python -m bench --full --only million    a journal of a million messages
"""


def one(name: str, size: str, output: TextIO) -> Measured:
    """What one module finds, by its dotted name; what it found before it failed counts."""
    began, spent = time.perf_counter(), _cpu_of_children()
    with tempfile.TemporaryDirectory() as folder:
        into = Path(folder) / "found"
        error = measure(name, size, into, seconds=LONGEST[size], output=output)
        content = into.read_bytes() if into.exists() else b""
    lines = [msgspec.json.decode(line, type=Line) for line in content.splitlines()]
    goals = (sized(line.goal, size) for line in lines if line.goal is not None)
    return Measured(
        module=name,
        commit=machine.commit(),
        at=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        seconds=time.perf_counter() - began,
        cpu=_cpu_of_children() - spent,
        size=size,
        goals=tuple(goals),
        series=tuple(line.series for line in lines if line.series is not None),
        error=error,
    )


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def sized(goal: Goal, size: str) -> Goal:
    """The goal, which says so when it was measured with small sizes and few rounds."""
    if size != "quick":
        return goal
    note = f"quick run; {goal.note}" if goal.note else "quick run"
    return msgspec.structs.replace(goal, note=note)


def each(names: Sequence[str], size: str, output: TextIO) -> Iterator[Measured]:
    """Every module in turn, with a word before and after."""
    for at, name in enumerate(names, 1):
        print(f"\n[{at}/{len(names)}] {name}", file=output, flush=True)
        measured = one(name, size, output)
        failed = f", FAILED: {measured.error}" if measured.error else ""
        took = f"{measured.seconds:.0f} s, {measured.cpu:.0f} s of CPU"
        print(f"[{at}/{len(names)}] {took}{failed}", file=output, flush=True)
        yield measured


def tell(run: Run, console: Console, *, whole: bool) -> None:
    """Print the table of a run and what is missing from it."""
    goals = shortfalls.explained(run.goals)
    console.print()
    table.tell(goals, console)
    short = [goal for goal in goals if not goal.passed]
    console.print(f"\n{len(goals) - len(short)} pass, {len(short)} short")
    for goal in short:
        console.print(f"SHORT {goal.goal}: {goal.note or 'no reason is known'}", markup=False)
    if whole and run.unanswered:
        console.print(f"no figure for the goals {', '.join(map(str, run.unanswered))}")
    for module in run.modules:
        if module.error:
            console.print(f"{module.module} {module.error}", style="bold red")


def console_of(output: TextIO) -> Console:
    """Where tables go; wide enough for one that is piped."""
    return Console(file=output, highlight=False, width=None if output.isatty() else 130)


@click.command(epilog=EXAMPLES, context_settings={"max_content_width": 100})
@click.option("--quick", is_flag=True, help="Smaller sizes, fewer rounds: about two minutes.")
@click.option("--full", is_flag=True, help="Largest sizes where a module has them.")
@click.option("--only", multiple=True, metavar="NAME", help="These modules; all unless given.")
@click.option("--json", "as_json", is_flag=True, help="Print the goals as JSON, the rest aside.")
@click.option("--list", "listed", is_flag=True, help="Name the modules and end.")
@click.option(
    "--results",
    type=click.Path(file_okay=False, path_type=Path),
    default=FOLDER,
    help="Folder of the results instead of bench/results; the page stays as it is then.",
)
def main(
    *,
    quick: bool,
    full: bool,
    only: tuple[str, ...],
    as_json: bool,
    listed: bool,
    results: Path,
) -> None:
    """Measure everything as ratios to bare baselines of the same run.

    Runs the modules with goals, and unless --quick is given those that only print what things
    cost. Writes bench/results/latest.json, and docs/performance.md unless --quick is given. With
    --only, what the other modules found earlier stays. A goal that falls short is no failure of
    the run; a module that fails is: the exit code is 1 then.
    """
    known = catalogue()
    usual = [name for name, has_goals in known.items() if has_goals or not quick]
    if listed:
        click.echo("\n".join(known))
        return
    unknown = sorted(set(only) - set(known))
    if unknown:
        raise click.BadParameter(f"no such module: {', '.join(unknown)}", param_hint="--only")
    if quick and full:
        raise click.UsageError("--quick or --full, not both")
    size = "quick" if quick else "full" if full else "usual"
    output = sys.stderr if as_json else sys.stdout
    facts = machine.describe()
    print("; ".join(f"{name} {value}" for name, value in facts.items()), file=output)
    modules = tuple(each([f"bench.{name}" for name in only or usual], size, output))
    run = Run(machine=facts, modules=modules)
    tell(run, console_of(output), whole=not only)
    if as_json:
        encoded = msgspec.json.encode(shortfalls.explained(run.goals))
        click.echo(msgspec.json.format(encoded, indent=2))
    keep(run, results, page_too=not quick and results.resolve() == FOLDER, some=bool(only))
    print(f"\n{results / LATEST} written", file=output)
    if any(module.error for module in modules):
        raise SystemExit(1)


def keep(run: Run, folder: Path, *, page_too: bool, some: bool) -> None:
    """Write the results, and the page when it is asked for; ``some``: the others stay."""
    whole = joined(read_run(folder), run) if some else run
    write_run(folder, whole, shortfalls.explained(whole.goals))
    if page_too:
        from bench import page

        page.write_page(page.PAGE, whole, read_measured(folder / SOAK))


if __name__ == "__main__":
    main()
