"""Which files of a folder may be taken now.

A file is taken when its size, its time of change and its identity are those of the round before:
one that appears by a rename is there whole, one that is still being copied changes between rounds.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

import msgspec

SIGNATURE_SUFFIX = ".jws"
_UNFINISHED = (".tmp", ".part")


class Look(msgspec.Struct, frozen=True):
    """What tells whether a file changed."""

    size: int
    changed_ns: int
    inode: int


class Round(msgspec.Struct, frozen=True):
    """One look at a folder: every candidate, and those that stood still since the one before."""

    looks: Mapping[str, Look]
    still: tuple[str, ...]


def look(folder: Path, before: Mapping[str, Look], *, listing: int, batch: int) -> Round:
    """Look at ``folder``; at most ``listing`` files are looked at and ``batch`` are taken.

    Those that changed longest ago come first. Passed over are directories, links, hidden files,
    unfinished ones (``.tmp``, ``.part``) and signatures. Raises ``OSError`` when the folder
    cannot be read.
    """
    looks: dict[str, Look] = {}
    with os.scandir(folder) as entries:
        for entry in entries:
            if len(looks) >= listing:
                break
            if entry.name.startswith(".") or entry.name.endswith((*_UNFINISHED, SIGNATURE_SUFFIX)):
                continue
            try:
                found = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue  # its owner took it back
            if stat.S_ISREG(found.st_mode):
                looks[entry.name] = Look(found.st_size, found.st_mtime_ns, found.st_ino)
    still = [name for name, seen in looks.items() if before.get(name) == seen]
    still.sort(key=lambda name: (looks[name].changed_ns, name))
    return Round(looks, tuple(still[:batch]))
