"""Where conformance data lies: beside the repository, or where ``LUXOR_TEST_DATA`` says."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest


def data_file(*parts: str) -> Path:
    """A data file; a test without its data is reported as skipped, with the path it looked for."""
    root = os.environ.get("LUXOR_TEST_DATA") or Path(__file__).parents[2] / "shared" / "data"
    path = Path(root, *parts)
    if not path.exists():
        pytest.skip(f"conformance data absent: {path}")
    return path


def cases_of(*parts: str, cases: Callable[[Path], Iterable[Any]], width: int = 1) -> list[Any]:
    """The parameters of a test that are made of a data file or folder; one skipped case, of as
    many arguments as ``width`` says, when that is absent."""
    try:
        path = data_file(*parts)
    except pytest.skip.Exception as absent:
        mark = pytest.mark.skip(reason=str(absent))
        return [pytest.param(*[None] * width, id="absent", marks=mark)]
    found = list(cases(path))
    assert found, f"no cases in {path}"
    return found
