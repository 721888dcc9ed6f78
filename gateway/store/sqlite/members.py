"""Which processes have the journal open: each holds a lock on a file of its own.

The kernel drops that lock when the process ends, however it ends, so "is its owner gone?" has an
exact answer at once, without a clock.
"""

from __future__ import annotations

import fcntl
import os
import re
from pathlib import Path

_NAME = re.compile(r"[0-9a-f]{12}")
"""Names of processes; the folder also has the locks of writers."""


class Membership:
    """This process's own entry; made under the write lock, so that nobody clears it half-made."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self._path = folder / name
        self._file: int | None = os.open(
            self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600
        )
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def close(self) -> None:
        """Leave. May be called twice."""
        if self._file is not None:
            self._path.unlink(missing_ok=True)
            os.close(self._file)
            self._file = None


def gone(folder: Path, name: str) -> bool:
    """True when the process of that name has ended; its file is removed then."""
    path = folder / name
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    else:
        path.unlink(missing_ok=True)
        return True
    finally:
        os.close(file)


def alive(folder: Path) -> tuple[str, ...]:
    """The processes whose locks are held, whose files stay as they are.

    Under the write lock: a process that is just entering must not find its file locked.
    """
    return tuple(
        sorted(path.name for path in folder.iterdir() if _NAME.fullmatch(path.name) and _held(path))
    )


def _held(path: Path) -> bool:
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(file)
