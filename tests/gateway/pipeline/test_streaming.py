"""Memory does not grow with the number of items: neither accepting nor delivering them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

HANG_SECONDS = 120
FEW, MANY = 1_000, 10_000
OUTCOME_BYTES = 700
"""What is kept of an item until the interchange is judged: its outcome, as a value and as text."""
SLACK = 2 << 20
"""What two runs of the same size differ by."""


def run(folder: Path, items: int) -> dict[str, int]:
    """One interchange of so many items, through a process of its own."""
    command = [sys.executable, "-m", "tests.gateway.pipeline.streaming_worker"]
    done = subprocess.run(
        [*command, str(folder), str(items)],
        capture_output=True,
        text=True,
        timeout=HANG_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, int] = json.loads(done.stdout)
    return told


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """How much more the process needs for the many than for the few, step by step."""
    folder = tmp_path_factory.mktemp("streaming")
    few, many = run(folder, FEW), run(folder, MANY)
    assert (FEW, FEW) == (few["accepted"], few["delivered"])
    assert (MANY, MANY) == (many["accepted"], many["delivered"])
    return {
        step: (many[step] - many["begun"]) - (few[step] - few["begun"])
        for step in ("after_accepting", "after_delivering")
    }


def test_accepting_ten_times_the_items_needs_their_outcomes_and_no_more(
    grown: dict[str, int],
) -> None:
    assert grown["after_accepting"] < (MANY - FEW) * OUTCOME_BYTES + SLACK


def test_delivering_ten_times_the_items_needs_nothing_more(grown: dict[str, int]) -> None:
    assert grown["after_delivering"] < grown["after_accepting"] + SLACK
