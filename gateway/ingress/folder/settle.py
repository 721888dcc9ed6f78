"""Putting a judged file and its report where they belong, so that a crash repeats nothing.

The report is written first, whole and synced; then the file is moved. If the process dies between
the two, the file is judged again: an accepted one gives the same receipt, and the same report is
written again under the same name.
"""

from __future__ import annotations

import filecmp
import hashlib
import os
from contextlib import suppress
from pathlib import Path

from gateway.ingress.folder.scan import SIGNATURE_SUFFIX

REPORT_SUFFIX = ".receipt.json"
_MAX_NAME_BYTES = 200  # file systems take 255; the report's ending and a number come on top
_MAX_NUMBER = 10_000


def settle(*, source: Path, target: Path, report: bytes) -> Path:
    """Write the report into ``target`` and move the file (and its signature) beside it.

    Returns the file's new path. A name that is taken there by other content is numbered
    (``name~2.xml``). Raises ``OSError``; the file is then still where it was.
    """
    place = _free(target, _bounded(source.name), source)
    _write(target / (place + REPORT_SUFFIX), report)
    moved = target / place
    source.replace(moved)
    if not too_long(source.name):
        with suppress(FileNotFoundError):
            signature = source.with_name(source.name + SIGNATURE_SUFFIX)
            signature.replace(target / (place + SIGNATURE_SUFFIX))
    for folder in (target, source.parent):
        _sync(folder)
    return moved


def _free(target: Path, name: str, source: Path) -> str:
    """A name that nothing else has in ``target``; the same content may have it already."""
    stem, ending = Path(name).stem, Path(name).suffix
    for number in range(1, _MAX_NUMBER):
        candidate = name if number == 1 else f"{stem}~{number}{ending}"
        taken = target / candidate
        if not taken.exists() or filecmp.cmp(taken, source, shallow=False):
            return candidate
    raise FileExistsError(f"{target} has {_MAX_NUMBER} files of one name")


def too_long(name: str) -> bool:
    """Whether a file name leaves no room for the endings of its report and signature."""
    return len(os.fsencode(name)) > _MAX_NAME_BYTES


def _bounded(name: str) -> str:
    """The name, or its beginning and its hash when it is too long to get an ending."""
    raw = os.fsencode(name)
    if not too_long(name):
        return name
    digest = hashlib.sha256(raw).hexdigest()[:16]
    return f"{os.fsdecode(raw[:64])}~{digest}"


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
