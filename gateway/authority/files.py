"""Files of keys and certificates: put in place whole, private ones for their owner alone."""

from __future__ import annotations

import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.authority.faults import AuthorityError
from gateway.keys import permissions
from gateway.keys.errors import KeyUnusable

_OTHERS_WRITE = 0o022


def put(path: Path, content: bytes, *, private: bool = False, mode: int | None = None) -> None:
    """Replace or make the file, so that no reader ever sees a part of it, also after a crash.

    ``mode``: other permissions than 0600 for what is private and 0644 for what is not.
    """
    if mode is None:
        mode = 0o600 if private else 0o644
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_private(path: Path) -> bytes:
    """The file, if nobody but its owner may read or write it; raises ``AuthorityError``."""
    try:
        return permissions.read_private(path)
    except KeyUnusable as error:
        raise AuthorityError(f"{error}, and ask who may have read it") from error


def check_writers(path: Path) -> None:
    """Raise ``AuthorityError`` when others than the owner may write the file or folder."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & _OTHERS_WRITE:
        raise AuthorityError(
            f"{path} can be written by others than its owner (mode {mode:04o}); chmod go-w {path}"
        )


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Let one process at a time change the folder."""
    with (folder / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
