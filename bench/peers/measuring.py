"""One program measured: started, warmed, saturated, asked at half that rate, checked, stopped."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from subprocess import CalledProcessError

import msgspec

from bench.load.observed import Observed
from bench.peers import processes
from bench.peers.environment import NotInstalled
from bench.peers.load import arrive, saturate
from bench.peers.subject import Serving, Subject

CONNECTIONS = 8
_MORE = 1.5
"""A server may get quicker than it was when it was warmed: so many times the requests are made."""


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What one program did."""

    rate: float
    """Requests a second, every connection busy."""
    cpu: float
    """Microseconds of CPU of all its processes for a request, until everything is worked off."""
    steady: float
    """Requests a second of the other run, which come at random times: half the rate."""
    p50: float
    """Milliseconds from when a request was due, at that steady rate."""
    p99: float
    memory: float
    """MiB of all its processes after both runs; what they share counts once."""
    generator: float
    """The share of one core that asking took at the full rate."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A program, with its figures, or with why there are none."""

    id: str
    title: str
    does: str
    settings: str
    version: str = ""
    figures: Figures | None = None
    missing: str = ""


class Misbehaved(Exception):
    """A server whose answers were not as expected: its figures would say nothing."""


class Length(msgspec.Struct, frozen=True):
    """Seconds of the runs, and how often the whole is done."""

    warm: float
    run: float
    rounds: int


USUAL = Length(warm=3.0, run=4.0, rounds=3)
QUICK = Length(warm=1.0, run=2.0, rounds=1)


def measured(subject: Subject, length: Length) -> Row:
    """One round of one program; a program that cannot be measured is a row that says why."""
    row = Row(id=subject.id, title=subject.title, does=subject.does, settings=subject.settings)
    try:
        row = msgspec.structs.replace(row, version=subject.version())
        with tempfile.TemporaryDirectory() as name, subject.serve(Path(name)) as serving:
            return msgspec.structs.replace(row, figures=_figures(subject, serving, length))
    except (NotInstalled, processes.NotStarted, Misbehaved, CalledProcessError, OSError) as error:
        return msgspec.structs.replace(row, missing=f"{type(error).__name__}: {error}")


def _figures(subject: Subject, serving: Serving, length: Length) -> Figures:
    warmed = saturate(
        serving.place,
        serving.requests(0, int(subject.quickest * length.warm)),
        connections=CONNECTIONS,
        seconds=length.warm,
    )
    asked = _checked(serving, warmed, before=0)
    wanted = int(warmed.rate * length.run * _MORE) + CONNECTIONS
    requests = serving.requests(asked, wanted)
    began = processes.spent(serving.pid)
    full = saturate(serving.place, requests, connections=CONNECTIONS, seconds=length.run)
    asked = _checked(serving, full, before=asked)
    spent = processes.spent(serving.pid) - began
    steady = full.rate / 2
    requests = serving.requests(asked, max(1, int(steady * length.run)))
    calm = arrive(serving.place, requests, connections=CONNECTIONS, rate=steady)
    _checked(serving, calm, before=asked)
    times = calm.percentiles()
    return Figures(
        rate=full.rate,
        cpu=spent / full.answered * 1e6,
        steady=steady,
        p50=times.p50 * 1e3,
        p99=times.p99 * 1e3,
        memory=processes.resident(serving.pid),
        generator=full.core,
    )


def _checked(serving: Serving, observed: Observed, *, before: int) -> int:
    """How many were asked by now, all of them as they should be. Raises `Misbehaved`."""
    if observed.errors or not observed.answered:
        raise Misbehaved(f"of {observed.sent} requests: {dict(observed.problems)}")
    asked = before + observed.answered
    problem = serving.done(asked)
    if problem:
        raise Misbehaved(problem)
    return asked


def best(rounds: Sequence[Row]) -> Row:
    """One row of several rounds of one program: the best of each figure, since other work on the
    machine only makes worse; the most memory. A round without figures stands for all of them."""
    for row in rounds:
        if row.figures is None:
            return row
    found = [row.figures for row in rounds if row.figures is not None]
    quickest = max(found, key=lambda one: one.rate)
    figures = Figures(
        rate=quickest.rate,
        cpu=min(one.cpu for one in found),
        steady=max(one.steady for one in found),
        p50=min(one.p50 for one in found),
        p99=min(one.p99 for one in found),
        memory=max(one.memory for one in found),
        generator=quickest.generator,
    )
    return msgspec.structs.replace(rounds[0], figures=figures)
