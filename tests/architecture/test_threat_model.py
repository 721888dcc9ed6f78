"""docs/threat-model.md names tests that exist, and leaves out no code of a refusal."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import msgspec
import pytest

from gateway.core.errors import problem_kinds
from trust.errors import CODES

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/threat-model.md"
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)(?:\[[^`]*\])?`")
CODE = re.compile(r"`([a-z0-9-]+\.[a-z0-9.-]+|internal|overload)`")
LAST = "shown by"
OUT = "## Codes that are not about trust"


class Row(msgspec.Struct, frozen=True):
    """One threat: its text, its codes and the tests that show its control."""

    text: str
    codes: frozenset[str]
    tests: tuple[tuple[str, str], ...]


def rows() -> list[Row]:
    """The rows of all tables that say by what they are shown."""
    found, within = [], False
    for line in PAGE.read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|"):
            within = False
        elif cells[-1] == LAST:
            within = True
        elif within and not line.startswith("|---"):
            assert len(cells) == 4, line
            text, control, codes, tests = cells
            assert text
            assert control
            found.append(Row(text, frozenset(CODE.findall(codes)), tuple(NAMED.findall(tests))))
    return found


@cache
def functions_in(file: str) -> frozenset[str]:
    """The test functions of a module, those of classes too; none when it is not there."""
    path = ROOT / file
    if not path.is_file():
        return frozenset()
    return frozenset(
        node.name
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    )


def test_every_test_that_is_named_exists() -> None:
    named = NAMED.findall(PAGE.read_text("utf-8"))

    assert len(named) > 80
    assert [] == [f"{file}::{name}" for file, name in named if name not in functions_in(file)]


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.text[:60])
def test_every_threat_has_a_control_that_is_shown(row: Row) -> None:
    assert row.tests


def test_every_refusal_has_its_threat_or_is_said_to_have_none() -> None:
    known = CODES.keys() | problem_kinds().keys()
    in_rows = {code for row in rows() for code in row.codes}
    out = set(CODE.findall(PAGE.read_text("utf-8").partition(OUT)[2]))

    assert set() == known - in_rows - out, "name them in a row, or as not about trust"
    assert set() == (in_rows | out) - known, "there are no such codes"
    assert set() == in_rows & out
    assert set() == out & CODES.keys(), "what the package trust refuses is about trust"


def test_the_boundaries_of_the_picture_are_those_of_the_tables() -> None:
    text = PAGE.read_text("utf-8")
    drawn = {int(number) for number in re.findall(r"[{\[(]+(\d) [A-Za-z]", text)}
    titled = {int(number) for number in re.findall(r"^## (\d) ", text, re.MULTILINE)}

    assert titled == drawn == set(range(1, 10))
