"""What the report of any message says that the fast writer wrote: the marks of the reference
writer without its text.

``notices`` is quicker and knows messages in which nothing can be lost. Here every line is followed
that leads to a value, so that what no line carries is known. A field of the record, which most
lines are, has a step of its own; all else goes the way of the reference writer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from translators.layout.fastforms import Way, names, way_of
from translators.layout.grammar import Path
from translators.layout.plan import Content, Element, Value
from translators.layout.walking import Source
from translators.layout.writing import ReferenceWriter
from translators.pointer import child

Step = Callable[["Marker", Source], None]
"""Marks and notes what one line carries of a record."""


class Marker(ReferenceWriter):
    """Collects ``touched`` and ``notes`` for a message that can be written; writes nothing."""

    def mark(self, steps: Marks, value: Any, position: int) -> None:
        """Follow every line of a message."""
        self._enter(steps, Source(value, "", None, position))

    def _enter(self, steps: Marks, source: Source) -> None:
        above, self._claims = self._claims, steps.content.claims
        self._unsaid(steps.content, source.value, source.pointer)
        for step in steps.all:
            step(self, source)
        self._claims = above

    def _text(self, value: Value, found: Any, pointer: str, *, mark: bool = True) -> str | None:
        """No text, and ``None`` where there would be none: it is known to be writable."""
        if found == b"":
            return None
        table = value.type.codes
        if table is not None and found in table.ours:
            self._mapped(found, table.ours[found], pointer)
        elif table is not None:
            self._passed(table, pointer)
        if mark:
            self.touched.add(pointer)
        return ""

    def text(self, value: Value, found: Any, pointer: str) -> None:
        """One entry of a list."""
        self._text(value, found, pointer)

    def single(self, value: Value, source: Source) -> None:
        """Any value that stands once."""
        self._single(value, source)

    def choose(self, value: Value, source: Source) -> None:
        """The row of a choice, which the values of its keys then have."""
        self._choose(value, source)

    def chosen(self, content: Content) -> None:
        """The choices of a content end with it."""
        for value in content.choices:
            for row in value.choice.rows.values() if value.choice else ():
                for key in row:
                    self._chosen.pop((value.line.group, key), None)

    def pairs(self, path: Path, source: Source) -> None:
        """The entries of a map."""
        found, pointer = self._get(path, source)
        self.touched.update(child(pointer, name) for name in found or ())

    def entries(self, path: Path, source: Source) -> Iterator[tuple[str, Any]]:
        """Those of a list that no other line picks, with their pointers."""
        found, pointer = self._get(path, source)
        for at, one in self._others(path, source, list(enumerate(found or ())), pointer):
            yield child(pointer, at), one

    def record(self, element: Element, steps: Marks, path: Path, source: Source) -> None:
        """The record, or the records, that an element opens."""
        if element.maximum == 1:
            found, pointer = self._get(path, source)
            if found is not None:
                self._enter(steps, Source(found, pointer, source, source.position))
            return
        for count, (pointer, one) in enumerate(self.entries(path, source), start=1):
            self._enter(steps, Source(one, pointer, source, count))


class Marks:
    """The steps of one content."""

    def __init__(self, content: Content) -> None:
        self.content = content
        self.all = tuple(_steps(content))


def _steps(content: Content) -> Iterator[Step]:
    for value in content.choices:
        yield _choice(value)
    for value in [*content.attributes.values(), *([content.text] if content.text else [])]:
        yield from _value(value)
    for element in content.elements():
        yield from _element(element)
    if content.choices:
        yield lambda marker, _: marker.chosen(content)


def _choice(value: Value) -> Step:
    return lambda marker, source: marker.choose(value, source)


def _value(value: Value) -> Iterator[Step]:
    if value.path is None:
        return
    if _plain(value, value.path):
        yield _field(names(value.path))
    else:
        yield lambda marker, source: marker.single(value, source)


def _plain(value: Value, path: Path) -> bool:
    """True for a field of the record that says nothing else."""
    several = value.join is not None or value.part is not None or value.also
    chosen = value.chosen or value.choice is not None or value.unsaid is not None
    otherwise = value.default is not None or value.otherwise is not None
    coded = value.type.codes is not None
    return way_of(path) is Way.FIELDS and not (several or chosen or otherwise or coded)


def _field(path: tuple[str, ...]) -> Step:
    where = "".join(f"/{name}" for name in path)

    def step(marker: Marker, source: Source) -> None:
        found = source.value
        for name in path:
            found = getattr(found, name)
            if found is None:
                return
        if found != b"":
            marker.touched.add(source.pointer + where)

    return step


def _element(element: Element) -> Iterator[Step]:
    path = element.record
    if element.messages is not None:
        return
    if path is not None and element.pairs is not None:
        yield lambda marker, source: marker.pairs(path, source)
    elif path is not None:
        steps = Marks(element.content)
        yield lambda marker, source: marker.record(element, steps, path, source)
    elif element.maximum != 1:
        yield from _texts(element)
    else:
        yield from _steps(element.content)


def _texts(element: Element) -> Iterator[Step]:
    value = element.content.text
    if value is None or value.path is None:
        return
    path = value.path

    def step(marker: Marker, source: Source) -> None:
        for pointer, one in marker.entries(path, source):
            marker.text(value, one, pointer)

    yield step
