"""Where conformance data lies: beside the repository, or where ``LUXOR_TEST_DATA`` says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def data_file(*parts: str) -> Path:
    """A data file; a test without its data is reported as skipped, with the path it looked for."""
    root = os.environ.get("LUXOR_TEST_DATA") or Path(__file__).parents[2] / "shared" / "data"
    path = Path(root, *parts)
    if not path.exists():
        pytest.skip(f"conformance data absent: {path}")
    return path
