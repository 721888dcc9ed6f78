"""Reading a file that somebody else may still touch."""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path

from gateway.core.envelope import Content
from gateway.core.errors import Refused
from gateway.ingress.folder.scan import SIGNATURE_SUFFIX, Look
from gateway.ingress.spool import Intake, check_size

_READ_BYTES = 1024 * 1024
# No links are followed, and a pipe under that name does not block.
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class ChangedError(Exception):
    """The file is not what it was when it was looked at: it is left for the next round."""


async def read_file(path: Path, seen: Look, intake: Intake) -> Content:
    """A private copy of the file, hashed; large ones are spooled.

    Raises ``ChangedError`` when the file is another one or changes while it is read, ``Refused``
    when it is empty or too large, ``OSError`` when it cannot be read.
    """
    check_size(seen.size, intake.settings)
    with os.fdopen(await asyncio.to_thread(os.open, path, _FLAGS), "rb", buffering=0) as file:
        if _look(file.fileno()) != seen:
            raise ChangedError
        while piece := await asyncio.to_thread(file.read, _READ_BYTES):
            await intake.feed(piece)
        if _look(file.fileno()) != seen:
            raise ChangedError
    return await intake.finish()


def read_signature(path: Path, *, limit: int) -> str | None:
    """The detached signature beside a file, if there is one; raises ``Refused`` for rubbish."""
    beside = path.with_name(path.name + SIGNATURE_SUFFIX)
    try:
        if not stat.S_ISREG(beside.lstat().st_mode):
            raise Refused("signature.malformed", "what lies beside it is no file")
        descriptor = os.open(beside, _FLAGS)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        raw = file.read(limit + 1)
    if len(raw) > limit or not raw.isascii():
        raise Refused("signature.malformed")
    return raw.decode("ascii").strip() or None


def _look(descriptor: int) -> Look:
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        raise ChangedError
    return Look(found.st_size, found.st_mtime_ns, found.st_ino)
