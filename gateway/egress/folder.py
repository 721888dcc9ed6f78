"""Delivery into a folder: one file for each message, there whole or not at all."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable, Sequence
from functools import partial
from io import FileIO
from pathlib import Path

import msgspec

from gateway.core.errors import Refused, Unavailable
from gateway.core.records import Outgoing
from translators.translator import FormatId

_SAFE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,119}")
GROUP = 64
"""Files that are written together at most."""


class FolderDestination:
    """One folder. Implements :class:`gateway.core.ports.Destination`.

    A file appears under its name by a rename, after it and its folder are on disk. A repeat writes
    the same name again, so that it leaves one file; whoever reads the folder applies a name once.
    What is delivered while other files are being written is written together after them.
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
        self._waiting: list[_Waiting] = []
        self._writing: asyncio.Task[None] | None = None
        self._closed = False

    async def deliver(self, outgoing: Outgoing) -> str | None:
        """Write one file; a folder knows no receipts, so the evidence is ``None``."""
        if self._closed:
            raise Unavailable("the destination is closed")
        name = outgoing.message_id + self._suffix(outgoing.format)
        if not _SAFE.fullmatch(name):
            raise Refused("interchange.id-invalid", "the message id is no file name")
        written = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(name, outgoing.content, written))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write(), name="egress.folder")
        error = await written
        if error is not None:
            raise Unavailable(f"folder: {os.strerror(error.errno or 0)}") from error
        return None

    async def close(self) -> None:
        """Nothing is held; nothing is delivered afterwards. May be called twice."""
        self._closed = True

    async def _write(self) -> None:
        """Write until nothing waits. What one file met is told to whoever waits for it."""
        try:
            while self._waiting:
                group, self._waiting = self._waiting[:GROUP], self._waiting[GROUP:]
                # One that was given up may have been begun again: both would have the same name.
                wanted = [each for each in group if not each.written.done()]
                if wanted:
                    await self._write_group(wanted)
        finally:
            self._writing = None

    async def _write_group(self, group: Sequence[_Waiting]) -> None:
        files = [(each.name, each.content) for each in group]
        try:
            errors = await asyncio.to_thread(_write_files, self._folder, files)
        except Exception as error:  # a mistake of ours, which each of them is to know
            for each in group:
                if not each.written.done():
                    each.written.set_exception(error)
            return
        for each, met in zip(group, errors, strict=True):
            if not each.written.done():
                each.written.set_result(met)


class _Waiting(msgspec.Struct, frozen=True, eq=False):
    """A file that is to be written; ``written`` is done with what its writing met."""

    name: str
    content: bytes
    written: asyncio.Future[OSError | None]


def _write_files(folder: Path, files: Sequence[tuple[str, bytes]]) -> list[OSError | None]:
    """Write, sync, rename, sync the folder: a crash leaves each file whole or not at all.

    Step by step for all, since a file system has less to do for files that were written together
    before the first of them is synced. What each file met is told in their order.
    """
    group = [_File(folder, name) for name, _ in files]
    try:
        for file, (_, content) in zip(group, files, strict=True):
            file.attempt(partial(file.write, content))
        for step in (_File.sync, _File.show):
            for file in group:
                file.attempt(partial(step, file))
    finally:
        for file in group:
            file.close()
    unsynced = _met(partial(_sync, folder)) if any(file.shown for file in group) else None
    return [file.met or unsynced for file in group]


class _File:
    """A file on its way to its name; after what it met first, nothing more is done to it."""

    def __init__(self, folder: Path, name: str) -> None:
        self._temporary = f"{folder}/.{name}.tmp"  # one writer for each message id: by leases
        self._name = f"{folder}/{name}"
        self._file: FileIO | None = None
        self.met: OSError | None = None
        self.shown = False

    def attempt(self, step: Callable[[], None]) -> None:
        """Take a step, unless an earlier one failed."""
        if self.met is None:
            self.met = _met(step)

    def write(self, content: bytes) -> None:
        """Write all of it beside its place."""
        self._file = FileIO(self._temporary, "wb")
        written = self._file.write(content)
        while written < len(content):
            written += self._file.write(content[written:])

    def sync(self) -> None:
        """Have it on disk."""
        assert self._file is not None
        os.fsync(self._file.fileno())

    def show(self) -> None:
        """Put it in its place."""
        os.replace(self._temporary, self._name)  # noqa: PTH105 - half the time of a path's
        self.shown = True

    def close(self) -> None:
        """Let go of it."""
        if self._file is not None:
            self._file.close()


def _met(step: Callable[[], None]) -> OSError | None:
    try:
        step()
    except OSError as error:
        return error
    return None


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
