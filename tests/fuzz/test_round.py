"""The short round of every target, what was ever found, and that a round finds what is there.

``make fuzz`` runs the same targets for a minute each and follows the branches that they take.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from tests.fuzz.catalogue import TARGETS, target
from tests.fuzz.round import Result
from tests.fuzz.watch import SLOW_SECONDS, Watch

HANG_SECONDS = 300
RUNS = 400
FINDINGS = Path(__file__).with_name("findings.toml")


class _Finding(msgspec.Struct, frozen=True):
    """An input that broke a law once. ``data`` is hexadecimal; ``law`` says what it broke."""

    target: str
    data: str
    law: str


class _Findings(msgspec.Struct, frozen=True):
    finding: tuple[_Finding, ...]


KNOWN = msgspec.toml.decode(FINDINGS.read_bytes(), type=_Findings).finding


def fuzzed(into: Path, *arguments: str) -> tuple[int, dict[str, Result]]:
    """The status of a round in a process of its own, and its results by target."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.round", "--json", "--seed", "1", "--into", str(into),
         *arguments],
        capture_output=True,
        timeout=HANG_SECONDS,
        check=False,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr.decode()
    results = msgspec.json.decode(done.stdout, type=list[Result])
    return done.returncode, {result.target: result for result in results}


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    """One blind round over everything, always the same one."""
    return fuzzed(tmp_path_factory.mktemp("fuzz"), "--blind", "--runs", str(RUNS))[1]


@pytest.mark.parametrize("name", [each.name for each in TARGETS])
def test_only_refusals_come_out_of_a_parser(short: dict[str, Result], name: str) -> None:
    result = short[name]

    found = [f"{Path(file).read_bytes().hex()} {file}" for file in result.findings]
    assert (0, [], "") == (result.status, found, result.reason)
    assert result.runs >= RUNS * target(name).share


@pytest.mark.parametrize("finding", KNOWN, ids=[f"{one.target}-{n}" for n, one in enumerate(KNOWN)])
def test_what_was_found_once_stays_away(finding: _Finding, tmp_path: Path) -> None:
    watch = Watch(tmp_path)

    watch.over(target(finding.target).prepare().judge)(bytes.fromhex(finding.data))

    assert [] == [file.read_text() for file in tmp_path.glob("finding-*.txt")], finding.law
    assert 1 == watch.runs


def test_a_round_finds_what_is_planted_and_follows_branches(tmp_path: Path) -> None:
    planted = [f"planted-{name}" for name in ("raising", "refusing", "dying")]
    status, results = fuzzed(tmp_path, "--runs", "100", *planted, "compact")

    assert 1 == status
    raising, refusing, dying = (results[name] for name in planted)
    assert raising.runs > 100, "an exception is noted and the round goes on"
    assert b"aa" != Path(raising.findings[0]).read_bytes()
    assert "IndexError" in raising.reason
    assert "the first seed is refused" in refusing.reason
    assert b"aa" != Path(dying.findings[0]).read_bytes(), "the input that killed the process"
    assert "the process ended with" in dying.reason
    assert [results["compact"]] == [result for result in results.values() if result.good]
    assert results["compact"].covered > 20


def test_an_input_that_takes_too_long_is_a_finding(tmp_path: Path) -> None:
    def slow(data: bytes) -> None:
        until = time.process_time() + SLOW_SECONDS + 0.1
        while time.process_time() < until:
            pass

    Watch(tmp_path).over(slow)(b"slow")

    (reason,) = tmp_path.glob("finding-*.txt")
    assert "s of CPU for one input" in reason.read_text()
    assert b"slow" == reason.with_suffix("").read_bytes()


def test_names_of_targets_are_told_apart() -> None:
    names = [each.name for each in TARGETS]

    assert len(names) == len(set(names)) > 20
