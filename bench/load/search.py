"""The highest rate that is held: upwards until one is not, then by halves between the two."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from bench.load.observed import Observed, Percentiles
from bench.load.verdict import Verdict, judge


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One run at one rate."""

    rate: float
    """Offered, requests a second."""
    answered: int
    latency: Percentiles
    verdict: Verdict


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """The highest rate that was held, 0 for none, and the way to it."""

    rate: float
    steps: tuple[Step, ...]
    """In the order in which they were run."""

    @property
    def limit(self) -> Verdict | None:
        """What stood in the way just above; ``None`` when nothing did as far as was tried."""
        failed = [step for step in self.steps if not step.verdict.held and step.rate > self.rate]
        return min(failed, key=lambda step: step.rate).verdict if failed else None

    @property
    def best(self) -> Step | None:
        """The run at the rate that was found."""
        held = [step for step in self.steps if step.verdict.held and step.rate == self.rate]
        return held[-1] if held else None


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """How a search goes."""

    p99: float = 0.1
    """Seconds that 99 of 100 requests may take from the time at which they are due."""
    factor: float = 1.5
    """From one rate to the next on the way up, or down when the first one is not held."""
    close: float = 0.08
    """It ends when the rate above that was not held is so much higher at most."""
    most: int = 14
    """Runs."""
    tries: int = 2
    """A rate is not held when so many runs in a row say so: a neighbour's moment is no limit."""


def highest(
    run: Callable[[float], Observed],
    *,
    start: float,
    bounds: Bounds = Bounds(),  # noqa: B008 - frozen
    told: Callable[[Step], None] = lambda _: None,
) -> Found:
    """Find the highest rate at which ``run`` is held; each step is told as it ends."""
    steps: list[Step] = []

    def held(rate: float) -> bool:
        for _ in range(bounds.tries):
            if len(steps) == bounds.most:
                return False
            observed = run(rate)
            verdict = judge(observed, p99=bounds.p99)
            step = Step(
                rate=rate,
                answered=observed.answered,
                latency=observed.percentiles(),
                verdict=verdict,
            )
            steps.append(step)
            told(step)
            if verdict.held:
                return True
        return False

    low, high = _bracket(held, start, bounds, lambda: len(steps) < bounds.most)
    while low and high is not None and high > low * (1 + bounds.close):
        if len(steps) == bounds.most:
            break
        middle = (low * high) ** 0.5
        if held(middle):
            low = middle
        else:
            high = middle
    return Found(rate=low, steps=tuple(steps))


def _bracket(
    held: Callable[[float], bool], start: float, bounds: Bounds, more: Callable[[], bool]
) -> tuple[float, float | None]:
    """A rate that is held, 0 for none, and the next one that is not, ``None`` for none."""
    if held(start):
        low, high = start, None
        while high is None and more():
            if held(low * bounds.factor):
                low *= bounds.factor
            else:
                high = low * bounds.factor
        return low, high
    high = start
    while more():
        if held(high / bounds.factor):
            return high / bounds.factor, high
        high /= bounds.factor
    return 0.0, high
