"""The quick reader of JSON: one closure for each line, for good messages.

It never reports. Whatever it does not know, and whatever would be noted, makes it give up, and the
reference reader takes the message; a property test holds the two equal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from translators.layout.fast import GIVES_UP, Unusual
from translators.layout.grammar import Each, Field
from translators.layout.json_nodes import spelled
from translators.layout.plan import Content, Element, Plan, Slot, Value
from translators.layout.records import Raw, Record, each, owner, reach

Step = Callable[[Any, Record], None]
"""Takes what stands at a line into the record that is open."""
Convert = Callable[[Any], Any]
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

    def step(found: Any, record: Record) -> None:
        place = reach(owner(path, record, _NONE), path.parts)
        known = place.value if isinstance(place.value, dict) else {}
        inner = Record(known, "", record, record.position)
        place.put(known)
        read(found, inner)
        place.put(inner.finish())

    return step


def _list(element: Element) -> Step:
    path = element.record
    if path is None:
        return _values(element)
    if path.header:
        return _gives_up
    read, minimum, maximum = _content(element.content), element.minimum, element.maximum

    def step(found: Any, record: Record) -> None:
        if type(found) is not list or len(found) < minimum or (maximum and len(found) > maximum):
            raise Unusual
        if not found:
            return
        entries = reach(owner(path, record, _NONE), path.parts).entries()
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
    path, convert = value.path, _converter(value)
    minimum, maximum = element.minimum, element.maximum

    def step(found: Any, record: Record) -> None:
        if type(found) is not list or len(found) < minimum or (maximum and len(found) > maximum):
            raise Unusual
        if found:
            entries = reach(owner(path, record, _NONE), path.parts).entries()
            entries.extend([convert(one) for one in found])

    return step


def _pairs(element: Element) -> Step:
    path = element.record
    if path is None or path.header:
        return _gives_up

    def step(found: Any, record: Record) -> None:
        if type(found) is not dict:
            raise Unusual
        for name, text in found.items():
            if type(text) is not str or not text or text != text.strip():
                raise Unusual
            if not name or name != name.strip():
                raise Unusual
        if found:
            reach(owner(path, record, _NONE), path.parts).put(dict(found))

    return step


def _forms(slot: Slot) -> Step:
    """Entries of one array in several forms; they stand in the order of their lines."""
    rows: list[tuple[str | None, str, Step, int | None]] = []
    for element in slot.elements:
        predicate = element.predicate
        name = None if predicate is None else predicate.name
        wanted = "" if predicate is None else predicate.value
        rows.append((name, wanted, _entry(element), element.maximum))
    needed = [at for at, element in enumerate(slot.elements) if _wanted(element)]

    def step(found: Any, record: Record) -> None:
        if type(found) is not list:
            raise Unusual
        counts = [0] * len(rows)
        latest = 0
        for one in found:
            at = next(
                at
                for at, (name, wanted, _, _) in enumerate(rows)
                if name is None or one.get(name) == wanted
            )
            counts[at] += 1
            maximum = rows[at][3]
            if at < latest or (maximum is not None and counts[at] > maximum):
                raise Unusual
            latest = at
            rows[at][2](one, record)
        if not all(counts[at] for at in needed):
            raise Unusual

    return step


def _entry(element: Element) -> Step:
    """One entry of an array of several forms."""
    if element.maximum == 1:
        return _one(element)
    several = _list(element)
    return lambda found, record: several([found], record)


def _plain(value: Value) -> bool:
    return not (value.derived or value.choice or value.chosen or value.join is not None)


def _value(value: Value) -> Step:
    path = value.path
    if value.constant is not None:
        return _constant(value)
    if path is None or path.header or not _plain(value):
        return _gives_up
    convert = _converter(value)
    if any(isinstance(part, Each) for part in path.parts):
        return _spread(value, convert)
    if len(path.parts) == 1 and isinstance(path.parts[0], Field) and not path.up:
        name = path.parts[0].name

        def put(found: Any, record: Record) -> None:
            if name in record.data:
                raise Unusual
            record.data[name] = convert(found)

        return put

    def step(found: Any, record: Record) -> None:
        place = reach(owner(path, record, _NONE), path.parts)
        raw = convert(found)
        if place.value is None:
            place.put(raw)
        elif place.value != raw:
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


def _converter(value: Value) -> Convert:
    """A value as JSON has it to what the gate takes; raises one of :data:`GIVES_UP`."""
    kind, type_ = value.type.scalar, value.type
    read: Callable[[str], Any] = type_.read
    if type_.codes is not None:
        read = type_.codes.wire.__getitem__
    if kind == "boolean":
        words = {False: read("false"), True: read("true")} if type_.codes is None else None
        return lambda found: _boolean(found, words, read)
    if kind == "string" and type_.codes is None and type_.pattern is None and type_.raw:
        low, high = type_.minimum or 1, type_.maximum

        def text(found: Any) -> Any:
            if type(found) is not str or found != found.strip():
                raise Unusual
            if len(found) < low or (high is not None and len(found) > high):
                raise Unusual
            return found

        return text
    if kind == "string":

        def coded(found: Any) -> Any:
            if type(found) is not str or found != found.strip() or not found:
                raise Unusual
            return read(found)

        return coded
    kinds: tuple[type, ...] = (int,) if type_.codes is not None else (int, Decimal)

    def number(found: Any) -> Any:
        if type(found) not in kinds:
            raise Unusual
        return read(format(found, "f") if type(found) is Decimal else str(found))

    return number


def _boolean(found: Any, words: Mapping[bool, Any] | None, read: Callable[[str], Any]) -> Any:
    if type(found) is not bool:
        raise Unusual
    return words[found] if words is not None else read("true" if found else "false")


__all__ = ["GIVES_UP", "JsonFast"]
