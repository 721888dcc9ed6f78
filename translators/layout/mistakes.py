"""Mistakes in a layout file: collected, named by file and line, raised all at once."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec


class Mistake(msgspec.Struct, frozen=True, order=True):
    """One mistake of the person who wrote a layout; ``line`` counts from 1."""

    file: str
    line: int
    group: str
    key: str
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: [{self.group}] {self.key}: {self.text}"


class LayoutError(Exception):
    """A layout that cannot be compiled; ``mistakes`` has every one, in the order of the files."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


class Line(msgspec.Struct, frozen=True):
    """One line of a layout file, ``key = "text"``, with where it stands."""

    group: str
    key: str
    text: str
    file: str
    line: int


class Mistakes:
    """Collects mistakes while a layout is compiled."""

    def __init__(self) -> None:
        self._found: list[Mistake] = []

    def add(self, line: Line, text: str) -> None:
        """Record what is wrong with one line; the same thing is recorded once."""
        mistake = Mistake(line.file, line.line, line.group, line.key, text)
        if mistake not in self._found:
            self._found.append(mistake)

    def __bool__(self) -> bool:
        return bool(self._found)

    def check(self) -> None:
        """Raise :class:`LayoutError` when anything was recorded."""
        if self._found:
            raise LayoutError(self._found)
