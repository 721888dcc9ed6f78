"""Every format that is held to the laws: the registered ones, and the examples of dialects."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from gateway.config.layouts import read_layout
from translators.registry import standard
from translators.translator import Translator

EXAMPLES = Path(__file__).parents[1] / "examples" / "layouts"


@cache
def every_format() -> tuple[Translator, ...]:
    """Each once; a format that is added to the registry or the examples is here by that."""
    return (*standard(), *(read_layout(file) for file in sorted(EXAMPLES.glob("*.toml"))))
