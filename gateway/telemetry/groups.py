"""How many acceptances share one durable transaction of the journal, and so one flush of the disk.

Counted by the journal since it was opened, and read when metrics are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

_NAMES = (
    ("luxor_journal_groups", "Durable transactions in which acceptances were written"),
    ("luxor_journal_acceptances", "Acceptances that were written in them"),
)


class Groups(Collector):
    """Two counters."""

    def __init__(self, registry: CollectorRegistry, counted: Callable[[], tuple[int, int]]) -> None:
        """``counted`` gives transactions and acceptances so far."""
        self._counted = counted
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Both as they are now."""
        for (name, text), value in zip(_NAMES, self._counted(), strict=True):
            yield CounterMetricFamily(name, text, value=value)

    def describe(self) -> Iterable[Metric]:
        """Both without their values."""
        return [CounterMetricFamily(name, text) for name, text in _NAMES]
