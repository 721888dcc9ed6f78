"""The files of a published suite as cases of a test, one each."""

from __future__ import annotations

from typing import Any

import pytest

from tests.data import data_file


def file_cases(*parts: str, pattern: str) -> list[Any]:
    """A parameter for each file of a data folder, by name; one skipped case without its data."""
    try:
        folder = data_file(*parts)
    except pytest.skip.Exception as absent:
        return [pytest.param(None, id="absent", marks=pytest.mark.skip(reason=str(absent)))]
    found = sorted(folder.rglob(pattern))
    assert found, f"no {pattern} in {folder}"
    return [pytest.param(path, id=path.relative_to(folder).as_posix()) for path in found]
