"""Processes that are killed and started again: each is a group of its own, with its workers."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import psutil

START_SECONDS = 60.0
STOP_SECONDS = 30.0


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Victim:
    """A process that serves a port, and whatever it starts."""

    def __init__(
        self, name: str, command: Sequence[str], *, port: int, log: Path, health: int | None = None
    ) -> None:
        """``health`` is the port of its operations listener, if it has one."""
        self.name = name
        self.port = port
        self._health = health
        self.log = log
        self._command = [sys.executable, *command]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start; :meth:`wait` says when it serves."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdout=log, stderr=log, env={**os.environ}, start_new_session=True
            )

    def wait(self) -> None:
        """Return once it serves; raises ``AssertionError`` with its log when it ended."""
        assert self._process is not None
        until = time.monotonic() + START_SECONDS
        while True:
            ended = self._process.poll()
            assert ended is None, f"{self.name} ended with {ended}: {self._said()}"
            if self._serves():
                return
            assert time.monotonic() < until, f"{self.name} does not serve: {self._said()}"
            time.sleep(0.02)

    def _serves(self) -> bool:
        if self._health is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return True
            return False
        asked = HTTPConnection("127.0.0.1", self._health, timeout=5)
        try:
            asked.request("GET", "/health/ready")
            return asked.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            asked.close()

    def kill(self) -> None:
        """End it and all that it started, without a word, as a power cut would."""
        if self._process is None:
            return
        family: list[psutil.Process] = []
        with contextlib.suppress(psutil.NoSuchProcess):
            family = psutil.Process(self._process.pid).children(recursive=True)
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        for member in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
        self._process.wait(STOP_SECONDS)
        psutil.wait_procs(family, STOP_SECONDS)

    def kill_worker(self, chosen: random.Random) -> bool:
        """End one process that it has started; false when there is none."""
        assert self._process is not None
        with contextlib.suppress(psutil.NoSuchProcess):
            workers = psutil.Process(self._process.pid).children()
            if workers:
                chosen.choice(workers).kill()
                return True
        return False

    def stop(self) -> int:
        """Ask it to end and wait; the exit status."""
        if self._process is None:
            return 0
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            return self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            return -int(signal.SIGKILL)

    def _said(self) -> str:
        return self.log.read_text("utf-8", errors="replace")[-4000:] if self.log.exists() else ""
