"""Where the time of the accept path goes, by stage.

A stage is work of this process on one interchange, without what it waits for: the main thread's
time by a clock of the wall between two awaits, the journal's thread by its CPU. What a process
spends beyond the stages is TLS, HTTP or gRPC, and the loop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from time import perf_counter
from typing import Literal

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

Stage = Literal[
    "identify",
    "policy",
    "verify",
    "find",
    "parse",
    "validate",
    "plan",
    "canonical",
    "sign",
    "pack",
    "commit",
    "answer",
]
"""In their order. ``identify``: who calls, from its certificate or signature; ``policy``: what it
may send; ``verify``: the signature over the content; ``find``: whether the id is known; ``parse``:
bytes to the model; ``validate``: the regimes; ``plan``: legs and whether their targets can take it;
``canonical``: normalising and encoding; ``sign``: the receipt; ``pack``: rows for the journal;
``commit``: the journal's thread; ``answer``: the response."""

STAGES: tuple[Stage, ...] = Stage.__args__  # type: ignore[attr-defined]  # typeshed: Literal has it


class Stages(Collector):
    """Seconds by stage since the start of the process.

    Each stage is added to by one thread only, so that no lock is needed.
    """

    def __init__(
        self,
        registry: CollectorRegistry | None = None,
        *,
        now: Callable[[], float] = perf_counter,
    ) -> None:
        """Tells itself in ``registry``; ``now`` is a monotonic clock in seconds."""
        self.seconds: dict[Stage, float] = dict.fromkeys(STAGES, 0.0)
        self.now = now
        self._others: list[Callable[[], Mapping[str, float]]] = []
        if registry is not None:
            registry.register(self)

    def include(self, others: Callable[[], Mapping[str, float]]) -> None:
        """Tell also what somebody else counts: seconds by stage, so far."""
        self._others.append(others)

    def watch(self) -> Watch:
        """A watch for one interchange, which runs from now on."""
        return Watch(self)

    def collect(self) -> Iterator[Metric]:
        """One counter with a label."""
        family = CounterMetricFamily(
            "luxor_stage_seconds",
            "Time spent on accepting interchanges, by stage, without what was waited for",
            labels=("stage",),
        )
        counted = [others() for others in self._others]
        for stage, seconds in self.seconds.items():
            family.add_metric((stage,), seconds + sum(one.get(stage, 0.0) for one in counted))
        yield family

    def describe(self) -> Iterable[Metric]:
        """What is collected, without its values."""
        return self.collect()


class Watch:
    """Times stages that follow each other. After whatever was waited for it is to be restarted."""

    __slots__ = ("_at", "_stages")

    def __init__(self, stages: Stages) -> None:
        self._stages = stages
        self._at = stages.now()

    def restart(self) -> None:
        """What passed until now belongs to no stage."""
        self._at = self._stages.now()

    def lap(self, stage: Stage) -> None:
        """What passed since the last lap or restart belongs to this stage."""
        now = self._stages.now()
        self._stages.seconds[stage] += now - self._at
        self._at = now
