"""Goals 5 to 7: what accepting one signed message costs, beside a bare server of the same run.

``python -m bench.accepting``. The bare server is aiohttp on uvloop with mutual TLS that reads the
same request and answers 202 without content. A gateway on SQLite (synchronous=FULL) verifies,
reads, judges, plans, commits durably and answers with a signed receipt; its destination is
switched off, so that the legs stay in the outbox. Figures are CPU of the server's process, all
threads, at saturation by 64 callers; the least of the rounds, which take turns. Stages are timed by
the wall between two waits (the journal's thread by its CPU): what else runs on the machine adds to
them, so that on a busy one they come to more than the CPU.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from bench import serving
from bench.costing import Cost, Rounds, Subject
from bench.load.generating import Generators
from bench.load.mixes import MIXES
from bench.results import Goal, Series, Told, goal_of
from bench.serving import Served, summed
from bench.timing import percentile
from tests.e2e.network import make_pki
from trust.profile import Profile, default_profile, read_profile

MIXED = ("order", "item", "item-jws", "item-xml")
BARS: Mapping[str, tuple[str, float]] = {
    "order": ("5 signed order (JSON, detached JWS Ed25519), accepted", 0.15),
    "order ES256": ("5 the same with ES256", 0.15),
    "item-jws": ("6 XML item, detached JWS ES256, accepted", 0.12),
    "item-xml": ("6 XML item, enveloped XML signature ES256, accepted", 0.09),
}
GROUP = 1 / 32
"""fsyncs for one message, at most (goal 7)."""
ALONE = 6.0
"""Times a bare fsync, at most (goal 7)."""
SATURATED = 256
"""Callers at once for goal 7."""


def signing_with(kind: str) -> Profile:
    """The development network with another kind of key for every party that signs."""
    text = default_profile().replace('signing = "Ed25519"', f'signing = "{kind}"')
    return read_profile(text)


def measure(*, quick: bool) -> Iterator[Told]:
    """Goals 5, 6 and 7, and the cost by stage."""
    rounds, count = (1, 200) if quick else (3, 800)
    with tempfile.TemporaryDirectory() as name, Generators() as generators:
        folder = Path(name)
        certs = make_pki(folder / "certs")
        others = make_pki(folder / "others", profile=signing_with("P-256"))
        with (
            serving.empty(folder, certs) as bare,
            serving.gateway(folder / "gateway", certs) as gateway,
            serving.gateway(folder / "es256", others) as other,
        ):
            turns = Rounds(generators, warm=200)
            subjects = [
                Subject(name="empty", served=bare, mix="order", count=count * 8),
                *(Subject(name=one, served=gateway, mix=one, count=count) for one in MIXED),
                Subject(name="order ES256", served=other, mix="order", count=count),
            ]
            costs = turns.run(subjects, rounds=rounds)
            stages = {
                subject.name: _staged(subject, turns)
                for subject in subjects
                if subject.name in BARS
            }
            yield from _goals(costs, stages)
            yield from _profile(stages)
            yield from _flushes(gateway, turns, folder, quick=quick)


def _goals(costs: Mapping[str, Cost], stages: Mapping[str, Mapping[str, float]]) -> Iterator[Goal]:
    bare = costs["empty"]
    for name, cost in costs.items():
        told = f"{cost.micros:7.0f} us of server CPU, {cost.rate:6.0f} a second at most"
        print(f"  {name:12} {told}", flush=True)
        if name not in BARS:
            continue
        goal, bar = BARS[name]
        what = MIXES["order" if name == "order ES256" else name].what
        ratio = bare.micros / cost.micros
        yield goal_of(
            goal,
            baseline=bare.micros,
            figure=cost.micros,
            ratio=ratio,
            at_least=bar,
            unit="µs of server CPU a request",
            what=f"an empty aiohttp mutual-TLS 202 / {what}, durable on SQLite, signed receipt",
            note=where(stages[name]) if ratio < bar else "",
        )


REST = "TLS, HTTP, loop"


def _staged(subject: Subject, turns: Rounds) -> dict[str, float]:
    """Where the CPU of one message goes; what no stage counts is TLS, HTTP and the loop."""
    before = subject.served.metrics()
    whole, _ = turns.once(subject)
    stages = spent_by_stage(before, subject.served.metrics(), messages=subject.count)
    if not sum(stages.values()):
        return {}
    return {**stages, REST: max(0.0, whole - sum(stages.values()))}


def where(stages: Mapping[str, float]) -> str:
    """The five stages that take most, for a note; microseconds."""
    most = sorted(stages.items(), key=lambda stage: -stage[1])[:5]
    return ", ".join(f"{stage} {micros:.0f}" for stage, micros in most)


def _profile(stages: Mapping[str, Mapping[str, float]]) -> Iterator[Series]:
    for name, by_stage in stages.items():
        if not by_stage:
            continue
        told = ", ".join(f"{stage} {micros:.0f}" for stage, micros in by_stage.items())
        print(f"  {name}: {told}", flush=True)
        yield Series(
            plot="cost-by-stage",
            name=name,
            x=tuple(map(float, range(len(by_stage)))),
            y=tuple(by_stage.values()),
            labels=tuple(by_stage),
        )


def spent_by_stage(
    before: Mapping[str, float], after: Mapping[str, float], *, messages: int
) -> dict[str, float]:
    """Microseconds for one message by stage, from two readings of the metrics."""
    name = "luxor_stage_seconds_total{"
    return {
        key.partition('stage="')[2].partition('"')[0]: (value - before.get(key, 0.0))
        / messages
        * 1e6
        for key, value in after.items()
        if key.startswith(name)
    }


def _flushes(gateway: Served, turns: Rounds, folder: Path, *, quick: bool) -> Iterator[Goal]:
    """Goal 7: how many share a flush at saturation, and what waiting for one alone costs."""
    count = 1_000 if quick else 4_000
    before = gateway.metrics()
    many = Subject(
        name="saturated",
        served=gateway,
        mix="order",
        count=count,
        in_flight=SATURATED,
        connections=SATURATED,
    )
    turns.once(many)
    after = gateway.metrics()
    groups = summed(after, GROUPS) - summed(before, GROUPS)
    taken = summed(after, TAKEN) - summed(before, TAKEN)
    yield goal_of(
        "7 fsyncs at saturation",
        baseline=taken,
        figure=groups,
        ratio=groups / taken,
        at_most=GROUP,
        unit="messages, fsyncs of the journal's log",
        what=f"messages accepted / transactions that were flushed, {SATURATED} callers",
        note=f"{taken / groups:.0f} messages share a flush",
    )
    yield _alone(gateway, turns, folder, quick=quick)


GROUPS, TAKEN = "luxor_journal_groups_total", "luxor_journal_acceptances_total"


def _alone(gateway: Served, turns: Rounds, folder: Path, *, quick: bool) -> Goal:
    """One connection, one message at a time; flushes of a bare file before and after."""
    count = 100 if quick else 500
    flushes = flush_seconds(folder, count)
    single = Subject(
        name="alone", served=gateway, mix="order", count=count, in_flight=1, connections=1
    )
    _, seen = turns.once(single)
    bare = percentile([*flushes, *flush_seconds(folder, count)], 0.5)
    p50 = seen.percentiles().p50
    return goal_of(
        "7 one connection, p50",
        baseline=bare * 1e6,
        figure=p50 * 1e6,
        ratio=p50 / bare,
        at_most=ALONE,
        unit="µs of wall time",
        what="append of 4 KiB and fdatasync / a signed order from request to receipt, one caller",
    )


def flush_seconds(folder: Path, count: int) -> list[float]:
    """How long it takes to append a page to a file and to flush it, each time."""
    page, taken = os.urandom(4096), []
    with (folder / "bare").open("ab", buffering=0) as file:
        for _ in range(count):
            began = time.perf_counter()
            file.write(page)
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - began)
    return taken


def main() -> None:
    """Print all of it."""
    for told in measure(quick=False):
        if isinstance(told, Goal):
            print(
                f"{told.goal}: {told.ratio:.3g} ({told.bar}, {'pass' if told.passed else 'SHORT'})"
                f" — {told.baseline:.0f}, {told.figure:.0f} {told.unit}"
            )


if __name__ == "__main__":
    main()
