"""What the report of a message says that the fast writer wrote: codes and defaults, compiled.

Only for forms of message in which nothing but codes and defaults is ever noted; the notes come in
the order in which the reference writer gives them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from translators.faults import Note, NoteKind
from translators.layout.fastforms import Way, names, way_of
from translators.layout.plan import Content, Value
from translators.pointer import child

Tell = Callable[[Note], None]
Notice = Callable[[Any, str, Tell], None]
"""Takes a record, its pointer, and what receives the notes about it."""


class _Unclear(Exception):
    """A line about which only the reference writer knows what to say."""


def notices(content: Content) -> Notice | None:
    """Tells what is noted about a message; ``None`` where only the reference writer can."""
    try:
        return _content(content)
    except _Unclear:
        return None


def _content(content: Content) -> Notice:
    if content.choices or content.unsaid:
        raise _Unclear
    steps: list[Notice] = []
    for value in [*content.attributes.values(), *([content.text] if content.text else [])]:
        steps += _value(value)
    for element in content.elements():
        path = element.record
        if element.pairs is not None:
            continue
        if path is None:
            steps.append(_content(element.content))
            continue
        inner = _content(element.content)
        if inner is not _nothing:
            if way_of(path) is not Way.FIELDS:
                raise _Unclear
            entries = element.maximum != 1
            steps.append(_entries(names(path), inner) if entries else _record(names(path), inner))
    known = [step for step in steps if step is not _nothing]
    return _all(tuple(known)) if known else _nothing


def _nothing(record: Any, pointer: str, tell: Tell) -> None:
    """There is never anything to say."""


def _all(steps: tuple[Notice, ...]) -> Notice:
    def notice(record: Any, pointer: str, tell: Tell) -> None:
        for step in steps:
            step(record, pointer, tell)

    return notice


def _value(value: Value) -> list[Notice]:
    table = value.type.codes
    if value.path is None or (table is None and value.default is None and value.otherwise is None):
        return []
    way = way_of(value.path)
    if value.otherwise is not None or way not in (Way.FIELDS, Way.SELF):
        raise _Unclear
    path = names(value.path)
    codes = {ours: f"{ours} → {wire}" for ours, wire in table.ours.items()} if table else {}
    same = {ours for ours, wire in table.ours.items() if ours == wire} if table else set()
    default = value.default

    def one(found: Any, pointer: str, tell: Tell) -> None:
        if found in codes and found not in same:
            tell(Note(kind=NoteKind.MAPPED, path=pointer, detail=codes[found]))

    def notice(record: Any, pointer: str, tell: Tell) -> None:
        found, where = _found(record, pointer, path)
        if found is None:
            if default is not None:
                tell(Note(kind=NoteKind.DEFAULTED, path=where, detail="default written"))
        elif isinstance(found, tuple):
            for at, entry in enumerate(found):
                one(entry, child(where, at), tell)
        else:
            one(found, where, tell)

    return [notice]


def _record(path: tuple[str, ...], inner: Notice) -> Notice:
    def notice(record: Any, pointer: str, tell: Tell) -> None:
        found, where = _found(record, pointer, path)
        if found is not None:
            inner(found, where, tell)

    return notice


def _entries(path: tuple[str, ...], inner: Notice) -> Notice:
    def notice(record: Any, pointer: str, tell: Tell) -> None:
        found, where = _found(record, pointer, path)
        for at, entry in enumerate(found or ()):
            inner(entry, child(where, at), tell)

    return notice


def _found(record: Any, pointer: str, path: tuple[str, ...]) -> tuple[Any, str]:
    for name in path:
        record = None if record is None else getattr(record, name)
        pointer = f"{pointer}/{name}"
    return record, pointer
