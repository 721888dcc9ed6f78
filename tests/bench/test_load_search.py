"""The highest rate of a server that is simulated, and what is said to have been the limit."""

from __future__ import annotations

from array import array

import pytest

from bench.load.observed import Observed, nothing
from bench.load.search import Bounds, Step, highest
from bench.load.verdict import judge


def observed(
    latency: float,
    *,
    late: float = 0.0,
    waited: float = 0.0,
    core: float = 0.1,
    sent: int = 100,
    problem: str = "",
) -> Observed:
    """A hundred answers alike."""
    seen = nothing()
    seen.due = array("d", (n / 100 for n in range(100)))
    seen.latency = array("d", [latency] * 100)
    seen.late, seen.waited = array("d", [late] * 100), array("d", [waited] * 100)
    seen.planned, seen.sent, seen.elapsed, seen.cpu = 100, sent, 1.0, core
    if problem:
        seen.problems[problem] = 1
    return seen


class Queue:
    """A server that needs ``cost`` seconds for a request: the nearer to that rate, the slower."""

    def __init__(self, cost: float) -> None:
        self._cost = cost
        self.rates: list[float] = []

    def __call__(self, rate: float) -> Observed:
        self.rates.append(rate)
        share = rate * self._cost
        if share >= 1:
            return observed(2.0, sent=80)
        return observed(self._cost * (1 + 5 * share / (1 - share)))


@pytest.mark.parametrize("start", [1.0, 50.0, 880.0, 5_000.0])
def test_the_highest_rate_is_found_from_below_and_from_above(start: float) -> None:
    server = Queue(0.001)
    found = highest(server, start=start, bounds=Bounds(p99=0.1, most=40))

    true = 1_000 * 99 / 104  # where 1 ms x (1 + 5 s / (1 - s)) is 100 ms
    assert true / 1.09 < found.rate <= true
    assert found.limit is not None
    assert "server" == found.limit.limit
    assert found.best is not None
    assert found.best.latency.p99 <= 0.1


def test_a_rate_that_fails_once_is_tried_again() -> None:
    server = Queue(0.001)
    failed: set[float] = set()

    def shaky(rate: float) -> Observed:
        if rate not in failed:
            failed.add(rate)
            return observed(0.3)
        return server(rate)

    steady = highest(Queue(0.001), start=100.0, bounds=Bounds(most=60))
    assert steady.rate == highest(shaky, start=100.0, bounds=Bounds(most=60)).rate


def test_a_search_ends_after_so_many_runs_and_tells_each() -> None:
    told: list[Step] = []
    found = highest(Queue(1e-9), start=1.0, bounds=Bounds(most=5), told=told.append)

    assert 5 == len(found.steps)
    assert tuple(told) == found.steps
    assert 1.5**4 == pytest.approx(found.rate)
    assert found.limit is None


def test_where_no_rate_is_held_it_says_so() -> None:
    found = highest(lambda _: observed(1.0), start=100.0, bounds=Bounds(most=6))

    assert 0.0 == found.rate
    assert found.limit is not None
    assert found.best is None


def test_a_generator_that_sends_late_is_the_limit_and_not_the_server() -> None:
    verdict = judge(observed(0.2, late=0.09), p99=0.1)

    assert (False, "generator") == (verdict.held, verdict.limit)
    assert "90.0 ms late" in verdict.why


def test_a_generator_that_takes_its_core_whole_is_the_limit() -> None:
    assert "generator" == judge(observed(0.2, core=0.99), p99=0.1).limit


def test_slow_answers_of_a_generator_in_time_are_the_servers_limit() -> None:
    verdict = judge(observed(0.2, late=0.001), p99=0.1)

    assert (False, "server") == (verdict.held, verdict.limit)


def test_too_few_connections_are_told_apart_from_a_slow_server() -> None:
    assert "connections" == judge(observed(0.2, waited=0.19), p99=0.1).limit
    assert "server" == judge(observed(0.4, waited=0.2), p99=0.1).limit


def test_one_wrong_answer_is_enough() -> None:
    verdict = judge(observed(0.01, problem="status 503"), p99=0.1)

    assert (False, "errors") == (verdict.held, verdict.limit)
    assert "status 503" in verdict.why


def test_what_was_not_sent_is_not_held() -> None:
    verdict = judge(observed(0.01, sent=50), p99=0.1)

    assert (False, "server") == (verdict.held, verdict.limit)
    assert "50 were not sent" in verdict.why


def test_within_the_bound_and_all_answered_it_is_held() -> None:
    verdict = judge(observed(0.1), p99=0.1)

    assert (True, "") == (verdict.held, verdict.limit)
