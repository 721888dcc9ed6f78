"""Layout files of one's own, with what lies beside them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from translators.layout import LayoutError, LayoutTranslator, Mistake, compile_layout
from translators.layout.packaged import packaged_text

_ID: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
"""An id stands in headers, in names of files and in grants, where ``*`` is no letter."""
_NAME = r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}"
_MEDIA_TYPE: Final = re.compile(f"{_NAME}/{_NAME}")  # RFC 6838 section 4.2


def read_layout(path: Path) -> LayoutTranslator:
    """The format that a layout file defines.

    What it extends is ``ID.toml`` in the same folder, a code table ``codes/NAME.toml`` there;
    what does not lie there is that of the package. Raises :class:`OSError` when the file cannot
    be read and :class:`LayoutError` with every mistake, each with its file and line.
    """

    def resolve(name: str) -> tuple[str, str]:
        beside = path.parent / f"{name}.toml"
        if _is_plain(name) and beside.is_file():
            return _read(beside), str(beside)
        return packaged_text(name)

    text = _read(path)
    found = compile_layout(text, name=str(path), resolve=resolve)
    mistakes = [
        Mistake(str(path), _line(text, key), "", key, detail) for key, detail in _head(found)
    ]
    if mistakes:
        raise LayoutError(mistakes)
    return found


def repeated(layouts: Iterable[tuple[Path, LayoutTranslator]]) -> Iterator[tuple[int, Mistake]]:
    """Files that define a format which another one before them defines: their number, and what
    to say. The same as a packaged one is no mistake, it takes that one's place."""
    first: dict[str, Path] = {}
    for index, (path, found) in enumerate(layouts):
        if found.id not in first:
            first[found.id] = path
            continue
        detail = f"{found.id} is what {first[found.id]} defines"
        yield index, Mistake(str(path), _line(_read(path), "layout"), "", "layout", detail)


def _head(found: LayoutTranslator) -> Iterator[tuple[str, str]]:
    """What the head of a layout may not say where it is used: key and reason."""
    if not _ID.fullmatch(found.id):
        yield "layout", f"{found.id!r} is no id: up to 100 letters, digits, dots, hyphens, _"
        return
    for name in found.media_types:
        if not _MEDIA_TYPE.fullmatch(name):
            yield "media-types", f"{name!r} is no media type without parameters"


def _line(text: str, key: str) -> int:
    """The line of a key of the head; what it extends may have it in its stead."""
    match = re.search(rf"(?m)^[ \t]*{key}[ \t]*=", text)
    return text.count("\n", 0, match.start()) + 1 if match else 1


def _is_plain(name: str) -> bool:
    """True for ``NAME`` and ``codes/NAME``: no other way leads out of the folder."""
    folder, _, last = name.rpartition("/")
    return folder in ("", "codes") and not last.startswith(".") and "\\" not in last


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise LayoutError([Mistake(str(path), 1, "", "", "not UTF-8")]) from error
