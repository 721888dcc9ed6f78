"""Mistakes in what an operator wrote: collected, each with its place."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec


class Mistake(msgspec.Struct, frozen=True):
    """One mistake: ``path`` such as ``party[2].grant[0].formats``, ``detail`` a sentence."""

    path: str
    detail: str

    def __str__(self) -> str:
        return f"{self.path}: {self.detail}" if self.path else self.detail


class RegistryError(ValueError):
    """A registry or profile that cannot be used; ``mistakes`` says everything that is wrong."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes: tuple[Mistake, ...] = tuple(mistakes)
        super().__init__("\n".join(map(str, self.mistakes)))
