"""Where the time goes is counted by stage, and what is waited for belongs to none."""

from __future__ import annotations

import itertools
from pathlib import Path

from prometheus_client import CollectorRegistry

from gateway.pipeline.bell import Bell
from gateway.store.sqlite import open_sqlite
from gateway.telemetry.stages import STAGES, Stages
from tests import samples
from tests.bench_middle import accepting
from tests.gateway.pipeline.conftest import Middle


class _Clock:
    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def _value(registry: CollectorRegistry, stage: str) -> float | None:
    return registry.get_sample_value("luxor_stage_seconds_total", {"stage": stage})


def test_laps_add_up_and_waiting_is_left_out() -> None:
    clock, registry = _Clock(), CollectorRegistry()
    stages = Stages(registry, now=clock)
    for _ in range(2):
        watch = stages.watch()
        clock.at += 2
        watch.lap("verify")
        clock.at += 40  # somebody else's turn
        watch.restart()
        clock.at += 3
        watch.lap("parse")
    assert _value(registry, "verify") == 4
    assert _value(registry, "parse") == 6
    assert sum(_value(registry, stage) or 0.0 for stage in STAGES) == 10


def test_interchanges_under_way_at_once_do_not_count_each_others_waiting() -> None:
    clock = _Clock()
    stages = Stages(CollectorRegistry(), now=clock)
    first = stages.watch()
    clock.at += 1
    first.lap("parse")
    second = stages.watch()
    clock.at += 5
    second.lap("parse")
    first.restart()
    clock.at += 1
    first.lap("sign")
    assert stages.seconds["parse"] == 6
    assert stages.seconds["sign"] == 1


def test_what_others_count_is_told_with_the_same_stage() -> None:
    registry = CollectorRegistry()
    stages = Stages(registry)
    counted = {"commit": 2.0}
    stages.include(lambda: counted)
    counted["commit"] = 5.0
    stages.seconds["commit"] = 1.0
    assert _value(registry, "commit") == 6


async def test_of_an_accepted_message_every_stage_of_the_middle_is_timed() -> None:
    middle = Middle()
    steps = itertools.count()
    stages = middle.inbound.stages
    stages.now = lambda: float(next(steps))
    await middle.send("post-a", samples.item())
    timed = {stage for stage, seconds in stages.seconds.items() if seconds}
    assert timed == {"parse", "validate", "plan", "policy", "canonical", "sign", "answer"}


async def test_a_journal_with_a_thread_tells_what_its_acceptances_cost(tmp_path: Path) -> None:
    journal = await open_sqlite(tmp_path / "journal.db", gateway=1, clock=lambda: samples.NOW)
    try:
        before = dict(journal.seconds)
        bell = Bell()
        await accepting(journal, bell, clock=lambda: samples.NOW)(1)
    finally:
        await journal.close()  # its thread has counted its last turn
    after = journal.seconds
    assert all(after[stage] > before[stage] for stage in ("find", "pack", "commit"))


def test_every_stage_is_told_from_the_start() -> None:
    registry = CollectorRegistry()
    Stages(registry)
    assert [_value(registry, stage) for stage in STAGES] == [0.0] * len(STAGES)
