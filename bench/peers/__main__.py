"""`python -m bench.peers`: what people would use instead, measured beside the gateway."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import click
from rich.console import Console

from bench import machine, page
from bench.peers import report as reports
from bench.peers.catalogue import COMPARISONS, SUBJECTS
from bench.peers.documents import document
from bench.peers.measuring import CONNECTIONS, QUICK, USUAL, Length, Row, best, measured
from bench.peers.subject import Subject

PART = "peers"
"""Of the page."""
EXAMPLES = """\b
Examples:
  python -m bench.peers                    about five minutes, writes docs/performance.md
  python -m bench.peers --quick            a minute and a half, writes nothing
  python -m bench.peers --quick --only spyne --only library
  python -m bench.peers --page             the page again, from bench/results/peers.json
"""


def run(subjects: Sequence[Subject], length: Length, console: Console) -> list[Row]:
    """Every program in turn, as many rounds as asked for; a word about each."""
    rounds: dict[str, list[Row]] = {subject.id: [] for subject in subjects}
    for number in range(1, length.rounds + 1):
        for subject in subjects:
            row = measured(subject, length)
            rounds[subject.id].append(row)
            _, rate, cpu, *_ = reports.cells(row)
            told = row.missing or f"{rate} a second, {cpu} µs of CPU each"
            console.print(
                f"[{number}/{length.rounds}] {row.title}: {told}", markup=False, soft_wrap=True
            )
    return [best(rows) for rows in rounds.values()]


def write_page(report: reports.Report) -> None:
    """Its part of the page anew."""
    text = page.PAGE.read_text("utf-8")
    made = page.with_part(text, PART, reports.markdown(report, COMPARISONS))
    page.PAGE.write_text(made, "utf-8")


@click.command(epilog=EXAMPLES, context_settings={"max_content_width": 100})
@click.option("--quick", is_flag=True, help="One short round; writes nothing.")
@click.option("--only", multiple=True, metavar="ID", help="These programs; writes nothing then.")
@click.option("--page", "page_only", is_flag=True, help="Write the page of the last run and end.")
@click.option("--list", "listed", is_flag=True, help="Name the programs and end.")
def main(*, quick: bool, only: tuple[str, ...], page_only: bool, listed: bool) -> None:
    """Measure Node-RED, spyne and django-pyas2 beside the gateway doing the same job.

    They are installed below var/peers, exactly as bench/peers pins them. Writes
    bench/results/peers.json and its part of docs/performance.md. What cannot be installed or
    started is a row that says so, and the exit code is 1 then.
    """
    if listed:
        click.echo("\n".join(subject.id for subject in SUBJECTS))
        return
    if page_only:
        known = reports.read(reports.FILE)
        if known is None:
            raise click.ClickException("nothing was measured yet: make bench-peers")
        write_page(known)
        return
    unknown = sorted(set(only) - {subject.id for subject in SUBJECTS})
    if unknown:
        raise click.BadParameter(f"no such program: {', '.join(unknown)}", param_hint="--only")
    length, console = QUICK if quick else USUAL, Console(highlight=False)
    subjects = [subject for subject in SUBJECTS if not only or subject.id in only]
    found = reports.Report(
        machine=machine.describe(),
        commit=machine.commit(),
        document=len(document(1)),
        connections=CONNECTIONS,
        seconds=length.run,
        rounds=length.rounds,
        rows=tuple(run(subjects, length, console)),
        at=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
    )
    if not only:
        reports.tell(found, COMPARISONS, console)
    if not only and not quick:
        reports.write(reports.FILE, found)
        write_page(found)
    if any(row.missing for row in found.rows):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
