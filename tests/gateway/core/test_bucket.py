"""Token buckets, as a pure function and in every store."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.bucket import Bucket, Drawn, Rate, draw

RATE = Rate(2.0, 10)


def test_a_new_bucket_gives_its_burst_and_no_more() -> None:
    bucket, drawn = draw(None, want=100, rate=RATE, now=0.0)
    assert drawn == Drawn(10)
    assert draw(bucket, want=1, rate=RATE, now=0.0)[1] == Drawn(0, 0.5)


def test_it_fills_with_time_up_to_the_burst() -> None:
    empty = Bucket(0.0, 100.0)
    granted = [
        draw(empty, want=50, rate=RATE, now=now)[1].granted for now in (100.4, 100.5, 102, 999)
    ]
    assert granted == [0, 1, 4, 10]


def test_the_wait_that_is_told_is_enough() -> None:
    bucket, drawn = draw(Bucket(0.25, 7.0), want=1, rate=RATE, now=7.0)
    assert drawn.granted == 0
    assert draw(bucket, want=1, rate=RATE, now=7.0 + drawn.wait)[1].granted == 1


def test_a_clock_that_goes_back_gives_nothing_and_takes_nothing() -> None:
    bucket, _ = draw(Bucket(3.0, 100.0), want=1, rate=RATE, now=50.0)
    assert bucket == Bucket(2.0, 50.0)


def test_an_empty_bucket_fills_again_from_the_time_to_which_the_clock_was_set_back() -> None:
    bucket, drawn = draw(Bucket(0.0, 1e9), want=1, rate=RATE, now=50.0)
    assert drawn == Drawn(0, 0.5)
    assert draw(bucket, want=1, rate=RATE, now=50.5)[1] == Drawn(1)


def test_two_clocks_that_differ_a_little_do_not_fill_it() -> None:
    bucket, total = Bucket(0.0, 100.0), 0
    for turn in range(1_000):
        bucket, drawn = draw(bucket, want=1, rate=RATE, now=100.0 if turn % 2 else 99.1)
        total += drawn.granted
    assert total == 0


def test_a_smaller_burst_counts_at_once() -> None:
    assert draw(Bucket(10.0, 0.0), want=50, rate=Rate(1.0, 3), now=0.0)[1] == Drawn(3)


@pytest.mark.parametrize("least", [2, 11])
def test_less_than_the_least_is_none(least: int) -> None:
    bucket, drawn = draw(Bucket(1.0, 0.0), want=20, least=least, rate=RATE, now=0.0)
    assert drawn == Drawn(0, (least - 1.0) / 2)
    assert bucket.level == 1.0


@given(
    st.lists(st.tuples(st.floats(0, 5), st.integers(1, 30)), max_size=60),
    st.floats(0.01, 50),
    st.integers(1, 40),
)
def test_never_more_than_burst_and_rate_allow(
    draws: list[tuple[float, int]], per_second: float, burst: int
) -> None:
    rate, now, granted, bucket = Rate(per_second, burst), 0.0, 0, None
    for pause, want in draws:
        now += pause
        bucket, drawn = draw(bucket, want=want, rate=rate, now=now)
        granted += drawn.granted
    assert granted <= burst + per_second * now + 1e-6
