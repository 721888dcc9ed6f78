"""The harness of the suites on a small folder of tests, each run by a pytest of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance.harness import read_waivers

CASES = """
import pytest
from tests.data import data_file

@pytest.mark.conformance("Numbers")
@pytest.mark.parametrize("number", [1, 2, 3])
def test_small(number, figure):
    figure("digits", number, 3)
    assert number < 3

@pytest.mark.conformance("Far away")
def test_far():
    data_file("nowhere", "at", "all")

def test_of_no_suite():
    pass
"""
WAIVED = '[Numbers]\n"test_small[3]" = "three is many"\n'


def run(folder: Path, *arguments: str, waivers: str = WAIVED) -> tuple[int, list[str]]:
    """Exit status and what stands below the summary's heading."""
    (folder / "waivers.toml").write_text(waivers, "utf-8")
    (folder / "pytest.ini").write_text(
        "[pytest]\ntestpaths = .\nmarkers =\n    conformance(suite): x\n", "utf-8"
    )
    (folder / "test_cases.py").write_text(CASES, "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", *arguments]
    command += ["-p", "no:cacheprovider", f"--waivers={folder}/waivers.toml"]
    ran = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # quicker, and the harness needs none
        },
    )
    lines = ran.stdout.splitlines()
    headings = [at for at, line in enumerate(lines) if " conformance " in line]
    return ran.returncode, lines[headings[0] + 1 : -1] if headings else []


@pytest.mark.parametrize("workers", [(), ("-p", "xdist", "-n", "2")], ids=["alone", "workers"])
def test_each_suite_has_its_line_figures_and_waivers(
    tmp_path: Path, workers: tuple[str, ...]
) -> None:
    status, lines = run(tmp_path, "--conformance", *workers)

    far, *numbers, absent = lines
    assert status == 0
    assert far == "Far away: 0 of 1 (1 skipped)"
    assert numbers == [
        "Numbers: 2 of 3 (1 waived)",
        "    digits: 6 of 9 (66.67 %)",
        "    waived test_small[3]: three is many",
    ]
    assert absent.startswith("absent, so not tested: ")
    assert absent.endswith("nowhere/at/all")


def test_without_the_option_there_is_no_summary(tmp_path: Path) -> None:
    assert run(tmp_path) == (0, [])


def test_a_failure_is_named_below_its_suite(tmp_path: Path) -> None:
    status, lines = run(tmp_path, "--conformance", waivers="")

    assert status == 1
    assert "Numbers: 2 of 3" in lines
    assert "    FAILED test_small[3]" in lines


def test_a_waived_case_that_passes_fails_the_run(tmp_path: Path) -> None:
    status, lines = run(
        tmp_path, "--conformance", waivers=WAIVED + '"test_small[1]" = "one is too few"\n'
    )

    assert status == 1
    assert "    FAILED test_small[1]" in lines


def test_a_waiver_of_a_case_that_there_is_not_fails_the_run(tmp_path: Path) -> None:
    waivers = WAIVED + '"test_small[9]" = "nine is far too many"\n[Letters]\nb = "as a"\n'

    status, lines = run(tmp_path, "--conformance", waivers=waivers)

    assert status == 1
    assert "FAILED [Numbers] test_small[9] is waived, but there is no such case" in lines
    assert "FAILED [Letters] is waived in part, but there is no such suite" in lines


def test_a_part_of_the_tests_tells_nothing_about_waivers(tmp_path: Path) -> None:
    waivers = WAIVED + '"test_small[9]" = "far"\n'

    by_word, _ = run(tmp_path, "--conformance", "-k", "small", waivers=waivers)
    by_file, _ = run(tmp_path, "--conformance", "test_cases.py", waivers=waivers)

    assert (0, 0) == (by_word, by_file)


def test_a_waiver_needs_a_reason(tmp_path: Path) -> None:
    path = tmp_path / "waivers.toml"
    path.write_text('[Numbers]\n"test_small[3]" = " "\n', "utf-8")

    with pytest.raises(ValueError, match=r"\[Numbers\] test_small\[3\] has no reason"):
        read_waivers(path)
