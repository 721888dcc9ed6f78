"""The quick reader of JSON: one closure for each line, for good messages.

It never reports. Whatever it does not know, and whatever would be noted, makes it give up, and the
reference reader takes the message; a property test holds the two equal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from translators.layout.completion import computed, same
from translators.layout.fast import GIVES_UP, Unusual
from translators.layout.grammar import Each, Field, Path
from translators.layout.json_nodes import spelled
from translators.layout.json_values import Convert, converter
from translators.layout.plan import Content, Element, Plan, Slot, Value
from translators.layout.records import Raw, Record, each, owner, reach

Step = Callable[[Any, Record], None]
"""Takes what stands at a line into the record that is open."""
_NONE = Record({})
_FILLED = ("position", "count", "sum")


class JsonFast:
    """The quick readers of a layout: one for each form of message, by its group."""

    def __init__(self, plan: Plan) -> None:
        self.readers: Mapping[str, Callable[[Raw], Raw]] = {
            row.group: _message(_content(row.content)) for row in plan.messages.rows
        }


def _message(step: Step) -> Callable[[Raw], Raw]:
    def read(found: Raw) -> Raw:
        record = Record({}, "", None)
        step(found, record)
        record.finish()
        return record.data

    return read


def _gives_up(found: Any, record: Record) -> None:
    del found, record
    raise Unusual


def _content(content: Content) -> Step:
    """What stands in an object, or the one value that stands for it."""
    if content.choices:
        return _gives_up
    if content.text is not None:
        return _value(content.text)
    steps = {tag: _slot(slot) for tag, slot in content.slots.items()}
    wanted = frozenset(element.tag for element in content.elements() if _wanted(element))

    def read(found: Any, record: Record) -> None:
        if type(found) is not dict or not wanted.issubset(found):
            raise Unusual
        for name, below in found.items():
            steps[name](below, record)

    return read


def _wanted(element: Element) -> bool:
    """True when the absence of an element is a fault, or gives a default to note."""
    if element.messages is not None or element.record is not None:
        return bool(element.minimum)
    text = element.content.text
    fills = text is not None and (
        text.default is not None or (text.otherwise is not None and text.otherwise.verb in _FILLED)
    )
    return bool(element.minimum) or fills or any(map(_wanted, element.content.elements()))


def _slot(slot: Slot) -> Step:
    if len(slot.elements) > 1 or slot.elements[0].predicate is not None:
        return _forms(slot)
    (element,) = slot.elements
    if element.pairs is not None:
        return _pairs(element)
    if element.maximum == 1 and not element.listed:
        return _one(element)
    return _list(element)


def _one(element: Element) -> Step:
    path, read = element.record, _content(element.content)
    if path is None:
        return read
    if path.header:
        return _gives_up

    find = _finder(path)

    def step(found: Any, record: Record) -> None:
        container, key = find(record)
        known = _found(container, key)
        inner = Record(known if isinstance(known, dict) else {}, "", record, record.position)
        container[key] = inner.data
        read(found, inner)
        container[key] = inner.finish()

    return step


def _list(element: Element) -> Step:
    path = element.record
    if path is None:
        return _values(element)
    if path.header:
        return _gives_up
    read, minimum, maximum = _content(element.content), element.minimum, element.maximum
    entries_at = _entries(path)

    def step(found: Any, record: Record) -> None:
        if type(found) is not list or len(found) < minimum or (maximum and len(found) > maximum):
            raise Unusual
        if not found:
            return
        entries = entries_at(record)
        for position, one in enumerate(found, start=1):
            inner = Record({}, "", record, position)
            at = len(entries)
            entries.append(inner.data)
            read(one, inner)
            entries[at] = inner.finish()

    return step


def _values(element: Element) -> Step:
    """Several values, each an entry of one list of ours."""
    value = element.content.text
    if value is None or not _plain(value) or value.path is None or value.path.header:
        return _gives_up
    convert, entries_at = converter(value), _entries(value.path)
    minimum, maximum = element.minimum, element.maximum

    def step(found: Any, record: Record) -> None:
        if type(found) is not list or len(found) < minimum or (maximum and len(found) > maximum):
            raise Unusual
        if found:
            entries_at(record).extend([convert(one) for one in found])

    return step


def _pairs(element: Element) -> Step:
    path = element.record
    if path is None or path.header:
        return _gives_up
    find = _finder(path)

    def step(found: Any, record: Record) -> None:
        if type(found) is not dict:
            raise Unusual
        for name, text in found.items():
            if type(text) is not str or not text or text != text.strip():
                raise Unusual
            if not name or name != name.strip():
                raise Unusual
        if found:
            container, key = find(record)
            container[key] = dict(found)

    return step


def _finder(path: Path) -> Callable[[Record], tuple[Any, Any]]:
    """Finds where a path leads: what holds it, and under which key; makes what is on the way."""
    names = [part.name for part in path.parts if isinstance(part, Field)]
    if len(names) != len(path.parts) or not names or path.up:

        def along(record: Record) -> tuple[Any, Any]:
            place = reach(owner(path, record, _NONE), path.parts)
            return place.container, place.key

        return along
    *above, last = names

    def down(record: Record) -> tuple[Any, Any]:
        data = record.data
        for name in above:
            below = data.get(name)
            if below is None:
                below = data[name] = {}
            data = below
        return data, last

    return down


def _found(container: Any, key: Any) -> Any:
    return container[key] if type(container) is list else container.get(key)


def _entries(path: Path) -> Callable[[Record], list[Any]]:
    """Finds the list to which a path leads; makes it when there is none."""
    find = _finder(path)

    def entries(record: Record) -> list[Any]:
        container, key = find(record)
        known = _found(container, key)
        if known is None:
            known = container[key] = []
        if type(known) is not list:
            raise Unusual
        return known

    return entries


def _forms(slot: Slot) -> Step:
    """Entries of one array in several forms; they stand in the order of their lines."""
    names = [
        ("", "") if one.predicate is None else (one.predicate.name, one.predicate.value)
        for one in slot.elements
    ]
    rows = [(_entry(element), element.maximum) for element in slot.elements]
    needed = [at for at, element in enumerate(slot.elements) if _wanted(element)]

    def read(found: Any, record: Record) -> None:
        if type(found) is not list:
            raise Unusual
        counts = [0] * len(rows)
        latest = 0
        for one in found:
            at = _form(one, names)
            counts[at] += 1
            step, maximum = rows[at]
            if at < latest or (maximum is not None and counts[at] > maximum):
                raise Unusual
            latest = at
            step(one, record)
        if not all(counts[at] for at in needed):
            raise Unusual

    return read


def _form(entry: Any, names: list[tuple[str, str]]) -> int:
    """The number of the form that an entry has."""
    if type(entry) is dict:
        for at, (name, wanted) in enumerate(names):
            if not name or entry.get(name) == wanted:
                return at
    raise Unusual


def _entry(element: Element) -> Step:
    """One entry of an array of several forms."""
    if element.maximum == 1:
        return _one(element)
    several = _list(element)
    return lambda found, record: several([found], record)


def _derived(value: Value) -> Step:
    """What is computed and compared when its record is complete."""
    expression, kind = value.derived, value.type.scalar
    assert expression is not None
    if any(path.messages or path.header for path in expression.paths):
        return _gives_up

    def step(found: Any, record: Record) -> None:
        text = spelled(found)
        if text is None or _kind(found) != ("string" if kind == "string" else "number"):
            raise Unusual

        def later() -> None:
            expected = computed(expression, record, _NONE)
            if expected is None or not same(str(expected), text):
                raise Unusual

        record.later.append(later)

    return step


def _plain(value: Value) -> bool:
    return not (value.derived or value.choice or value.chosen or value.join is not None)


def _value(value: Value) -> Step:
    path = value.path
    if value.constant is not None:
        return _constant(value)
    if value.derived is not None:
        return _derived(value)
    if path is None or path.header or not _plain(value):
        return _gives_up
    convert = converter(value)
    if any(isinstance(part, Each) for part in path.parts):
        return _spread(value, convert)
    if len(path.parts) == 1 and isinstance(path.parts[0], Field) and not path.up:
        name = path.parts[0].name

        def put(found: Any, record: Record) -> None:
            if name in record.data:
                raise Unusual
            record.data[name] = convert(found)

        return put

    find = _finder(path)

    def step(found: Any, record: Record) -> None:
        container, key = find(record)
        known, raw = _found(container, key), convert(found)
        if known is None:
            container[key] = raw
        elif known != raw:
            raise Unusual

    return step


def _constant(value: Value) -> Step:
    wanted, kind = value.constant, value.type.scalar

    def step(found: Any, record: Record) -> None:
        del record
        if spelled(found) != wanted or _kind(found) != kind:
            raise Unusual

    return step


def _kind(found: Any) -> str:
    if isinstance(found, str):
        return "string"
    return "boolean" if isinstance(found, bool) else "number"


def _spread(value: Value, convert: Convert) -> Step:
    """One value here that stands for all of them there, once they are read."""
    path = value.path
    assert path is not None

    def step(found: Any, record: Record) -> None:
        raw = convert(found)
        base = owner(path, record, _NONE)

        def later() -> None:
            places = each(base.data, "", path.parts)
            for place in places:
                if place.value is None:
                    place.put(raw)
                elif place.value != raw:
                    raise Unusual
            if not places:
                raise Unusual

        base.later.append(later)

    return step


__all__ = ["GIVES_UP", "JsonFast"]
