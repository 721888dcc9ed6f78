"""Where the time goes is counted by stage, and what is waited for belongs to none."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from gateway.telemetry.stages import STAGES, Stages


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


def test_every_stage_is_told_from_the_start() -> None:
    registry = CollectorRegistry()
    Stages(registry)
    assert [_value(registry, stage) for stage in STAGES] == [0.0] * len(STAGES)
