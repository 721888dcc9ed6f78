"""Servers as processes of their own: started, weighed with all their children, and stopped."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import psutil

START_SECONDS = 60.0
STOP_SECONDS = 10.0
_TOLD = 400
"""Characters of a log that say why a server did not start."""


class NotStarted(Exception):
    """A server that ended, or never listened; says the end of its log."""


def free_port() -> int:
    """A port of the loopback address on which nobody listens now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextlib.contextmanager
def serving(
    command: Sequence[str | Path],
    *,
    port: int,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Iterator[int]:
    """Run a command in a session of its own until the block ends; its process id once it listens.

    Its log and its temporary files are in ``folder``. Raises `NotStarted`.
    """
    temporary = folder / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    set_for_all = {**os.environ, "TMPDIR": str(temporary), **(environment or {})}
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - the commands are those of this package
            [str(one) for one in command],
            stdout=output,
            stderr=output,
            env=set_for_all,
            cwd=cwd,
            start_new_session=True,
        )
    try:
        _await_listening(process, port, log)
        yield process.pid
    finally:
        _stop(process)


def _await_listening(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        said = log.read_text("utf-8", errors="replace").strip()[-_TOLD:]
        if process.poll() is not None:
            raise NotStarted(f"ended with {process.returncode}: {said}")
        if time.monotonic() > until:
            raise NotStarted(f"does not listen after {START_SECONDS:.0f} s: {said}")
        time.sleep(0.05)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask it, then end its whole session; workers of a server go with it."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(STOP_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(STOP_SECONDS)


def tree(pid: int) -> list[psutil.Process]:
    """A process and everything below it, now."""
    root = psutil.Process(pid)
    return [root, *root.children(recursive=True)]


def spent(pid: int) -> float:
    """Seconds of CPU, in user code and in the kernel, of a process and all below it so far."""
    total = 0.0
    for one in tree(pid):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = one.cpu_times()
            total += times.user + times.system
    return total


def resident(pid: int) -> float:
    """MiB of memory of a process and all below it; what they share counts once."""
    total = 0
    for one in tree(pid):
        with contextlib.suppress(psutil.NoSuchProcess):
            total += one.memory_full_info().pss
    return total / 2**20
