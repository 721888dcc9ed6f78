"""The end of a record in the reference reader: what is absent, derived, chosen or spread."""

from __future__ import annotations

from collections.abc import Container
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from translators.faults import NoteKind
from translators.layout.grammar import Each, Expression, Field, Index, Match, Path
from translators.layout.plan import Content, Element, Slot, Value, first_path
from translators.layout.records import Place, Record, each, owner, reach
from translators.xml import Node, line_of

if TYPE_CHECKING:
    from translators.layout.reference import ReferenceReader


def absent(
    reader: ReferenceReader, element: Element, node: Node, record: Record, where: str
) -> None:
    """An element that does not stand there: a fault when required, else defaults."""
    here = f"{where}/{reader.plan.name(element.tag)}"
    line = line_of(node)
    if element.messages is not None:
        return
    if element.record is not None or element.content.text is not None:
        value = element.content.text if element.record is None else None
        if value is not None and fill(reader, value, here, record):
            return
        if element.minimum:
            path = element.record if value is None else value.path
            pointer = reader.pointer(path, record)
            reader.findings.fault("element.missing", here, line, path=pointer)
            reader.findings.written.setdefault(pointer, "")
        return
    for attribute in element.content.attributes.values():
        fill(reader, attribute, here, record)
    for inner in element.content.elements():
        absent(reader, inner, node, record, here)
    for slot in element.content.slots.values():
        if element.minimum and slot.needed:
            no_form(reader, slot, (), node, record, here)


def no_form(
    reader: ReferenceReader,
    slot: Slot,
    met: Container[Element],
    node: Node,
    record: Record,
    where: str,
) -> None:
    """A fault when an element stands there in none of its forms."""
    if any(one in met for one in slot.elements):
        return
    here = f"{where}/{reader.plan.name(slot.tag)}"
    pointers = [reader.pointer(path, record) for path in map(first_path, slot.elements) if path]
    detail = f"one of {', '.join(pointers)}"
    reader.findings.fault("element.missing", here, line_of(node), path=pointers[0], detail=detail)
    reader.findings.written.setdefault(pointers[0], "")


def absent_value(
    reader: ReferenceReader, value: Value, code: str, where: str, line: int | None, record: Record
) -> None:
    """An attribute or own text that does not stand there."""
    if not fill(reader, value, where, record) and value.required:
        pointer = reader.pointer(value.path, record)
        reader.findings.fault(code, where, line, path=pointer)
        reader.findings.written.setdefault(pointer, "")


def fill(reader: ReferenceReader, value: Value, where: str, record: Record) -> bool:
    """Give an absent value its default; true when it has one, now or when all is read."""
    if value.path is None:
        return True
    path = value.path
    if value.default is not None:
        table = value.type.codes
        raw: object = table.wire.get(value.default, value.default) if table else None
        place = reach(owner(path, record, reader.header), path.parts)
        if place.value is None:
            place.put(value.type.read(value.default) if table is None else raw)
            told = f"default {value.default}"
            reader.findings.explained(NoteKind.DEFAULTED, where, path=place.pointer, detail=told)
        return True
    expression = value.otherwise
    if expression is None or expression.verb not in ("position", "count", "sum"):
        return False

    def later() -> None:
        place = reach(owner(path, record, reader.header), path.parts)
        found = computed(expression, record, reader.header)
        if place.value is None and found is not None:
            place.put(found)
            told = f"{expression.verb} filled in"
            reader.findings.explained(NoteKind.DEFAULTED, where, path=place.pointer, detail=told)

    record.later.append(later)
    return True


def say(reader: ReferenceReader, content: Content, record: Record) -> None:
    """What the document left unsaid of a record that is read."""
    for name, value in content.unsaid:
        place = reach(record, (Field(name),))
        if place.value is None:
            place.put(value)
            where, _ = reader.findings.places.get(record.pointer, ("", None))
            told = f"the document does not say it: {value}"
            reader.findings.explained(
                NoteKind.DEFAULTED, where or "", path=place.pointer, detail=told
            )


def also(reader: ReferenceReader, path: Path, raw: object, where: str, record: Record) -> None:
    """A value of the record that stands at another place too, unless something else does."""

    def later() -> None:
        places = each(record.data, record.pointer, path.parts)
        if not any(isinstance(part, Each) for part in path.parts):
            places = [reach(record, path.parts)]
        for place in places:
            if place.value is None:
                place.put(raw)
                told = "the same value stands for it"
                reader.findings.explained(
                    NoteKind.DEFAULTED, where, path=place.pointer, detail=told
                )

    record.later.append(later)


def settle(reader: ReferenceReader, place: Place, where: str, base: Record) -> None:
    """An entry of a list before which others are absent moves up, and that is told."""
    entries = place.container

    def moved() -> None:
        if any(one is None for one in entries[: place.key]):
            detail = "no entry stands before it, so that it becomes an earlier one"
            reader.findings.note(NoteKind.MAPPED, where, path=place.pointer, detail=detail)

    base.later.insert(0, moved)


def gather(reader: ReferenceReader, value: Value, text: str, record: Record) -> None:
    """One part of a text; all of them are put together when the record is complete."""
    assert value.path is not None
    assert value.part is not None
    base = owner(value.path, record, reader.header)
    place = reach(base, value.path.parts)
    parts = base.parts.setdefault(place.pointer, {})
    if not parts:
        base.later.append(lambda: place.put("".join(parts[at] for at in sorted(parts))))
    parts[value.part[0]] = text
    reader.findings.carried += 1


def compare(reader: ReferenceReader, value: Value, text: str, where: str, record: Record) -> None:
    """A derived value is checked when its record is complete."""
    expression = value.derived
    assert expression is not None
    if any(path.messages for path in expression.paths):
        reader.findings.carried += 1
        reader.header.counts[where] = text
        return

    def later() -> None:
        found = computed(expression, record, reader.header)
        if found is not None and same(str(found), text):
            reader.findings.carried += 1
        else:
            detail = f"unlike {expression.verb} of what stands there"
            reader.findings.report(NoteKind.CONTRADICTS, where, detail)

    record.later.append(later)


def same(one: str, other: str) -> bool:
    """Equal as numbers, or as text where they are none."""
    try:
        return Decimal(one) == Decimal(other)
    except InvalidOperation:
        return one == other


def computed(expression: Expression, record: Record, header: Record) -> object | None:
    """What a derived value is with what has been read; ``None`` when nothing is there."""
    if expression.verb == "position":
        return record.position
    found: list[Any] = []
    for path in expression.paths:
        base = owner(path, record, header)
        if any(isinstance(part, Each) for part in path.parts):
            found += [place.value for place in each(base.data, base.pointer, path.parts)]
        else:
            found.append(_peek(base.data, path))
    found = [one for one in found if one is not None]
    if expression.verb == "count":
        return len(found[0]) if found else 0
    if expression.verb == "sum":
        try:
            return format(sum((Decimal(str(one)) for one in found), Decimal()), "f")
        except InvalidOperation:
            return None
    return " ".join(str(one) for one in found) or None


def _peek(data: Any, path: Path) -> Any:
    for part in path.parts:
        if isinstance(part, Field):
            data = data.get(part.name) if isinstance(data, dict) else None
        elif isinstance(part, Index):
            data = data[part.number] if isinstance(data, list) and len(data) > part.number else None
        elif isinstance(part, Match) and isinstance(data, list):
            data = next((one for one in data if one.get(part.key) == part.value), None)
    return data


def choose(reader: ReferenceReader, content: Content, record: Record) -> None:
    """Choices by several values: the first row whose values all stand there wins."""
    for value in content.choices:
        assert value.choice is not None
        group = value.line.group
        for name, row in value.choice.rows.items():
            stand = [record.seen.get((group, key)) for key in row]
            if all(one and one.text == text for one, text in zip(stand, row.values(), strict=True)):
                assert value.path is not None
                place = reach(owner(value.path, record, reader.header), value.path.parts)
                place.put(name)
                told = ", ".join(f"{key}={text}" for key, text in row.items())
                where = record.seen[group, next(iter(row))].where
                reader.mapped(told, name, where, place.pointer)
                for key in row:
                    seen = record.seen.pop((group, key))
                    reader.findings.places[place.pointer] = (seen.where, seen.line)
                    if seen.value.required and seen.value.choice is None:
                        # A record that requires a place of its own for it keeps it there too.
                        reader.convert(seen.value, seen.text, seen.where, seen.line, seen.record)
                    else:
                        reader.findings.carried += 1
                break
    for seen in list(record.seen.values()):
        if seen.value.choice is not None:
            reader.findings.warn(
                "code.unknown", seen.where, seen.line,
                path=reader.pointer(seen.value.path, record), detail="no row of the choice fits",
            )  # fmt: skip
        reader.convert(seen.value, seen.text, seen.where, seen.line, seen.record)
    record.seen.clear()


def spread(reader: ReferenceReader, value: Value, raw: object, where: str, record: Record) -> None:
    """One value here that stands for all of them there, once they are read."""
    path = value.path
    assert path is not None
    base = owner(path, record, reader.header)

    def later() -> None:
        places = each(base.data, base.pointer, path.parts)
        used = False
        for place in places:
            if place.value is None:
                place.put(raw)
                used = True
            elif place.value == raw:
                used = True
        if used:
            reader.findings.carried += 1
        else:
            detail = "nothing stands there that it could be for"
            reader.findings.report(NoteKind.DROPPED, where, detail)

    base.later.append(later)
