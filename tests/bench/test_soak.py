"""What is called flat over a long run, and what is told of one."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from bench.load.observed import UNANSWERED, Percentiles, nothing
from bench.results import read_measured
from bench.soak import Sample, backlog, config, interval_of, judged, keep, plotted, sampled
from bench.steadiness import Change, change


def sample(
    number: int,
    *,
    p99: float = 0.02,
    resident: int = 100 << 20,
    backlog: float = 3.0,
    errors: int = 0,
) -> Sample:
    latency = Percentiles(p50=p99 / 4, p90=p99 / 2, p99=p99, p999=p99, worst=p99)
    return Sample(
        at=10.0 * number,
        latency=latency,
        late=0.0,
        answered=1_000,
        errors=errors,
        resident=resident,
        backlog=backlog,
        micros=500.0,
    )


def passes(samples: list[Sample]) -> dict[str, bool]:
    return {goal.goal.removeprefix("soak: "): goal.passed for goal in judged(samples, rate=100.0)}


FLAT = {
    "memory is flat": True,
    "latency is flat": True,
    "the backlog is flat": True,
    "no errors": True,
}


def test_the_last_third_is_compared_with_the_first_without_the_first_tenth() -> None:
    values = [9.0, 9.0, 1.0, 1.0, *[5.0] * 3, *[2.0] * 3]

    assert Change(first=1.0, last=2.0) == change(values)
    assert (2.0, 1.0) == (change(values).ratio, change(values).growth)


def test_one_bad_moment_is_not_a_trend() -> None:
    assert 1.0 == change([1.0] * 28 + [50.0, 1.0]).ratio


def test_what_creeps_is_seen() -> None:
    assert change([100.0 + n for n in range(30)]).ratio > 1.15


def test_few_samples_say_nothing() -> None:
    with pytest.raises(ValueError, match="3 samples"):
        change([1.0, 1.0, 1.0])


def test_a_short_run_has_shorter_samples_and_still_enough() -> None:
    assert (10.0, 10.0, 5.0) == (
        interval_of(10, None),
        interval_of(1, None),
        interval_of(0.5, None),
    )
    assert 2.0 == interval_of(0.5, 2.0)
    with pytest.raises(click.UsageError, match=r"7\.5 seconds each at most"):
        interval_of(0.5, 10.0)


def test_nothing_that_stays_nothing_is_flat_and_something_after_nothing_is_not() -> None:
    assert 1.0 == change([0.0] * 4).ratio
    assert float("inf") == Change(first=0.0, last=1.0).ratio


def test_a_run_that_stays_as_it_is_passes() -> None:
    assert FLAT == passes([sample(n) for n in range(1, 31)])


@pytest.mark.parametrize(
    ("name", "samples"),
    [
        ("memory is flat", [sample(n, resident=(100 + n) << 20) for n in range(1, 31)]),
        ("latency is flat", [sample(n, p99=0.02 + 0.001 * n) for n in range(1, 31)]),
        ("the backlog is flat", [sample(n, backlog=10.0 * n) for n in range(1, 31)]),
        ("no errors", [sample(n, errors=int(n == 17)) for n in range(1, 31)]),
    ],
)
def test_what_is_not_as_it_should_be_is_short_and_nothing_else(
    name: str, samples: list[Sample]
) -> None:
    assert {**FLAT, name: False} == passes(samples)


def test_what_a_generator_gave_up_is_an_error_too() -> None:
    seen = nothing()
    seen.latency.extend([0.01] * 8)
    seen.problems[UNANSWERED] = 2
    seen.planned, seen.sent = 15, 10

    told = sampled(seen, at=10.0, backlog=0.0, resident=1 << 20, spent=0.004)

    assert 7 == told.errors
    assert 500.0 == pytest.approx(told.micros)


def test_the_backlog_is_what_was_accepted_and_not_delivered() -> None:
    assert 7.0 == backlog(
        {
            'luxor_messages_total{kind="Order",status="accepted"}': 10.0,
            'luxor_messages_total{kind="Order",status="refused"}': 5.0,
            'luxor_deliveries_total{destination="a",result="delivered"}': 3.0,
            'luxor_deliveries_total{destination="a",result="retry"}': 4.0,
            'luxor_interchanges_total{status="accepted"}': 10.0,
        }
    )


def test_a_result_is_written_with_its_lines(tmp_path: Path) -> None:
    samples = [sample(n) for n in range(1, 11)]
    keep(samples, rate=100.0, seconds=100.0, out=tmp_path / "soak.json")

    found = read_measured(tmp_path / "soak.json")

    assert found is not None
    assert tuple(plotted(samples)) == found.series
    assert {"soak-latency", "soak-memory", "soak-backlog"} == {one.plot for one in found.series}
    assert all(len(one.x) == len(one.y) == 10 for one in found.series)
    assert 4 == len(found.goals)


def test_the_gateway_of_a_soak_delivers_over_https() -> None:
    text = config(4711).format(certs="/c")

    assert 'address = "https://localhost:4711/take"' in text
    assert 'ca = "/c/luxor/root.pem"' in text
    assert "folder" not in text
