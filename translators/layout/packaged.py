"""The layouts and code tables that come with the package."""

from __future__ import annotations

from functools import cache
from importlib import resources

from translators.layout.compile import compile_plans
from translators.layout.source import Resolve
from translators.layout.translator import LayoutTranslator


def compile_layout(
    source_text: str, *, name: str, resolve: Resolve | None = None
) -> LayoutTranslator:
    """Compile a layout file.

    ``name`` is what mistakes call the file. ``resolve`` gives text and file name of what the
    layout extends (``upu.itmatt.1``) and of shared code tables (``codes/mail-class``), and
    raises :class:`LookupError` for what it does not have; by default those of the package.
    Raises :class:`LayoutError` with every mistake.
    """
    return LayoutTranslator(compile_plans(source_text, file=name, resolve=resolve or packaged_text))


@cache
def packaged(format_id: str) -> LayoutTranslator:
    """A layout of the package; raises :class:`LookupError` when there is none of that name."""
    text, file = packaged_text(format_id)
    return compile_layout(text, name=file)


def packaged_ids() -> tuple[str, ...]:
    """The format ids of all layouts of the package."""
    folder = resources.files("translators") / "layouts"
    names = (entry.name for entry in folder.iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


def packaged_text(name: str) -> tuple[str, str]:
    """Text and file name of a packaged layout, or of a code table ``codes/NAME``."""
    folder, slash, table = name.rpartition("/")
    if slash and folder != "codes":
        raise LookupError(name)
    file = f"{table}.toml"
    place = resources.files("translators") / ("codes" if slash else "layouts") / file
    if not place.is_file():
        raise LookupError(name)
    return place.read_text("utf-8"), f"codes/{file}" if slash else file
