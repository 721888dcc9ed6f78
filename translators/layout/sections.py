"""What a standard calls the places of a layout: ids of its elements with the paths they have.

The WCO Data Model numbers its classes (68A, a *section*) and its data elements (145, a *tag*); a
layout states them by the option ``id``. From the compiled tree this module makes the tree of
what has an id, each place with its steps in the canonical message.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from translators.layout.grammar import Each, Field, Match, Part, Path, line_ids
from translators.layout.plan import Content, Element, Plan, Value

Steps = tuple[str, ...]
ENTRY = "*"
"""Step of an entry of a list, whichever it is."""


@dataclass(frozen=True)
class Section:
    """A place with an id. ``steps`` lead there from the message; the last is :data:`ENTRY` when
    it may stand several times.

    ``before`` counts the forms of the element that stand before the entries of the list: their
    sequence numbers come first. ``own`` is false for a place that we do not tell from the one
    around it. ``below`` is what has an id in it, by id; places of one id that only a value tells
    apart are left out, because a sequence number does not say which is meant.
    """

    id: str
    steps: Steps
    several: bool
    before: int
    own: bool
    below: Mapping[str, tuple[Section, ...]]


def tree(plan: Plan) -> Section | None:
    """The place of the message with all below it; ``None`` when the layout states no ids."""
    if not plan.chain or len(plan.messages.rows) != 1:
        return None
    line = plan.chain[-1].line
    ids = line_ids(line)[0] if line is not None else ()
    if not ids or not ids[-1]:
        return None
    content = plan.messages.rows[0].content
    below = _below(_Walk(((),), {}), content)
    return Section(ids[-1], (), several=False, before=0, own=True, below=below)


@dataclass(frozen=True)
class _Walk:
    """Where the walk is: the steps of the records around, the innermost last; the ids that a
    group's lines have here; how many wrappers it went through in this group."""

    records: tuple[Steps, ...]
    within: Mapping[str, str]
    depth: int = 0


def _below(walk: _Walk, content: Content) -> dict[str, tuple[Section, ...]]:
    found: dict[str, list[Section]] = {}
    for slot in content.slots.values():
        if len(slot.elements) > 2 or any(one.maximum != 1 for one in slot.elements[:-1]):
            continue
        if len(slot.elements) == 2 and slot.elements[1].maximum == 1:
            continue
        for before, element in enumerate(slot.elements):
            for section in _sections(walk, element, before):
                found.setdefault(section.id, []).append(section)
    return {id_: tuple(sections) for id_, sections in found.items()}


def _sections(walk: _Walk, element: Element, before: int) -> Iterator[Section]:
    """The place of an element that has an id."""
    if element.line is None or element.messages or element.pairs or element.fixed:
        return
    ids, within = line_ids(element.line)
    id_ = walk.within.get(element.line.key) or (ids[walk.depth] if walk.depth < len(ids) else "")
    if not id_:
        return
    several = element.maximum != 1
    value = element.content.text
    if element.record is not None:
        steps = _steps(element.record, walk.records)
        inner = None if steps is None else _entered(walk, steps, within, several=several)
    elif value is not None and value.path is not None and not element.content.slots:
        steps = _steps(value.path, walk.records)
        inner = None
    else:
        steps = walk.records[-1]
        inner = _Walk(walk.records, dict(within)) if element.group else _deeper(walk)
    if steps is None:
        return
    below = {} if inner is None else _below(inner, element.content)
    own = element.record is not None or value is not None
    if not own and not below:
        steps, own = _only(walk, element.content) or steps, True
    steps = (*steps, ENTRY) if several else steps
    yield Section(id_, steps, several=several, before=before, own=own, below=below)


def _entered(
    walk: _Walk, steps: Steps, within: tuple[tuple[str, str], ...], *, several: bool
) -> _Walk:
    return _Walk((*walk.records, (*steps, ENTRY) if several else steps), dict(within))


def _deeper(walk: _Walk) -> _Walk:
    return _Walk(walk.records, walk.within, walk.depth + 1)


def _only(walk: _Walk, content: Content) -> Steps | None:
    """Where the only value in an element without ids below it is."""
    found = [value for value in _values(content) if value.path is not None]
    if len(found) != 1 or found[0].path is None:
        return None
    return _steps(found[0].path, walk.records)


def _values(content: Content) -> Iterator[Value]:
    yield from content.attributes.values()
    if content.text is not None:
        yield content.text
    for element in content.elements():
        yield from _values(element.content)


def _steps(path: Path, records: tuple[Steps, ...]) -> Steps | None:
    """Steps from the message; ``None`` for what is not in it, or is in all entries of a list."""
    if path.header or any(isinstance(part, Each) for part in path.parts):
        return None
    base = records[len(records) - 1 - path.up]
    return (*base, *(_step(part) for part in path.parts))


def _step(part: Part) -> str:
    if isinstance(part, Field):
        return part.name
    if isinstance(part, Match):
        # The reader makes an entry of its own for it, the first.
        return "0"
    assert not isinstance(part, Each)
    return str(part.number)
