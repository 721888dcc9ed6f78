"""Latency counts from the time at which a request was due: a stall stands in all later ones."""

from __future__ import annotations

from array import array
from collections import Counter
from itertools import pairwise

import pytest

from bench.load.arrivals import due
from bench.load.observed import UNANSWERED, between, merged, nothing, percentiles, rank
from bench.load.pump import Call, ClosedPump, OpenPump, Request


class Time:
    """A clock that is set."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Server:
    """A sender to one server that serves one request at a time, unless it stands still."""

    def __init__(self, time: Time, *, seconds: float) -> None:
        self._time, self._seconds = time, seconds
        self._free_at = 0.0
        self._queue: list[tuple[float, Call]] = []
        self.reconnected = 0

    async def open(self) -> None:
        """Nothing to do."""

    async def close(self) -> None:
        """The same."""

    def send(self, call: Call) -> None:
        self._free_at = max(self._free_at, self._time.now) + self._seconds
        self._queue.append((self._free_at, call))

    def stall(self, seconds: float) -> None:
        """It does nothing for so long from now on."""
        self._free_at = max(self._free_at, self._time.now) + seconds

    def until(self, now: float) -> None:
        """Answer what is ready by then, each at its time."""
        while self._queue and self._queue[0][0] <= now:
            at, call = self._queue.pop(0)
            self._time.now = at
            call.answered()
        self._time.now = now


def requests(count: int) -> list[Request]:
    return [Request(name=f"r-{number}", wire=b"") for number in range(count)]


def test_a_stall_of_the_server_counts_in_the_latency_of_all_that_was_due_during_it() -> None:
    time = Time()
    server = Server(time, seconds=0.001)
    times = [0.01 * number for number in range(100)]
    pump = OpenPump(requests(100), times, server, clock=time)
    server.stall(0.5)

    for step in range(1_500):
        server.until(1_000.0 + step * 0.001)
        pump.turn()

    latency = pump.close().latency
    assert 100 == len(latency)
    assert [0.501 - 0.009 * n for n in range(50)] == pytest.approx(list(latency[:50]), abs=0.002)
    assert max(latency[60:]) == pytest.approx(0.001, abs=0.0015)


def test_what_the_generator_sends_late_counts_from_the_time_due_and_as_its_own_fault() -> None:
    time = Time()
    server = Server(time, seconds=0.0)
    pump = OpenPump(requests(3), [0.0, 0.1, 0.2], server, clock=time)

    time.now += 0.25
    pump.turn()
    server.until(time.now)

    seen = pump.close()
    assert [0.25, 0.15, 0.05] == pytest.approx(list(seen.latency))
    assert [0.25, 0.15, 0.05] == pytest.approx(list(seen.late))
    assert [0.0, 0.1, 0.2] == pytest.approx(list(seen.due))


def test_the_schedule_is_kept_whatever_the_server_does() -> None:
    time = Time()
    server = Server(time, seconds=1e9)
    pump = OpenPump(requests(10), [0.1 * n for n in range(10)], server, clock=time)

    assert pump.turn() == pytest.approx(0.1)
    time.now += 0.5
    assert pump.turn() == pytest.approx(0.1)
    assert 6 == pump.unanswered
    time.now += 10
    assert pump.turn() is None
    assert 10 == pump.unanswered


def test_far_beyond_the_server_it_stops_and_the_unanswered_are_problems() -> None:
    time = Time()
    server = Server(time, seconds=1e9)
    times = [0.001 * number for number in range(10_000)]
    pump = OpenPump(requests(10_000), times, server, clock=time, patience=0.5)

    time.now += 20.0
    for _ in range(1_000):
        pump.turn()

    seen = pump.close()
    assert (10_000, 500) == (seen.planned, seen.sent)
    assert Counter({UNANSWERED: 500}) == seen.problems


def test_very_much_that_is_due_at_once_leaves_time_to_read_answers() -> None:
    time = Time()
    server = Server(time, seconds=0.0)
    pump = OpenPump(requests(100), [0.001 * n for n in range(100)], server, clock=time)
    time.now += 1

    assert 0.0 == pump.turn()
    assert 0 < pump.unanswered < 100


async def test_without_a_schedule_so_many_are_under_way_and_each_answer_sends_the_next() -> None:
    time = Time()
    sent: list[Call] = []

    class Counting(Server):
        def send(self, call: Call) -> None:
            assert len(sent) - len(answered) < 4
            sent.append(call)
            if len(sent) >= 4:
                time.now += 0.5
                first = sent[len(answered)]
                answered.append(first)
                first.answered("" if len(answered) > 1 else "status 500")

    answered: list[Call] = []
    pump = ClosedPump(requests(40), Counting(time, seconds=0), in_flight=4, clock=time)
    seen = await pump.run(bound=0.01)

    assert 40 == seen.sent
    assert Counter({"status 500": 1, UNANSWERED: 3}) == seen.problems
    assert 37 == seen.answered
    assert seen.rate == pytest.approx(36 / seen.elapsed)


def test_even_arrivals_are_one_each_interval() -> None:
    assert [0.0, 0.25, 0.5, 0.75] == list(due(4, 1, arrivals="even"))


def test_independent_arrivals_come_in_order_at_the_rate_and_are_the_same_again() -> None:
    times = due(500, 20, seed=3)

    assert 10_000 == pytest.approx(len(times), rel=0.05)
    assert sorted(times) == list(times)
    assert times[-1] <= 20
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert 1.0 == pytest.approx(sum((gap * 500 - 1) ** 2 for gap in gaps) / len(gaps), rel=0.15)
    assert times == due(500, 20, seed=3)
    assert times != due(500, 20, seed=4)


def test_percentiles_are_the_least_values_that_the_share_does_not_exceed() -> None:
    found = percentiles([float(n) for n in range(1, 1_001)])

    assert (500, 900, 990, 999, 1_000) == (
        found.p50, found.p90, found.p99, found.p999, found.worst,
    )  # fmt: skip
    assert 0.0 == percentiles([]).p99
    assert [0, 0, 1] == [rank(1, 0.99), rank(2, 0.5), rank(2, 0.51)]


def test_generators_side_by_side_are_one_afterwards() -> None:
    one, other = nothing(), nothing()
    one.due, one.latency = array("d", [0.1, 1.1]), array("d", [0.01, 0.02])
    other.due, other.latency = array("d", [0.6]), array("d", [0.5])
    one.elapsed, other.elapsed, one.cpu, other.cpu = 2.0, 1.0, 0.5, 0.7
    other.problems["status 503"] += 1

    whole = merged([one, other])

    assert 3 == whole.answered
    assert (2, 2.0) == (whole.processes, whole.elapsed)
    assert 0.3 == pytest.approx(whole.core)
    assert 1.0 == pytest.approx(whole.rate)
    assert [0.01, 0.5] == sorted(between(whole, 0.0, 1.0))
