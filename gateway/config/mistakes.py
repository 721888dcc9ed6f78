"""What is wrong with a configuration: every mistake with its path, never one at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec


class Mistake(msgspec.Struct, frozen=True):
    """One mistake: where in the file (``route[2].to``) and what."""

    path: str
    text: str


class ConfigError(Exception):
    """A configuration that can not be used; ``mistakes`` has all that is wrong."""

    def __init__(self, file: str, mistakes: Iterable[Mistake]) -> None:
        self.file = file
        self.mistakes: tuple[Mistake, ...] = tuple(mistakes)
        super().__init__("\n".join(self._lines()))

    def _lines(self) -> Iterator[str]:
        for mistake in self.mistakes:
            yield ": ".join(part for part in (self.file, mistake.path, mistake.text) if part)
