"""Reading what only its owner may read."""

from __future__ import annotations

import os
import shlex
import stat
from pathlib import Path

from gateway.keys.errors import KeyUnusable

MAX_PRIVATE_BYTES = 64 * 1024
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def read_private(path: Path, *, strict: bool = True) -> bytes:
    """The content of a file that group and others have no access to; raises ``KeyUnusable``.

    The permissions are those of the very file that is read, also behind a link.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            _judge(path, os.fstat(handle), strict=strict)
            return os.read(handle, MAX_PRIVATE_BYTES)
        finally:
            os.close(handle)
    except OSError as error:
        raise KeyUnusable(f"{path}: {error.strerror}") from error


def _judge(path: Path, found: os.stat_result, *, strict: bool) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise KeyUnusable(f"{path}: not a file")
    if strict and found.st_mode & _OTHERS:
        mode = stat.S_IMODE(found.st_mode)
        raise KeyUnusable(
            f"{path}: others than its owner have access (mode {mode:04o}); "
            f"run: chmod 600 {shlex.quote(str(path))}"
        )
    if found.st_size > MAX_PRIVATE_BYTES:
        raise KeyUnusable(f"{path}: larger than {MAX_PRIVATE_BYTES} bytes")
