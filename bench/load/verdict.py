"""Whether a rate was held, and what the limit was when it was not: the server is one of several."""

from __future__ import annotations

from typing import Literal

import msgspec

from bench.load.observed import Observed, Percentiles, percentiles

Limit = Literal["", "server", "connections", "generator", "errors"]
LATE_SHARE = 0.25
"""Of the bound of latency: what the generator itself may add to one of a hundred requests."""
BUSY_CORE = 0.9
"""Share of a core above which one process of the generator can not keep a schedule."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What one run at one rate shows."""

    held: bool
    """All answered as expected, and 99 of 100 within the bound of the time at which it was due."""
    limit: Limit
    """What stood in the way; empty when it was held."""
    why: str
    """A sentence."""


def judge(observed: Observed, *, p99: float) -> Verdict:
    """Judge a run at a fixed rate against a bound for its 99th percentile, in seconds."""
    latency = observed.percentiles()
    late, waited = percentiles(observed.late).p99, percentiles(observed.waited).p99
    whole = observed.sent == observed.planned and not observed.errors
    if whole and latency.p99 <= p99:
        return Verdict(held=True, limit="", why=f"p99 {milliseconds(latency.p99)}")
    if late > LATE_SHARE * p99 or observed.core > BUSY_CORE:
        busy = "all it can" if observed.core > BUSY_CORE else "the machine gave it no CPU in time"
        return Verdict(
            held=False,
            limit="generator",
            why=f"the generator was the limit: one of a hundred requests was sent"
            f" {milliseconds(late)} late or more; it took {observed.core:.0%} of a core, {busy}",
        )
    if observed.wrong:
        problem, count = observed.problems.most_common(1)[0]
        return Verdict(held=False, limit="errors", why=f"{count} answers were: {problem}")
    if waited > p99 / 2 and _served(observed).p99 <= p99 / 2:
        return Verdict(
            held=False,
            limit="connections",
            why=f"requests waited {milliseconds(waited)} for a free connection (p99), though the"
            " answers were quick: give it more connections",
        )
    unsent = observed.planned - observed.sent
    beyond = f", and {unsent} were not sent since too much was unanswered" if unsent else ""
    return Verdict(
        held=False, limit="server", why=f"p99 {milliseconds(latency.p99)} at the server{beyond}"
    )


def _served(observed: Observed) -> Percentiles:
    """From being written to being answered."""
    return percentiles(
        [
            latency - waited - late
            for latency, waited, late in zip(
                observed.latency, observed.waited, observed.late, strict=True
            )
        ]
    )


def milliseconds(seconds: float) -> str:
    """As people read it."""
    return f"{seconds * 1e3:.1f} ms"
