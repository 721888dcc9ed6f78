"""The files of a published suite as cases of a test, one each."""

from __future__ import annotations

from typing import Any

import pytest

from tests.data import cases_of


def file_cases(*parts: str, pattern: str) -> list[Any]:
    """A parameter for each file of a data folder, by name; one skipped case without its data."""
    return cases_of(
        *parts,
        cases=lambda folder: (
            pytest.param(path, id=path.relative_to(folder).as_posix())
            for path in sorted(folder.rglob(pattern))
        ),
    )
