"""The metrics of all workers as one page: each sample says by ``worker`` whose it is.

They are not added up: a counter of a worker that is started again begins at nought, and a sum that
falls is read as a restart of all of it. Prometheus adds series up as it is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families

LABEL = "worker"
ACCEPT = "application/openmetrics-text; version=1.0.0"
"""The form that workers are asked for: what it says of counters survives being read."""


def merged(pages: Mapping[int, str]) -> list[Metric]:
    """One family for each name, in the order of first appearance. Raises ``ValueError``."""
    families: dict[str, Metric] = {}
    for number, page in sorted(pages.items()):
        for family in text_string_to_metric_families(page):  # type: ignore[no-untyped-call]  # the library has no types here
            whole = families.setdefault(
                family.name, Metric(family.name, family.documentation, family.type, family.unit)
            )
            for sample in family.samples:
                labels = {**sample.labels, LABEL: str(number)}
                whole.samples.append(sample._replace(labels=labels))
    return list(families.values())


class Gathered:
    """A collector that gives what was gathered last."""

    def __init__(self) -> None:
        self.families: list[Metric] = []

    def collect(self) -> Iterable[Metric]:
        """For a registry."""
        return self.families
