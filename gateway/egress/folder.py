"""Delivery into a folder: one file for each message, there whole or not at all."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable
from pathlib import Path

from gateway.core.errors import Refused, Unavailable
from gateway.core.records import Outgoing
from translators.translator import FormatId

_SAFE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,119}")


class FolderDestination:
    """One folder. Implements :class:`gateway.core.ports.Destination`.

    A file appears under its name by a rename, after it and its folder are on disk. A repeat writes
    the same name again, so that it leaves one file; whoever reads the folder applies a name once.
    """

    def __init__(
        self,
        *,
        id: str,  # noqa: A002 - the word of the port that this implements
        folder: Path,
        suffix: Callable[[FormatId], str],
    ) -> None:
        """``suffix`` gives the ending of the file name of a format, with its dot."""
        self.id = id
        self._folder = folder
        self._suffix = suffix
        self._closed = False

    async def deliver(self, outgoing: Outgoing) -> str | None:
        """Write one file; a folder knows no receipts, so the evidence is ``None``."""
        if self._closed:
            raise Unavailable("the destination is closed")
        name = outgoing.message_id + self._suffix(outgoing.format)
        if not _SAFE.fullmatch(name):
            raise Refused("interchange.id-invalid", "the message id is no file name")
        try:
            await asyncio.to_thread(_write, self._folder, name, outgoing.content)
        except OSError as error:
            raise Unavailable(f"folder: {os.strerror(error.errno or 0)}") from error
        return None

    async def close(self) -> None:
        """Nothing is held; nothing is delivered afterwards. May be called twice."""
        self._closed = True


def _write(folder: Path, name: str, content: bytes) -> None:
    """Write, sync, rename, sync the folder: a crash leaves the file whole or not at all."""
    temporary = folder / f".{name}.tmp"  # one writer for each message id: leases see to that
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(folder / name)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
