"""A run goes on when a module fails, keeps what it found, and says so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench import machine, measuring
from bench.__main__ import each, main, one, sized
from bench.measuring import catalogue
from bench.results import Measured, goal_of, read_run

ROOT = Path(__file__).parents[2]
BREAKING, HANGING = "tests.bench.modules.breaking", "tests.bench.modules.hanging"


def test_a_module_that_breaks_keeps_what_it_found_and_the_next_one_runs(tmp_path: Path) -> None:
    with (tmp_path / "output").open("w+") as output:
        first, second = each([BREAKING, BREAKING], "quick", output)
    assert "ended with 1" == first.error == second.error
    assert ["1 first"] == [goal.goal for goal in second.goals]
    assert (1.0, False, "quick run") == (
        second.goals[0].figure,
        second.goals[0].passed,
        second.goals[0].note,
    )
    told = (tmp_path / "output").read_text()
    assert f"[2/2] {BREAKING}\nmeasuring\n[2/2] " in told
    assert "FAILED: ended with 1" in told


def test_a_module_that_has_a_larger_size_takes_it(tmp_path: Path) -> None:
    with (tmp_path / "output").open("w+") as output:
        found = one(BREAKING, "full", output)
    assert ("", 9.0) == (found.error, found.goals[0].figure)


def test_a_module_that_hangs_is_ended_with_all_that_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.__main__.LONGEST", {"quick": 2.0})
    monkeypatch.setattr(measuring, "GRACE_SECONDS", 0.5)
    with (tmp_path / "output").open("w+") as output:
        found = one(HANGING, "quick", output)
    assert "was not done after 2 seconds" == found.error
    started = int(found.series[0].y[0])
    state = Path(f"/proc/{started}/stat")
    assert not state.exists() or " Z " in state.read_text()


def test_a_module_that_is_interrupted_ends_in_a_word(tmp_path: Path) -> None:
    """Ctrl-C is for the person who typed it: no traceback of what was measured just then."""
    program = (
        "import os, signal, runpy, sys, time\n"
        "import bench.measuring\n"
        "sys.modules['interrupted'] = sys\n"
        "sys.measure = lambda *, quick: iter([signal.raise_signal(signal.SIGINT)])\n"
        "del sys.modules['bench.measuring']\n"
        f"sys.argv = ['measuring', 'interrupted', {str(tmp_path / 'found')!r}, 'quick']\n"
        "runpy.run_module('bench.measuring', run_name='__main__')\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=machine.ROOT, capture_output=True, check=False
    )

    assert (130, b"") == (done.returncode, done.stderr)


def test_a_goal_says_that_its_run_was_quick() -> None:
    goal = one(BREAKING, "usual", sys.__stdout__ or sys.stdout).goals[0]
    assert "" == sized(goal, "usual").note
    assert "quick run" == sized(goal, "quick").note


def test_the_folder_is_the_catalogue() -> None:
    known = catalogue()
    assert {"layouts": True, "streams": True, "dispatch": True, "proofs": False}.items() <= (
        known.items()
    )
    assert known.keys().isdisjoint({"results", "measuring", "timing", "__main__", "page"})


def test_a_module_that_there_is_not_is_refused() -> None:
    answer = CliRunner().invoke(main, ["--only", "layouts", "--only", "layoust"])
    assert (2, True) == (answer.exit_code, "no such module: layoust" in answer.output)
    both = CliRunner().invoke(main, ["--quick", "--full"])
    assert (2, True) == (both.exit_code, "not both" in both.output)


def test_one_quick_module_is_measured_and_written(tmp_path: Path) -> None:
    words = ("--quick", "--json", "--only", "json_reading")
    done = subprocess.run(
        [sys.executable, "-m", "bench", *words, "--results", str(tmp_path)],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        timeout=120,
        check=True,
    )
    told = json.loads(done.stdout)
    assert 6 == len(told)
    assert {"2"} == {goal["goal"].split()[0] for goal in told}
    assert told == json.loads((tmp_path / "latest.json").read_text())
    run = read_run(tmp_path)
    assert run is not None
    assert [("bench.json_reading", "quick", "")] == [
        (module.module, module.size, module.error) for module in run.modules
    ]
    assert b"[1/1] bench.json_reading" in done.stderr


@pytest.mark.parametrize(("error", "code"), [("ended with 1", 1), ("", 0)])
def test_only_a_module_that_fails_fails_the_run(
    error: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = goal_of(
        "1 first", baseline=1, figure=2, ratio=0.5, at_least=2, unit="µs", what="one; other"
    )
    found = Measured(
        module="bench.layouts",
        commit="abc",
        at="2026-11-23T08:00:00Z",
        seconds=1,
        size="quick",
        goals=(short,),
        error=error,
    )
    monkeypatch.setattr("bench.__main__.each", lambda *_: iter([found]))
    answer = CliRunner().invoke(main, ["--quick", "--results", str(tmp_path)])
    assert code == answer.exit_code
    assert "0 pass, 1 short" in answer.output
    assert "no figure for the goals 2, 3, 4, 5, 6, 7, 8, 9, 10, 11" in answer.output
    assert (f"bench.layouts {error}" in answer.output) == bool(error)
    run = read_run(tmp_path)
    assert run is not None
    assert (found,) == run.modules


def test_the_machine_is_told_without_its_name_or_a_path() -> None:
    facts = machine.describe()
    assert {"processor", "Python", "lxml", "msgspec", "grpcio", "SQLite", "OpenSSL"} <= facts.keys()
    written = json.dumps(facts)
    assert os.uname().nodename not in written
    assert "/" not in written
