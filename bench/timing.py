"""How times are taken here: in turns, the least of several rounds, and percentiles."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence


def least(messages: int, *works: Callable[[], object], rounds: int) -> list[float]:
    """Microseconds of CPU for one message, of the quickest round of each.

    Rounds take turns, so that what slows the machine slows all of them; the least is taken since
    other work on the machine only ever adds. All threads of this process count.
    """
    best = [math.inf] * len(works)
    for _ in range(rounds):
        for at, work in enumerate(works):
            began = time.process_time()
            work()
            best[at] = min(best[at], time.process_time() - began)
    return [one / messages * 1e6 for one in best]


def each(work: Callable[[], object], *, times: int, rounds: int) -> float:
    """Microseconds of CPU of one call among so many, of the quickest round."""

    def repeated() -> None:
        for _ in range(times):
            work()

    (found,) = least(times, repeated, rounds=rounds)
    return found


def percentile(values: Sequence[float], share: float) -> float:
    """The value that so large a share does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def verdict(*, met: bool) -> str:
    """How a goal is printed."""
    return "pass" if met else "SHORT"
