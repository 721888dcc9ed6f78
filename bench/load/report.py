"""What a run is told as: a line for people, an object for programs."""

from __future__ import annotations

import msgspec

from bench.load.observed import Observed, Percentiles, percentiles
from bench.load.search import Found
from bench.load.verdict import Verdict, judge, milliseconds


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One run at a fixed rate. Times in seconds."""

    mix: str
    offered: float
    """Requests a second, as the schedule says."""
    answered: float
    """Expected answers a second."""
    requests: int
    latency: Percentiles
    """From the time at which a request was due."""
    waited: float
    """For a free connection, 99th percentile."""
    late: float
    """Sent later than due by the generator's own fault, 99th percentile."""
    core: float
    """The share of one core that each process of the generator took."""
    processes: int
    reconnected: int
    problems: dict[str, int]
    verdict: Verdict


def report(observed: Observed, *, mix: str, rate: float, p99: float) -> Report:
    """Draw it together."""
    return Report(
        mix=mix,
        offered=rate,
        answered=observed.rate,
        requests=observed.planned,
        latency=observed.percentiles(),
        waited=percentiles(observed.waited).p99,
        late=percentiles(observed.late).p99,
        core=observed.core,
        processes=observed.processes,
        reconnected=observed.reconnected,
        problems=dict(observed.problems),
        verdict=judge(observed, p99=p99),
    )


def lines(told: Report) -> list[str]:
    """For people; latencies in milliseconds."""
    latency, several = told.latency, "es" * (told.processes > 1)
    shares = {
        "p50": latency.p50,
        "p90": latency.p90,
        "p99": latency.p99,
        "p99.9": latency.p999,
        "worst": latency.worst,
    }
    said = [
        f"{told.mix}: {told.offered:,.0f} requests a second offered, {told.requests:,} in all",
        f"expected answers a second: {told.answered:,.0f}",
        "latency from the time due: "
        + ", ".join(f"{name} {milliseconds(value)}" for name, value in shares.items()),
        f"generator: {told.processes} process{several}, {told.core:.0%} of a core each",
        f"of the latency, p99: sent late {milliseconds(told.late)}, waited for a connection "
        + milliseconds(told.waited),
    ]
    if told.reconnected:
        said.append(f"connections opened again: {told.reconnected}")
    said += [f"problem: {count} x {problem}" for problem, count in told.problems.items()]
    said.append(("held: " if told.verdict.held else "NOT held: ") + told.verdict.why)
    return said


def said(found: Found, *, p99: float) -> str:
    """What a search found, and what stood in the way of more."""
    limit = found.limit
    if not found.rate:
        return "no rate was held" + (f": {limit.why}" if limit else "")
    text = f"highest rate with p99 within {p99 * 1e3:.0f} ms: {found.rate:,.0f} a second"
    if limit is None:
        return f"{text}; as high as was tried"
    return f"{text}; above it the limit was: {limit.limit} ({limit.why})"
