"""What a run of the peers found: as a file, as a table on a terminal, as a part of a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from bench.peers.measuring import Row
from bench.peers.subject import Comparison
from bench.results import FOLDER, write_json
from bench.table import number

FILE = FOLDER / "peers.json"
LIMITED = 0.9
"""A generator that took so much of a core may have been the limit."""
BUSY = 1.0
"""A load of the machine before the run, above which other work took part of its cores."""
HEADINGS = ("", "a second", "µs of CPU each", "p50 ms", "p99 ms", "MiB")


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One run."""

    commit: str
    at: str
    """When it ended, RFC 3339."""
    machine: dict[str, str]
    document: int
    """Bytes of the XML document."""
    connections: int
    seconds: float
    """Of each run of a program."""
    rounds: int
    rows: tuple[Row, ...]


def write(path: Path, report: Report) -> None:
    """Write it as JSON."""
    write_json(path, report)


def read(path: Path) -> Report | None:
    """What `write` wrote; ``None`` when there is none. Raises ``msgspec.DecodeError``."""
    return msgspec.json.decode(path.read_bytes(), type=Report) if path.exists() else None


def cells(row: Row) -> tuple[str, ...]:
    """A row of a table; one without figures says that in the second."""
    found = row.figures
    if found is None:
        return (row.title, "not measured", "", "", "", "")
    return (
        row.title,
        number(found.rate) + (" *" if found.generator >= LIMITED else ""),
        number(found.cpu),
        number(found.p50),
        number(found.p99),
        number(found.memory),
    )


def verdicts(comparison: Comparison, rows: Mapping[str, Row]) -> list[str]:
    """Who takes less CPU for a request and how much less; a sentence for each of ours."""
    peer = rows[comparison.peer]
    if peer.figures is None:
        return [f"{peer.title} was not measured: {peer.missing}"]
    said = []
    for own in (rows[one] for one in comparison.ours):
        if own.figures is None:
            said.append(f"{own.title} was not measured: {own.missing}")
            continue
        ratio = peer.figures.cpu / own.figures.cpu
        dear, cheap = (peer, own) if ratio >= 1 else (own, peer)
        said.append(
            f"{dear.title} takes {number(max(ratio, 1 / ratio))} times the CPU of {cheap.title}"
            " for a request"
        )
    return said


def tell(report: Report, comparisons: Sequence[Comparison], console: Console) -> None:
    """Print a table for each comparison."""
    rows = {row.id: row for row in report.rows}
    for comparison in comparisons:
        table = Table(title=comparison.title, title_justify="left", box=None, pad_edge=False)
        for at, heading in enumerate(HEADINGS):
            table.add_column(heading, justify="right" if at else "left")
        for one in (comparison.peer, *comparison.ours):
            table.add_row(*cells(rows[one]))
        console.print()
        console.print(table)
        for sentence in verdicts(comparison, rows):
            console.print(f"  {sentence}", soft_wrap=True)


def markdown(report: Report, comparisons: Sequence[Comparison]) -> str:
    """The same for a page, with what each program does and how it was set up."""
    rows = {row.id: row for row in report.rows}
    lines = [_setting(report), ""]
    if float(report.machine.get("load before", "0")) > BUSY:
        lines += ["The machine had other work: CPU compares, rates and latencies hardly do.", ""]
    if any(row.figures is not None and row.figures.generator >= LIMITED for row in report.rows):
        lines += ["\\* The load generator was at its limit: the server could do more.", ""]
    for comparison in comparisons:
        shown = [rows[one] for one in (comparison.peer, *comparison.ours)]
        lines += [f"### {comparison.title}", "", _line(HEADINGS), "|---|--:|--:|--:|--:|--:|"]
        lines += [_line(cells(row)) for row in shown]
        lines += ["", *(f"{sentence}." for sentence in verdicts(comparison, rows)), ""]
        lines += [comparison.fairness, ""]
    lines += ["### What each of them does", ""]
    lines += [
        f"- **{row.title}** ({row.version}): {row.does}. Set up: {row.settings}."
        for row in report.rows
    ]
    return "\n".join([*lines, ""])


def _setting(report: Report) -> str:
    machine = report.machine
    return (
        f"Commit {report.commit}, {report.at}; {machine.get('processor', '')}, load before"
        f" {machine.get('load before', 'unknown')}. One document of {report.document:,} bytes with"
        f" one item; {report.connections} connections, kept; {report.rounds} rounds in turn, the"
        f" best of each figure. Requests a second and CPU: every connection busy for"
        f" {report.seconds:g} seconds. Latency: half as many requests, at random times, from when"
        " each was due. CPU and memory: all processes of a server together."
    )


def _line(texts: Sequence[str]) -> str:
    return f"| {' | '.join(texts)} |"
