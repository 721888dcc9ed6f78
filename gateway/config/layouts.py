"""Layout files of one's own, with what lies beside them."""

from __future__ import annotations

from pathlib import Path

from translators.layout import LayoutError, LayoutTranslator, Mistake, compile_layout
from translators.layout.packaged import packaged_text


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

    return compile_layout(_read(path), name=str(path), resolve=resolve)


def _is_plain(name: str) -> bool:
    """True for ``NAME`` and ``codes/NAME``: no other way leads out of the folder."""
    folder, _, last = name.rpartition("/")
    return folder in ("", "codes") and not last.startswith(".") and "\\" not in last


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise LayoutError([Mistake(str(path), 1, "", "", "not UTF-8")]) from error
