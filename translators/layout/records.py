"""Canonical records while they are being read: plain mappings, reached by paths."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from translators.layout.grammar import Each, Field, Index, Match, Part, Path
from translators.pointer import child

Raw = dict[str, Any]
SELF = "."
"""Key under which a group that is one value keeps it."""


@dataclass(eq=False)
class Record:
    """One open record. ``later`` runs when it is complete; ``seen`` keeps what choices need."""

    data: Raw
    pointer: str = ""
    above: Record | None = None
    position: int = 1
    seen: dict[tuple[str, str], Any] = field(default_factory=dict)
    later: list[Callable[[], None]] = field(default_factory=list)
    parts: dict[str, dict[int, str]] = field(default_factory=dict)
    """Texts that stand in several places, by pointer and first character."""
    counts: dict[str, str] = field(default_factory=dict)
    """Numbers of messages that a document states, by place."""

    def finish(self) -> Any:
        """Run what waited for the whole record; gives its value."""
        for step in self.later:
            step()
        return self.data.get(SELF) if SELF in self.data else self.data


@dataclass(eq=False)
class Place:
    """Where a path leads: a mapping or list, and the key in it."""

    container: Any
    key: Any
    pointer: str

    @property
    def value(self) -> Any:
        """What stands there, or ``None``."""
        if isinstance(self.container, list):
            return self.container[self.key] if self.key < len(self.container) else None
        return self.container.get(self.key)

    def put(self, value: Any) -> None:
        """Let ``value`` stand there."""
        self.container[self.key] = value

    def entries(self) -> list[Any]:
        """The list that stands there, made when there is none."""
        found = self.value
        if found is None:
            found = []
            self.put(found)
        assert isinstance(found, list)
        return found


def owner(path: Path, record: Record, header: Record) -> Record:
    """The record that a path starts from."""
    if path.header:
        return header
    for _ in range(path.up):
        assert record.above is not None
        record = record.above
    return record


def reach(record: Record, parts: tuple[Part, ...]) -> Place:
    """Follow a path, making what is missing on the way but not what it leads to."""
    place = Place(record.data, SELF, record.pointer)
    if not parts:
        return place
    container: Any = record.data
    pointer = record.pointer
    for at, part in enumerate(parts):
        if isinstance(part, Field):
            place = Place(container, part.name, child(pointer, part.name))
        else:
            assert isinstance(part, Index | Match)
            place = _entry(place, part, record)
        pointer = place.pointer
        if at + 1 < len(parts) and isinstance(parts[at + 1], Field):
            if place.value is None:
                place.put({})
            container = place.value
    return place


def _entry(place: Place, part: Index | Match, record: Record) -> Place:
    entries = place.entries()
    if isinstance(part, Match):
        for at, one in enumerate(entries):
            if isinstance(one, dict) and one.get(part.key) == part.value:
                return Place(entries, at, child(place.pointer, at))
        entries.append({part.key: part.value})
        return Place(entries, len(entries) - 1, child(place.pointer, len(entries) - 1))
    if len(entries) <= part.number:
        entries += [None] * (part.number + 1 - len(entries))
        record.later.append(lambda: _close_gaps(entries))
    return Place(entries, part.number, child(place.pointer, part.number))


def _close_gaps(entries: list[Any]) -> None:
    entries[:] = [one for one in entries if one is not None]


def each(data: Any, pointer: str, parts: tuple[Part, ...]) -> list[Place]:
    """Every place that a path with ``[]`` leads to and whose surroundings exist."""
    if not parts:
        return []
    part, *rest = parts
    if isinstance(part, Each):
        if not isinstance(data, list):
            return []
        found: list[Place] = []
        for at, one in enumerate(data):
            found += each(one, child(pointer, at), tuple(rest))
        return found
    if isinstance(part, Index):
        if not isinstance(data, list) or len(data) <= part.number:
            return []
        return each(data[part.number], child(pointer, part.number), tuple(rest))
    if not isinstance(part, Field) or not isinstance(data, dict):
        return []
    here = child(pointer, part.name)
    if not rest:
        return [Place(data, part.name, here)]
    return each(data.get(part.name), here, tuple(rest))
