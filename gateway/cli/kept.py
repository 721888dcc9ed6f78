"""What a command remembers of a stream: as much as fits, and the number of the rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")
MOST = 10_000
"""So many entries of a kind stand in a report: it must not grow with the document."""


class Kept(Generic[T]):
    """The first entries of a stream; ``more`` counts those that came after."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._entries: list[T] = []
        self.more = 0

    def append(self, entry: T) -> None:
        """Keep it, or count it."""
        if len(self._entries) < self._most:
            self._entries.append(entry)
        else:
            self.more += 1

    def extend(self, entries: Iterable[T]) -> None:
        """Keep or count each."""
        for entry in entries:
            self.append(entry)

    def __iter__(self) -> Iterator[T]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)
