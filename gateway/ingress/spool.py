"""Received bytes: in memory up to a bound, in an unnamed file above it, hashed as they come."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import tempfile
from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from gateway.core.bounds import Count
from gateway.core.envelope import Bytes, Content
from gateway.core.errors import Refused, Unavailable

RETRY_S = 5.0
"""When to come again to a disk that is full."""
READ_BYTES = 256 * 1024
"""How much a reader of a spooled body asks the file for at once."""


class SpoolSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Bounds of a body. ``directory``: where larger ones are spooled (default: the system's)."""

    memory_bytes: Count = 1024 * 1024
    max_bytes: Count = 128 * 1024 * 1024
    directory: str | None = None


class _Reader(io.RawIOBase):
    """An own position in a file that others read too (``pread``)."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = os.dup(descriptor)
        self._at = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed: Buffer
        piece = os.pread(self._descriptor, len(buffer), self._at)
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def close(self) -> None:
        if not self.closed:
            os.close(self._descriptor)
        super().close()


class Spooled:
    """Content in a file without a name: it is gone with the process, whatever happens.

    Reading it after its :class:`Intake` was closed raises ``ValueError``.
    """

    __slots__ = ("_file", "digest", "size")

    def __init__(self, file: BinaryIO, *, size: int, digest: str) -> None:
        self._file = file
        self.size = size
        self.digest = digest

    def open(self) -> BinaryIO:
        """A new reader from the start, with a position of its own."""
        return io.BufferedReader(_Reader(self._file.fileno()), READ_BYTES)

    def slices(self, size: int) -> Iterator[bytes]:
        """The bytes in pieces of at most ``size``."""
        with self.open() as reader:
            while piece := reader.read(size):
                yield piece


class Intake:
    """Takes a body piece by piece. Feed it, finish it, close it; the content lives until then."""

    def __init__(self, settings: SpoolSettings) -> None:
        self.settings = settings
        self._size = 0
        self._pieces: list[bytes] = []
        self._pending = 0
        self._hash: hashlib._Hash | None = None
        self._file: BinaryIO | None = None

    async def feed(self, piece: bytes) -> None:
        """Take the next bytes.

        Raises ``Refused("body.oversize")`` above the bound, ``Unavailable`` when the disk is full.
        """
        self._size += len(piece)
        check_size(self._size, self.settings)
        self._pieces.append(piece)
        self._pending += len(piece)
        if self._pending > self.settings.memory_bytes:
            await asyncio.to_thread(self._write)

    async def finish(self) -> Content:
        """The whole content; raises ``Refused("body.empty")`` when nothing came."""
        if self._size == 0:
            raise Refused("body.empty")
        if self._file is None:
            return Bytes(self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces))
        await asyncio.to_thread(self._write)
        return Spooled(self._file, size=self._size, digest=self._written().hexdigest())

    def close(self) -> None:
        """Let go of the file. May be called twice."""
        self._pieces = []
        if self._file is not None:
            self._file.close()

    def _written(self) -> hashlib._Hash:
        """The hash of what went to the file; small content never needs one."""
        if self._hash is None:
            self._hash = hashlib.sha256()
        return self._hash

    def _write(self) -> None:
        """Bring what waits in memory to the file; runs in a thread: it hashes and may block.

        Raises ``Unavailable`` for a disk that is full or fails: there may be room later.
        """
        try:
            if self._file is None:
                directory = self.settings.directory
                self._file = tempfile.TemporaryFile(buffering=0, dir=directory)  # noqa: SIM115 - close() ends it
            for piece in self._pieces:
                self._written().update(piece)
                view = memoryview(piece)
                while view:
                    view = view[self._file.write(view) :]
        except OSError as error:
            reason = os.strerror(error.errno or 0)
            raise Unavailable(
                f"bodies can not be spooled: {reason}", retry_after=RETRY_S
            ) from error
        self._pieces, self._pending = [], 0


def check_size(size: int, settings: SpoolSettings) -> None:
    """Refuse a size, declared or counted, that lies above the bound."""
    if size > settings.max_bytes:
        raise Refused("body.oversize", f"at most {settings.max_bytes} bytes are taken")
