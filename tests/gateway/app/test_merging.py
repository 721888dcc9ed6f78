"""Metrics of several processes on one page."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_open

from gateway.app.workers.merging import Gathered, merged


def page(counted: int) -> str:
    registry = CollectorRegistry()
    Counter("luxor_taken", "What was taken", ("party",), registry=registry).labels("a").inc(counted)
    Gauge("luxor_waiting", "What waits", registry=registry).set(counted)
    Histogram("luxor_seconds", "How long", buckets=(1.0,), registry=registry).observe(counted)
    text: bytes = generate_open(registry)  # type: ignore[no-untyped-call]  # the library has no types here
    return text.decode()


@pytest.fixture
def text() -> str:
    gathered, registry = Gathered(), CollectorRegistry()
    gathered.families = merged({1: page(5), 0: page(3)})
    registry.register(gathered)
    return generate_latest(registry).decode()


@pytest.mark.parametrize(
    "line",
    [
        'luxor_taken_total{party="a",worker="0"} 3.0',
        'luxor_taken_total{party="a",worker="1"} 5.0',
        'luxor_waiting{worker="0"} 3.0',
        'luxor_waiting{worker="1"} 5.0',
        'luxor_seconds_bucket{le="1.0",worker="0"} 0.0',
        'luxor_seconds_sum{worker="1"} 5.0',
    ],
)
def test_each_sample_says_whose_it_is(text: str, line: str) -> None:
    assert line in text.splitlines()


def test_a_name_is_explained_once(text: str) -> None:
    explained = [line for line in text.splitlines() if line.startswith("# TYPE luxor_taken_total ")]

    assert ["# TYPE luxor_taken_total counter"] == explained


def test_what_is_no_page_of_metrics_is_said() -> None:
    with pytest.raises(ValueError, match="invalid metric name"):
        merged({0: "<html>"})
