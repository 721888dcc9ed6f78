"""Finds something, starts a program and never ends, not even when it is asked to."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator

from bench.results import Series


def measure(*, quick: bool) -> Iterator[Series]:
    """The process that it started, and then nothing."""
    del quick
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with subprocess.Popen(["sleep", "600"]) as started:
        yield Series(plot="soak-memory", name="pid", x=(0,), y=(started.pid,))
        started.wait()
