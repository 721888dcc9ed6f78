"""Finds something, starts a program and never ends."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

from bench.results import Series


def measure(*, quick: bool) -> Iterator[Series]:
    """The process that it started, and then nothing."""
    del quick
    with subprocess.Popen(["sleep", "600"]) as started:
        yield Series(plot="soak-memory", name="pid", x=(0,), y=(started.pid,))
        started.wait()
