"""A fair queue before the write lock.

SQLite's own waiting is not fair: a waiter sleeps while a busy writer takes the lock again and
again. Here a writer first takes the gate, then the lock, and gives the gate back when it has the
lock; so whoever waits at the gate is next. Between the threads of a process by locks, between
processes by ``flock`` on two files, which the kernel gives back when a process dies.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.core.errors import Unavailable

_SHORTEST, _LONGEST = 0.0001, 0.002  # seconds between two looks at a lock of another process


class Turnstile:
    """One per opened journal; ``seconds`` bounds each wait."""

    def __init__(self, folder: Path, *, seconds: float) -> None:
        self._seconds = seconds
        self._gate, self._lock = threading.Lock(), threading.Lock()
        self._files = tuple(
            os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            for name in ("gate", "lock")
        )

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Hold the right to write; raises ``Unavailable`` when it does not come in time."""
        deadline = time.monotonic() + self._seconds
        self._acquire_thread_lock(self._gate, deadline)
        try:
            self._acquire_thread_lock(self._lock, deadline)
        finally:
            self._gate.release()
        try:
            with self._among_processes(deadline):
                yield
        finally:
            self._lock.release()

    @contextmanager
    def _among_processes(self, deadline: float) -> Iterator[None]:
        gate, lock = self._files
        _acquire_file_lock(gate, deadline)
        try:
            _acquire_file_lock(lock, deadline)
        finally:
            fcntl.flock(gate, fcntl.LOCK_UN)
        try:
            yield
        finally:
            fcntl.flock(lock, fcntl.LOCK_UN)

    def _acquire_thread_lock(self, lock: threading.Lock, deadline: float) -> None:
        if not lock.acquire(timeout=max(0.0, deadline - time.monotonic())):
            raise _late()

    def close(self) -> None:
        """Close the files; the turnstile is of no use afterwards."""
        for file in self._files:
            os.close(file)
        self._files = ()


def _acquire_file_lock(file: int, deadline: float) -> None:
    pause = _SHORTEST
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() >= deadline:
                raise _late() from error
            time.sleep(pause)
            pause = min(_LONGEST, pause * 2)
        else:
            return


def _late() -> Unavailable:
    return Unavailable("the journal is busy", retry_after=1.0)
