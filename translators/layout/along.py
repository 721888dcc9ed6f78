"""Reading along one canonical path: to say where it stands, the rest of a message is passed by.

What surely puts nothing at a path, nor into a list that it leads through, is not looked at. Lines
that reach beyond their own record (``^``, the header, choices) are always read.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from translators.layout.grammar import Field, Path
from translators.layout.plan import Content, Element, Value
from translators.layout.records import Record

Names = tuple[str, ...]
"""Fields from a record on, as far as the first entry of a list."""
_KNOWN = 8_192
"""Answers that are kept in mind, of all layouts together."""
_DEEPEST = 30
"""Elements within each other that are looked into."""


class Along:
    """The way to one pointer."""

    def __init__(self, pointer: str) -> None:
        self._pointer = pointer

    def passed_by(self, content: Content, record: Record) -> frozenset[str]:
        """Tags of child elements that need not be read for a record."""
        return _passed_by(content, self._rest(record.pointer))

    def _rest(self, base: str) -> Names | None:
        """The fields from a record on; ``None`` when the way does not lead through it."""
        if self._pointer == base:
            return ()
        if not self._pointer.startswith(f"{base}/"):
            return None
        names: list[str] = []
        for step in self._pointer[len(base) + 1 :].split("/"):
            if step.isdigit():
                break
            names.append(step)
        return tuple(names)


@lru_cache(maxsize=_KNOWN)
def _passed_by(content: Content, rest: Names | None) -> frozenset[str]:
    return frozenset(
        slot.tag
        for slot in content.slots.values()
        if not any(_concerns(element, rest) for element in slot.elements)
    )


def _concerns(element: Element, rest: Names | None) -> bool:
    touched = _of_element(element, 0)
    if touched is None:
        return True
    if rest is None:
        return False
    return any(one[: len(rest)] == rest[: len(one)] for one in touched)


def _of_element(element: Element, depth: int) -> frozenset[Names] | None:
    """Where with us what stands in an element goes; ``None`` when that is not sure."""
    if element.messages is not None or depth > _DEEPEST:
        return None
    if element.pairs is not None:
        return _joined([_of_path(element.record)])
    inside = _of_content(element.content, depth)
    if element.record is None or inside is None:
        return inside
    return _joined([_of_path(element.record)])


def _of_content(content: Content, depth: int) -> frozenset[Names] | None:
    values = [*content.attributes.values(), *([content.text] if content.text else [])]
    return _joined(
        [
            *map(_of_value, values),
            *(_of_element(element, depth + 1) for element in content.elements()),
        ]
    )


def _of_value(value: Value) -> frozenset[Names] | None:
    if value.choice is not None or value.chosen:
        return None
    return _joined(map(_of_path, filter(None, (value.path, *value.also))))


def _of_path(path: Path | None) -> frozenset[Names] | None:
    if path is None or path.header or path.up or path.shared:
        return None
    names: list[str] = []
    for part in path.parts:
        if not isinstance(part, Field):
            break
        names.append(part.name)
    return frozenset([tuple(names)])


def _joined(each: Iterable[frozenset[Names] | None]) -> frozenset[Names] | None:
    found: set[Names] = set()
    for one in each:
        if one is None:
            return None
        found |= one
    return frozenset(found)
