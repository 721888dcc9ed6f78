"""What generated source calls where a path is more than field names: entries of lists, values for
the record around, values that are spread or compared when their record is complete.

Each does what the reference reader does with a good message, and raises :class:`Unusual` where
that one would have something to say.
"""

from __future__ import annotations

from typing import Any

from lxml import etree

from translators.layout.completion import computed, same
from translators.layout.grammar import Expression, Field, Index, Match, Part
from translators.layout.records import Record, each
from translators.xml import Node

_NOWHERE = Record({}, "/header")


class Unusual(Exception):
    """Something that only the reference reader or writer understands or may refuse."""


def text_of(node: Node, name: str) -> str | None:
    """Trimmed text of the first child of a name."""
    for one in node.iterchildren(name):
        return (one.text or "").strip()
    return None


def put(entries: list[Any], parts: tuple[Part, ...], value: Any) -> None:
    """Put a value where ``[n]`` or ``[k=v]``, and fields behind it, lead to."""
    container, key = _reach(entries, parts)
    known = _get(container, key)
    if known is not None and known != value:
        raise Unusual
    container[key] = value


def fill(entries: list[Any], parts: tuple[Part, ...], found: Any) -> None:
    """The same with a record, which may be there in part."""
    container, key = _reach(entries, parts)
    known = _get(container, key)
    if known is None:
        container[key] = found
        return
    for name, value in found.items():
        if known.setdefault(name, value) != value:
            raise Unusual


def listed(entries: list[Any], parts: tuple[Part, ...]) -> list[Any]:
    """The list where these lead to, made when there is none."""
    container, key = _reach(entries, parts)
    found: list[Any] | None = _get(container, key)
    if found is None:
        found = container[key] = []
    return found


def _reach(entries: list[Any], parts: tuple[Part, ...]) -> tuple[Any, Any]:
    container: Any = entries
    key: Any = _entry(entries, parts[0])
    for part in parts[1:]:
        below = _get(container, key)
        if below is None:
            below = container[key] = {}
        assert isinstance(part, Field)
        container, key = below, part.name
    return container, key


def _get(container: Any, key: Any) -> Any:
    return container[key] if isinstance(container, list) else container.get(key)


def _entry(entries: list[Any], part: Part) -> int:
    if isinstance(part, Match):
        for at, one in enumerate(entries):
            if isinstance(one, dict) and one.get(part.key) == part.value:
                return at
        entries.append({part.key: part.value})
        return len(entries) - 1
    assert isinstance(part, Index)
    if len(entries) <= part.number:
        entries += [None] * (part.number + 1 - len(entries))
    return part.number


def add(record: dict[str, Any], more: dict[str, Any]) -> None:
    """Add what stands elsewhere; nothing may stand at both places."""
    if not record.keys().isdisjoint(more):
        raise Unusual
    record.update(more)


def also(data: dict[str, Any], parts: tuple[Part, ...], value: Any) -> None:
    """The same value at another place, or at every entry's, where nothing else stands."""
    if all(isinstance(part, Field) for part in parts):
        fill_in(data, tuple(part.name for part in parts if isinstance(part, Field)), value)
        return
    for place in each(data, "", parts):
        if place.value is None:
            place.put(value)


def closed(entries: list[Any]) -> None:
    """A gap that ``[n]`` left lets entries move up, which the reference reader tells."""
    if None in entries:
        raise Unusual


Around = dict[tuple[str | None, ...], Any]
"""Values for a record around, by their field names; with ``None`` before these: a default."""


def settle(data: dict[str, Any], found: Around) -> None:
    """Put what records inside, or messages, say about this one; all must agree."""
    places = [_place(data, names, value) for names, value in found.items() if names[0] is not None]
    if any(container.get(key, value) != value for container, key, value in places):
        raise Unusual
    places += [_place(data, names[1:], value) for names, value in found.items() if names[0] is None]
    for container, key, value in places:
        container.setdefault(key, value)


def _place(
    data: dict[str, Any], names: tuple[str | None, ...], value: Any
) -> tuple[dict[str, Any], str, Any]:
    *above, last = [name for name in names if name is not None]
    return _within(data, (*above, last)), last, value


def fill_in(data: dict[str, Any], names: tuple[str, ...], value: Any) -> None:
    """Put a computed value where there is none."""
    container = _within(data, names)
    if value is not None and container.get(names[-1]) is None:
        container[names[-1]] = value


def _within(data: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    for name in names[:-1]:
        data = data.setdefault(name, {})
    return data


def derived(expression: Expression, data: dict[str, Any], position: int) -> Any:
    """What an expression gives for a record that is complete."""
    return computed(expression, Record(data, position=position), _NOWHERE)


def compared(expression: Expression, data: dict[str, Any], position: int, text: str) -> None:
    """A derived value must be what it would be here."""
    found = derived(expression, data, position)
    if found is None or not same(str(found), text):
        raise Unusual


def spread(data: dict[str, Any], parts: tuple[Part, ...], value: Any) -> None:
    """One value for every entry that a path leads to: some must want it, none another one."""
    used = False
    for place in each(data, "", parts):
        if place.value is None:
            place.put(value)
        elif place.value != value:
            continue
        used = True
    if not used:
        raise Unusual


EXACT = etree.XPath(
    "count(descendant::*)+count(descendant::text()[normalize-space()])"
    "+count(descendant-or-self::*/@*[namespace-uri()!='http://www.w3.org/2001/XMLSchema-instance'"
    " or (local-name()!='schemaLocation' and local-name()!='noNamespaceSchemaLocation')])"
)
"""Elements, texts that are more than blank, and attributes that are content: dearer than the
count of all nodes, and wanted only where that does not come out."""
