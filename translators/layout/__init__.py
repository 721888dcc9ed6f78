"""Layouts: data files that define a wire format, compiled into reader, writer and schema."""

from translators.layout.leaves import leaves, without
from translators.layout.mistakes import LayoutError, Mistake
from translators.layout.packaged import compile_layout, packaged, packaged_ids
from translators.layout.plan import Detached
from translators.layout.translator import LayoutTranslator

__all__ = [
    "Detached",
    "LayoutError",
    "LayoutTranslator",
    "Mistake",
    "compile_layout",
    "leaves",
    "packaged",
    "packaged_ids",
    "without",
]
