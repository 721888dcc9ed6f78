"""How results of published suites are told: per suite ``NAME: n of N``, its figures, its waivers.

The cases are ordinary tests that carry ``pytest.mark.conformance("NAME")``; ``tests/conftest.py``
puts what stands here to work. Nothing here decides whether a test passes.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

SUITE, FIGURE, CASE = "conformance.suite", "conformance.figure", "conformance.case"
"""Names of the properties by which a test's report carries them, between processes too."""
ABSENT = "conformance data absent: "
"""How the reason of a test begins that was skipped for want of its data (``tests.data``)."""

Waivers = Mapping[str, Mapping[str, str]]


def read_waivers(path: Path) -> Waivers:
    """Reasons by suite and test id; raises :class:`ValueError` for one without a reason."""
    waivers: dict[str, dict[str, Any]] = tomllib.loads(path.read_text("utf-8"))
    for suite, cases in waivers.items():
        for case, reason in cases.items():
            if not isinstance(reason, str) or not reason.strip():
                raise ValueError(f"{path.name}: [{suite}] {case} has no reason")
    return waivers


class Result(NamedTuple):
    """How one case of a suite came out."""

    suite: str
    case: str
    outcome: str
    """``passed``, ``failed``, ``skipped`` or ``waived``."""
    figures: tuple[tuple[str, int, int], ...] = ()
    absent: str | None = None
    """The path of the data that a skipped case looked for."""


_OUTCOMES = {"passed": "passed", "xfailed": "waived", "skipped": "skipped"}


def results(stats: Mapping[str, Iterable[Any]]) -> list[Result]:
    """The results of all suites from what a terminal reporter has counted, one per test."""
    found: dict[str, Result] = {}
    for outcome in ("passed", "xfailed", "skipped", "failed", "error", "xpassed"):
        for report in stats.get(outcome, ()):
            if not isinstance(report, pytest.TestReport):
                continue
            properties: list[tuple[str, Any]] = [*report.user_properties]
            suite = dict(properties).get(SUITE)
            if suite is None:
                continue
            found[report.nodeid] = Result(
                suite=str(suite),
                case=str(dict(properties)[CASE]),
                outcome=_OUTCOMES.get(outcome, "failed"),
                figures=tuple(tuple(value) for name, value in properties if name == FIGURE),
                absent=_absent(report) if outcome == "skipped" else None,
            )
    return list(found.values())


def _absent(report: pytest.TestReport) -> str | None:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
    _, found, path = reason.partition(ABSENT)
    return path if found else None


def summary(found: Iterable[Result], waivers: Waivers) -> Iterator[str]:
    """The lines of all suites, in the order of their names."""
    found = list(found)
    for suite in sorted({result.suite for result in found}):
        yield from _suite(suite, [each for each in found if each.suite == suite], waivers)
    for path in sorted({each.absent for each in found if each.absent is not None}):
        yield f"absent, so not tested: {path}"


def _suite(name: str, found: list[Result], waivers: Waivers) -> Iterator[str]:
    counts = {
        outcome: sum(each.outcome == outcome for each in found)
        for outcome in ("passed", "waived", "skipped", "failed")
    }
    more = [f"{counts[outcome]} {outcome}" for outcome in ("waived", "skipped") if counts[outcome]]
    yield f"{name}: {counts['passed']} of {len(found)}" + (f" ({', '.join(more)})" if more else "")
    figures: dict[str, tuple[int, int]] = {}
    for label, part, total in (figure for each in found for figure in each.figures):
        so_far = figures.get(label, (0, 0))
        figures[label] = (so_far[0] + part, so_far[1] + total)
    for label, (part, total) in figures.items():
        share = f" ({100 * part / total:.2f} %)" if 0 < part < total else ""
        yield f"    {label}: {part:,} of {total:,}{share}"
    for each in found:
        if each.outcome == "waived":
            yield f"    waived {each.case}: {waivers.get(name, {}).get(each.case, '')}"
        if each.outcome == "failed":
            yield f"    FAILED {each.case}"


def strangers(found: Iterable[Result], waivers: Waivers) -> Iterator[str]:
    """Waivers of cases that there are not; only of suites that ran with all their data."""
    found = list(found)
    whole = {each.suite for each in found} - {each.suite for each in found if each.absent}
    there = {(each.suite, each.case) for each in found}
    for suite, cases in waivers.items():
        known = {each.suite for each in found}
        if suite not in known:
            yield f"[{suite}] is waived in part, but there is no such suite"
        elif suite in whole:
            for case in cases:
                if (suite, case) not in there:
                    yield f"[{suite}] {case} is waived, but there is no such case"
