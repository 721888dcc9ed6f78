"""What is drawn from the processes and metrics of a server that is measured."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.accepting import spent_by_stage
from bench.costing import Cost, Rounds, Subject
from bench.load.generating import Failed, Generators, Load
from bench.load.observed import Observed, nothing
from bench.results import Goal, Series
from bench.serving import Served, cpu_of, read_metrics, resident_of, summed
from bench.sizes import told
from bench.workers import share

METRICS = """\
# HELP luxor_stage_seconds_total Time spent
# TYPE luxor_stage_seconds_total counter
luxor_stage_seconds_total{stage="verify"} 1.5
luxor_stage_seconds_total{stage="sign"} 0.25
luxor_journal_groups_total 4.0
luxor_journal_groups_total_of_others 9.0
"""


def test_metrics_are_read_by_sample_and_summed_by_name() -> None:
    found = read_metrics(METRICS)

    assert 1.5 == found['luxor_stage_seconds_total{stage="verify"}']
    assert 1.75 == summed(found, "luxor_stage_seconds_total")
    assert 4.0 == summed(found, "luxor_journal_groups_total")
    assert 0.0 == summed(found, "luxor_nothing")


def test_stages_are_what_was_spent_between_two_readings_for_one_message() -> None:
    before = {'luxor_stage_seconds_total{stage="verify"}': 1.0}

    assert {"verify": 500_000.0, "sign": 250_000.0} == spent_by_stage(
        before, read_metrics(METRICS), messages=1
    )


def test_the_clock_of_another_process_counts_all_that_it_has_spent() -> None:
    work = "import time\nwhile time.process_time() < 0.3: pass\nprint('.', flush=True)\ninput()"
    process = subprocess.Popen(
        [sys.executable, "-c", work], stdout=subprocess.PIPE, stdin=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()
        assert 0.3 <= cpu_of(process.pid) < 3.0
        assert resident_of(process.pid) > 1 << 20
        assert process.pid in Served(os.getpid(), Path(), {}).pids()
    finally:
        process.communicate(b"\n")


def test_of_a_process_that_is_this_one_the_clock_is_ours() -> None:
    before = time.process_time()
    assert before <= cpu_of(os.getpid()) <= time.process_time()


class Spending(Served):
    """A server whose requests cost what they are told to, run by run."""

    def __init__(self, port: int, costs: list[float]) -> None:
        super().__init__(0, Path("certs"), {"https": port})
        self._costs = iter(costs)
        self._spent = 0.0

    def take(self, count: int) -> None:
        self._spent += next(self._costs) * count

    def cpu(self) -> float:
        return self._spent


class Playing(Generators):
    """Generators without processes."""

    def __init__(self, *servers: Spending, problem: str = "") -> None:
        super().__init__()
        self._servers = {server.ports["https"]: server for server in servers}
        self._problem = problem
        self.loads: list[Load] = []

    def run(self, load: Load, *, begun: Callable[[], None] = lambda: None) -> Observed:
        begun()
        self.loads.append(load)
        self._servers[load.target.port].take(load.count)
        seen = nothing()
        seen.latency.extend([0.01] * load.count)
        seen.elapsed = 1.0
        if self._problem:
            seen.problems[self._problem] = 1
        return seen


def subjects(bare: Spending, full: Spending) -> list[Subject]:
    return [
        Subject(name="bare", served=bare, mix="order", count=100),
        Subject(name="full", served=full, mix="order", count=50),
    ]


def test_servers_take_turns_and_the_least_of_the_rounds_counts() -> None:
    bare = Spending(1, [1, 70e-6, 50e-6, 60e-6])
    full = Spending(2, [1, 300e-6, 500e-6, 400e-6])
    generators = Playing(bare, full)
    costs = Rounds(generators, warm=10).run(subjects(bare, full), rounds=3)

    assert [1, 2] * 4 == [load.target.port for load in generators.loads]
    assert [10, 10, 100, 50, 100, 50, 100, 50] == [load.count for load in generators.loads]
    assert [50.0, 300.0] == pytest.approx([cost.micros for cost in costs.values()])
    firsts = [load.first for load in generators.loads]
    assert sorted(set(firsts)) == firsts


def test_a_cost_of_requests_that_were_not_taken_is_none() -> None:
    bare, full = Spending(1, [1e-6]), Spending(2, [])

    with pytest.raises(Failed, match="status 503"):
        Rounds(Playing(bare, full, problem="status 503")).run(subjects(bare, full), rounds=1)


def test_the_worst_step_from_one_size_to_the_next_is_the_goal() -> None:
    costs = {1: Cost(micros=500), 10: Cost(micros=3_000), 100: Cost(micros=36_000)}
    goal, series = told(costs)

    assert isinstance(goal, Goal)
    assert (12.0, False) == (goal.ratio, goal.passed)
    assert (3.0, 36.0) == (goal.baseline, goal.figure)
    assert isinstance(series, Series)
    assert (1.0, 10.0, 100.0) == series.x
    assert (2_000.0, 10 / 0.003, 100 / 0.036) == pytest.approx(series.y)


def test_the_generators_share_is_of_all_that_was_spent() -> None:
    seen = nothing()
    seen.latency.extend([0.1] * 10)
    seen.cpu = 0.001

    assert 0.25 == pytest.approx(share(Cost(micros=300.0, seen=seen)))
