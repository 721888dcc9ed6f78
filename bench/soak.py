"""Minutes at 70 % of the highest rate: are memory, latency and backlog flat, and are there errors?

``python -m bench.soak`` (``make soak``). Signed orders at a fixed rate, accepted durably on SQLite
and delivered over HTTPS to a receiver that does nothing; all on the cores of one machine. Two
generators take turns: one prepares and signs while the other sends, since signatures are good for
five minutes only. See `bench.steadiness` for what is called flat.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from bench import machine, serving
from bench.load.generating import Generators, Load, after
from bench.load.mixes import MIXES, SEEDED
from bench.load.observed import Observed, Percentiles, percentiles
from bench.load.report import said
from bench.load.search import Bounds, Step, highest
from bench.load.verdict import milliseconds
from bench.results import FOLDER, SOAK, Goal, Measured, Series, goal_of, write_measured
from bench.serving import Served, summed
from bench.steadiness import LEAST, change
from tests.e2e.network import CONFIG, make_pki

MIX = "order"
SHARE = 0.7
P99 = 0.1
CONNECTIONS = 64
MEMORY, LATENCY, BACKLOG_SECONDS = 1.05, 1.25, 1.0
"""Bars: growth of memory and of p99, and of the backlog in seconds of arrivals."""
AHEAD_SECONDS = 0.3
INTERVAL_SECONDS = 10.0
FEWEST = 6
"""Samples of a run that is shorter than so many intervals."""
PATIENCE_SECONDS = 30.0
"""A stall is to be seen in the latencies, and not to end the load."""
RECEIVER = """
transport = "https"
address = "https://localhost:{port}/take"
ca = "{{certs}}/luxor/root.pem"
receipt = "none"
"""


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One interval. Times in seconds."""

    at: float
    """Since the start, at its end."""
    latency: Percentiles
    late: float
    """What the generator added, 99th percentile."""
    answered: int
    errors: int
    resident: int
    """Bytes, of all processes of the gateway."""
    backlog: float
    """Messages that were accepted and not yet delivered."""
    micros: float
    """Of the gateway's CPU for one order, its delivery too."""


def backlog(metrics: Mapping[str, float]) -> float:
    """Messages that a gateway has accepted since its start and not yet delivered."""
    accepted = {name: value for name, value in metrics.items() if 'status="accepted"' in name}
    delivered = {name: value for name, value in metrics.items() if 'result="delivered"' in name}
    return summed(accepted, "luxor_messages_total") - summed(delivered, "luxor_deliveries_total")


class Soak:
    """A gateway that delivers, under load for long."""

    def __init__(self, served: Served, generators: Sequence[Generators]) -> None:
        """``generators``: two, of one process each."""
        self._served = served
        self._generators = generators
        self._load = Load(
            target=served.target(MIXES[MIX].party),
            mix=MIX,
            run="soak",
            first=SEEDED,
            connections=CONNECTIONS,
            patience=PATIENCE_SECONDS,
            drain=PATIENCE_SECONDS,
        )

    def find(self, seconds: float, told: Callable[[Step], None]) -> float:
        """The highest rate; 0 when none was held."""
        trial = self._generators[0].run(self._next(count=500))
        found = highest(
            lambda rate: self._generators[0].run(self._trial(rate, seconds)),
            start=trial.rate / 2,
            bounds=Bounds(p99=P99, factor=1.3, close=0.1, most=12),
            told=told,
        )
        click.echo(said(found, p99=P99))
        return found.rate

    def run(self, rate: float, *, minutes: float, interval: float) -> Iterator[Sample]:
        """A sample for each interval, as it ends."""
        count = max(1, round(minutes * 60 / interval))
        sending, preparing = self._generators
        self._settle()
        cpu = self._served.cpu()
        sending.prepare(self._next(rate=rate, seconds=interval))
        begun = time.monotonic() + AHEAD_SECONDS
        sending.begin(begun)
        for number in range(1, count + 1):
            end = begun + interval * number
            if number < count:
                preparing.prepare(self._next(rate=rate, seconds=interval))
                preparing.begin(max(end, time.monotonic() + AHEAD_SECONDS))
            time.sleep(max(0.0, end - time.monotonic()))
            now, resident = self._served.cpu(), self._served.resident()
            waiting = backlog(self._served.metrics())
            seen = sending.collect()
            yield sampled(
                seen,
                at=number * interval,
                backlog=waiting,
                resident=resident,
                spent=now - cpu,
            )
            cpu = now
            sending, preparing = preparing, sending

    def _settle(self) -> None:
        """What the search has left over is delivered first, if that takes no longer than this."""
        until = time.monotonic() + PATIENCE_SECONDS
        while backlog(self._served.metrics()) > 0 and time.monotonic() < until:
            time.sleep(0.2)

    def _trial(self, rate: float, seconds: float) -> Load:
        """One that gives up soon: far beyond the server there is nothing to wait for."""
        return msgspec.structs.replace(self._next(rate=rate, seconds=seconds), patience=2.0)

    def _next(self, *, rate: float = 0.0, seconds: float = 0.0, count: int = 0) -> Load:
        load = msgspec.structs.replace(self._load, rate=rate, seconds=seconds, count=count)
        self._load = msgspec.structs.replace(self._load, first=after(load, processes=1))
        return load


def sampled(seen: Observed, *, at: float, backlog: float, resident: int, spent: float) -> Sample:
    """What one interval was like; what was planned and not sent is an error, too."""
    return Sample(
        at=at,
        latency=seen.percentiles(),
        late=percentiles(seen.late).p99,
        answered=seen.answered,
        errors=seen.errors + seen.planned - seen.sent,
        resident=resident,
        backlog=backlog,
        micros=spent / max(1, seen.answered) * 1e6,
    )


def judged(samples: Sequence[Sample], *, rate: float) -> Iterator[Goal]:
    """Whether each of the four is as it should be."""
    memory = change([sample.resident / 2**20 for sample in samples])
    latency = change([sample.latency.p99 * 1e3 for sample in samples])
    waiting = change([sample.backlog for sample in samples])
    errors = sum(sample.errors for sample in samples)
    requests = sum(sample.answered for sample in samples)
    minutes = samples[-1].at / 60
    load = f"{minutes:.3g} minutes of {rate:.0f} signed orders a second, accepted and delivered"
    thirds = "median of the first third / of the last, without the first tenth"
    yield goal_of(
        "soak: memory is flat",
        baseline=memory.first,
        figure=memory.last,
        ratio=memory.ratio,
        at_most=MEMORY,
        unit="MiB resident",
        what=f"{load}: {thirds}",
    )
    yield goal_of(
        "soak: latency is flat",
        baseline=latency.first,
        figure=latency.last,
        ratio=latency.ratio,
        at_most=LATENCY,
        unit="ms, p99 of an interval",
        what=f"{load}: {thirds}",
    )
    yield goal_of(
        "soak: the backlog is flat",
        baseline=waiting.first,
        figure=waiting.last,
        ratio=max(0.0, waiting.growth) / rate,
        at_most=BACKLOG_SECONDS,
        unit="messages not yet delivered",
        what=f"{load}: growth from the first third to the last, in seconds of arrivals",
    )
    yield goal_of(
        "soak: no errors",
        baseline=float(requests),
        figure=float(errors),
        ratio=errors / max(1, requests),
        at_most=0.0,
        unit="requests, errors",
        what=load,
    )


def plotted(samples: Sequence[Sample]) -> Iterator[Series]:
    """Lines over minutes."""
    minutes = tuple(sample.at / 60 for sample in samples)
    for name, values in (
        ("p50", [sample.latency.p50 for sample in samples]),
        ("p99", [sample.latency.p99 for sample in samples]),
        ("worst", [sample.latency.worst for sample in samples]),
    ):
        milli = tuple(value * 1e3 for value in values)
        yield Series(plot="soak-latency", name=name, x=minutes, y=milli)
    resident = tuple(sample.resident / 2**20 for sample in samples)
    yield Series(plot="soak-memory", name="gateway", x=minutes, y=resident)
    behind = tuple(sample.backlog for sample in samples)
    yield Series(plot="soak-backlog", name="accepted, not yet delivered", x=minutes, y=behind)


def config(port: int) -> str:
    """The gateway of the tests, whose destination is a receiver over HTTPS."""
    folder = 'transport = "folder"\naddress = "archive"\n'
    assert folder in CONFIG
    return CONFIG.replace(folder, RECEIVER.format(port=port).lstrip())


@click.command(
    context_settings={"max_content_width": 100},
    epilog="""\b
Examples:
  python -m bench.soak
  python -m bench.soak --minutes 60 --interval 30
  python -m bench.soak --minutes 2 --rate 150""",
)
@click.option("--minutes", type=click.FloatRange(0.05), default=10.0, show_default=True)
@click.option(
    "--interval",
    type=click.FloatRange(0.5, 240),
    help="Seconds of one sample; 10 unless given, less when the run is short.",
)
@click.option("--rate", type=click.FloatRange(0.1), help="Orders a second, instead of 70 %.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=FOLDER / SOAK,
    help="Where the result goes; bench/results/soak.json.",
)
def main(*, minutes: float, interval: float | None, rate: float | None, out: Path) -> None:
    """Load for long at 70 % of the highest rate, and say whether everything stays flat."""
    every = interval_of(minutes, interval)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        certs = make_pki(folder / "certs")
        receiver = stack.enter_context(serving.empty(folder, certs, party="customs-risk"))
        served = stack.enter_context(
            serving.gateway(
                folder / "gateway", certs, delivers=True, config=config(receiver.ports["https"])
            )
        )
        both = [stack.enter_context(Generators()) for _ in range(2)]
        soak = Soak(served, both)
        if rate is None:
            rate = SHARE * soak.find(min(5.0, every), _tell_step)
        if not rate:
            raise click.ClickException("no rate was held")
        click.echo(f"{minutes:g} minutes at {rate:.0f} a second")
        samples = []
        for sample in soak.run(rate, minutes=minutes, interval=every):
            samples.append(sample)
            _tell(sample)
    keep(samples, rate=rate, seconds=time.monotonic() - began, out=out)


def interval_of(minutes: float, wanted: float | None) -> float:
    """Seconds of one sample; raises ``click.UsageError`` when too few of them say anything."""
    seconds = minutes * 60
    interval = wanted or min(INTERVAL_SECONDS, seconds / FEWEST)
    if round(seconds / interval) < LEAST:
        raise click.UsageError(
            f"--interval: {LEAST} samples at least, so {seconds / LEAST:g} seconds each at most"
        )
    return interval


def keep(samples: Sequence[Sample], *, rate: float, seconds: float, out: Path) -> None:
    """Say whether it was flat, and write it."""
    goals = tuple(judged(samples, rate=rate))
    for goal in goals:
        verdict = "pass" if goal.passed else "SHORT"
        click.echo(
            f"{goal.goal}: {verdict} ({goal.baseline:,.1f}, {goal.figure:,.1f} {goal.unit};"
            f" {goal.ratio:.3g} {goal.bar})"
        )
    write_measured(
        out,
        Measured(
            module="soak",
            commit=machine.commit(),
            at=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            seconds=seconds,
            size="usual",
            goals=goals,
            series=tuple(plotted(samples)),
        ),
    )
    click.echo(f"{out} written")


def _tell_step(step: Step) -> None:
    held = "held" if step.verdict.held else "NOT held"
    click.echo(f"  {step.rate:9,.1f} a second: {held}, {step.verdict.why}")


def _tell(sample: Sample) -> None:
    latency = sample.latency
    click.echo(
        f"{sample.at / 60:6.2f} min: p50 {milliseconds(latency.p50)}, p99"
        f" {milliseconds(latency.p99)}, worst {milliseconds(latency.worst)}; late"
        f" {milliseconds(sample.late)}; {sample.resident >> 20} MiB; backlog"
        f" {sample.backlog:.0f}; {sample.micros:.0f} us each; errors {sample.errors}"
    )


if __name__ == "__main__":
    main()
