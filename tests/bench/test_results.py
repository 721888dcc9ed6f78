"""What a run found is written and read again; one that names some modules keeps the others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.results import (
    LATEST,
    Goal,
    Measured,
    Run,
    Series,
    goal_of,
    joined,
    read_measured,
    read_run,
    write_json,
    write_measured,
    write_run,
)
from bench.shortfalls import Shortfall, explained, read
from bench.timing import each, least, percentile


def made(name: str, ratio: float, *, at_least: float = 0.5) -> Goal:
    return goal_of(
        name, baseline=1, figure=2, ratio=ratio, at_least=at_least, unit="µs", what="a; b"
    )


def bounded(ratio: float, *, at_least: float | None = None, at_most: float | None = None) -> Goal:
    return goal_of(
        "1",
        baseline=1,
        figure=1,
        ratio=ratio,
        at_least=at_least,
        at_most=at_most,
        unit="µs",
        what="",
    )


def found(module: str, *goals: Goal, at: str = "2026-11-23T08:00:00Z") -> Measured:
    series = Series(plot="soak-memory", name=module, x=(1, 2), y=(3, 4.5))
    return Measured(
        module=module,
        commit="abc",
        at=at,
        seconds=1.5,
        size="usual",
        goals=goals,
        series=(series,),
    )


RUN = Run(
    machine={"Python": "3.11"},
    modules=(found("bench.a", made("10 last", 0.5)), found("bench.b", made("9 before it", 0.4))),
)


@pytest.mark.parametrize(
    ("ratio", "bar", "passed"),
    [
        (0.15, {"at_least": 0.15}, True),
        (0.1499, {"at_least": 0.15}, False),
        (1.5, {"at_most": 1.5}, True),
        (1.51, {"at_most": 1.5}, False),
        (float("nan"), {"at_least": 0.1}, False),
    ],
)
def test_a_goal_passes_at_its_bar(ratio: float, bar: dict[str, float], passed: bool) -> None:
    assert passed == bounded(ratio, **bar).passed


@pytest.mark.parametrize("bars", [{}, {"at_least": 1.0, "at_most": 2.0}])
def test_a_goal_has_one_bar(bars: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="one bar"):
        bounded(1, **bars)


def test_the_latest_results_are_a_list_of_objects_in_the_order_of_the_goals(tmp_path: Path) -> None:
    write_run(tmp_path, RUN, RUN.goals)
    written = json.loads((tmp_path / LATEST).read_text())
    assert ["9 before it", "10 last"] == [one["goal"] for one in written]
    assert {
        "goal": "9 before it",
        "baseline": 1.0,
        "figure": 2.0,
        "ratio": 0.4,
        "bar": ">= 0.5",
        "pass": False,
        "unit": "µs",
        "what": "a; b",
        "note": "",
    } == written[0]


def test_a_run_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert read_run(tmp_path) is None
    write_run(tmp_path, RUN, RUN.goals)
    assert RUN == read_run(tmp_path)
    assert read_measured(tmp_path / "soak.json") is None
    write_measured(tmp_path / "soak.json", RUN.modules[0])
    assert RUN.modules[0] == read_measured(tmp_path / "soak.json")


def test_modules_that_did_not_run_again_keep_what_they_found() -> None:
    again = found("bench.b", made("9 before it", 0.9), at="2026-11-24T08:00:00Z")
    later = Run(machine={"Python": "3.12"}, modules=(again,))
    assert Run(machine={"Python": "3.12"}, modules=(RUN.modules[0], again)) == joined(RUN, later)
    assert later == joined(None, later)


def test_goals_without_a_number_come_last_and_missing_numbers_are_known() -> None:
    goals = (made("outage", 1), made("2 second", 1), made("10 tenth", 1))
    run = Run(machine={}, modules=(found("bench.a", *goals),))
    assert ["2 second", "10 tenth", "outage"] == [goal.goal for goal in run.goals]
    assert (1, 3, 4, 5, 6, 7, 8, 9, 11) == run.unanswered


def test_percentiles_are_values_that_occurred() -> None:
    values = [float(n) for n in range(100, 0, -1)]
    assert (1.0, 51.0, 100.0, 100.0) == tuple(percentile(values, s) for s in (0, 0.5, 0.99, 1))


def test_works_are_timed_in_turns_and_each_as_often() -> None:
    order: list[str] = []
    costs = least(2, lambda: order.append("a"), lambda: order.append("b"), rounds=3)
    assert ["a", "b"] * 3 == order
    assert all(0 <= cost < 1e6 for cost in costs)
    assert each(lambda: order.append("c"), times=5, rounds=2) >= 0
    assert 10 == order.count("c")


def test_a_short_goal_says_why_as_far_as_it_is_known() -> None:
    known = (Shortfall("1 ", "parsing 20 µs"), Shortfall("1", "never reached"))
    goals = (made("1 first", 0.4), made("1 second", 0.6), made("11 other", 0.4))
    first, second, other = explained(goals, known)
    assert ("parsing 20 µs", "", "never reached") == (first.note, second.note, other.note)


def test_what_is_written_down_can_be_read() -> None:
    assert all(one.goal and one.reason for one in read())


def test_what_cannot_be_written_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_json(tmp_path / LATEST, [1])

    def interrupted(path: Path, content: bytes) -> int:
        with path.open("wb") as file:
            file.write(content[:2])
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_bytes", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_json(tmp_path / LATEST, [2, 3])

    assert [1] == json.loads((tmp_path / LATEST).read_text())
