"""Whether a message has anything at paths that a format drops: one quick walk, compiled."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from translators.model import Form, Shape

Test = Callable[[Any], bool]


def loses(shape: Shape, pointers: Iterable[str]) -> Test:
    """A test that is true of values with something set at or below one of the pointers.

    The pointers have ``*`` for entries, as ``drops`` gives them.
    """
    return _test(shape, [pointer.split("/")[1:] for pointer in pointers])


def _test(shape: Shape, paths: list[list[str]]) -> Test:
    if any(not path for path in paths):
        return _something
    if shape.form is not Form.OBJECT:
        assert shape.item is not None
        return _entries(_test(shape.item, [path[1:] for path in paths]), shape.form)
    tests: list[tuple[str, Any, Test | None]] = []
    for field in shape.fields:
        below = [path[1:] for path in paths if path[0] == field.name]
        if below:
            whole = any(not path for path in below)
            tests.append((field.name, field.default, None if whole else _test(field.shape, below)))
    return _fields(tuple(tests))


def _something(value: Any) -> bool:
    return value is not None


def _fields(tests: tuple[tuple[str, Any, Test | None], ...]) -> Test:
    def test(value: Any) -> bool:
        for name, default, below in tests:
            found = getattr(value, name)
            if found is not None and found != default and (below is None or below(found)):
                return True
        return False

    return test


def _entries(entry: Test, form: Form) -> Test:
    def test(values: Any) -> bool:
        entries = values.values() if form is Form.MAP else values
        return any(entry(value) for value in entries)

    return test
