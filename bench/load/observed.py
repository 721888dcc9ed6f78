"""What generators saw: a latency for each answer, from the time at which its request was due."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

SHARES = (0.5, 0.9, 0.99, 0.999)


class Observed(msgspec.Struct, kw_only=True):
    """One run of one generator, or of several after `merged`. Times in seconds.

    ``due``, ``latency``, ``waited``, ``late`` have one value for each answer, in the same order.
    """

    due: array[float]
    """After the start of the run."""
    latency: array[float]
    """From the time at which it was due to the end of its answer."""
    waited: array[float]
    """Of that, for a free connection."""
    late: array[float]
    """Of that, until the generator came to send it: the generator's own fault."""
    problems: Counter[str]
    """Answers that were not the expected one, by what they were; what never came, too."""
    planned: int
    """Requests of the schedule."""
    sent: int
    """Fewer than planned when the generator gave up, since too much was unanswered."""
    elapsed: float
    """From the first time on the schedule to the last answer."""
    cpu: float
    """Of the generator's processes, while it ran."""
    processes: int = 1
    reconnected: int = 0
    """Connections that the server had closed and that were opened again."""

    @property
    def answered(self) -> int:
        """Requests with an answer, whatever it said."""
        return len(self.latency)

    @property
    def errors(self) -> int:
        """Requests without the expected answer."""
        return self.problems.total()

    @property
    def rate(self) -> float:
        """Expected answers a second."""
        return (self.answered - self.wrong) / self.elapsed if self.elapsed else 0.0

    @property
    def wrong(self) -> int:
        """Answers that were not the expected ones."""
        return self.problems.total() - self.problems[UNANSWERED]

    @property
    def core(self) -> float:
        """The share of one core that each process of the generator took."""
        return self.cpu / self.elapsed / self.processes if self.elapsed else 0.0

    def percentiles(self) -> Percentiles:
        """Of the latencies."""
        return percentiles(self.latency)


UNANSWERED = "no answer"


class Percentiles(msgspec.Struct, frozen=True, kw_only=True):
    """In seconds; zeros of nothing."""

    p50: float
    p90: float
    p99: float
    p999: float
    worst: float


def percentiles(values: Sequence[float]) -> Percentiles:
    """By sorting: exact, nearest rank."""
    ordered = sorted(values) or [0.0]
    p50, p90, p99, p999 = (ordered[rank(len(ordered), share)] for share in SHARES)
    return Percentiles(p50=p50, p90=p90, p99=p99, p999=p999, worst=ordered[-1])


def rank(count: int, share: float) -> int:
    """The index of the least of ``count`` ordered values that a ``share`` does not exceed."""
    return min(count - 1, max(0, -int(-count * share // 1) - 1))


def nothing(*, processes: int = 1) -> Observed:
    """Before anything was seen."""
    return Observed(
        due=array("d"),
        latency=array("d"),
        waited=array("d"),
        late=array("d"),
        problems=Counter(),
        planned=0,
        sent=0,
        elapsed=0.0,
        cpu=0.0,
        processes=processes,
    )


def merged(parts: Iterable[Observed]) -> Observed:
    """Generators that ran side by side, as one."""
    whole = nothing(processes=0)
    for part in parts:
        whole.due.extend(part.due)
        whole.latency.extend(part.latency)
        whole.waited.extend(part.waited)
        whole.late.extend(part.late)
        whole.problems.update(part.problems)
        whole.planned += part.planned
        whole.sent += part.sent
        whole.elapsed = max(whole.elapsed, part.elapsed)
        whole.cpu += part.cpu
        whole.processes += part.processes
        whole.reconnected += part.reconnected
    return whole


def between(observed: Observed, start: float, end: float) -> array[float]:
    """Latencies of what was due in that part of the run."""
    return array(
        "d",
        (
            latency
            for at, latency in zip(observed.due, observed.latency, strict=True)
            if start <= at < end
        ),
    )
