"""The reference writer: builds a message from the compiled tree and marks what it carries.

It explains everything that cannot be expressed, and reports what has no place in the format;
the generated writer must give the same bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from translators.faults import Fault, Note, NoteKind
from translators.layout.codes import CodeTable
from translators.layout.grammar import Each, Expression, Field, Match, Path
from translators.layout.notation import Wrong
from translators.layout.plan import Content, Element, Plan, Slot, Value, first_path
from translators.layout.types import ValueFault
from translators.layout.walking import Source, claimed, position, shown, spread
from translators.pointer import child

_BAD = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML cannot carry (XML 1.0, 2.2)."""


@dataclass(eq=False, slots=True)
class Built:
    """What was built of one content. ``live``: something other than constants stands in it."""

    attributes: str = ""
    inner: Any = ""
    """Text of the document; in JSON an object has its members here until it is finished."""
    live: bool = False
    missing: list[Fault] = field(default_factory=list)


class ReferenceWriter:
    """Writes one message, or what stands around messages; collects faults, notes and marks."""

    def __init__(
        self, plan: Plan, header: Any, count: int | None = None, *, shared: Any = None
    ) -> None:
        self.plan = plan
        self._shared = Source(shared)
        self.header = Source(header, "/header")
        self.count = count
        self.faults: list[Fault] = []
        self.notes: list[Note] = []
        self.touched: set[str] = set()
        self._chosen: dict[tuple[str, str], str] = {}
        self._claims: tuple[Path, ...] = ()

    def message(self, content: Content, value: Any, position: int) -> Built:
        """What stands in the element of one message; faults are in ``judged``."""
        self._claims = content.claims
        self._unsaid(content, value, "")
        built = self.content(content, Source(value, "", None, position))
        self.faults += built.missing
        return built

    def judged(self) -> tuple[Fault, ...]:
        """Every fault; what is missing only because it was refused is told once."""
        wrong = {fault.path for fault in self.faults if fault.code != "value.missing"}
        return tuple(
            fault
            for fault in self.faults
            if fault.code != "value.missing" or fault.path not in wrong
        )

    def content(self, content: Content, source: Source) -> Built:
        """Everything that stands in one element."""
        built = Built()
        for value in content.choices:
            self._choose(value, source)
        for tag, value in content.attributes.items():
            self._attribute_of(tag, value, source, built)
        if content.text is not None:
            text = self._single(content.text, source)
            if text is not None:
                pointer = self._pointer(content.text.path, source)
                self._put_text(built, content.text, text, pointer)
                built.live = built.live or content.text.path is not None
            elif content.text.required or content.text.whole:
                built.missing.append(self._missing(content.text.path, source))
        for slot in content.slots.values():
            written = [one for one in slot.elements if self._stood(one, source, built)]
            if slot.single:
                self._one_form(slot, written, source, built)
        for value in content.choices:
            for row in value.choice.rows.values() if value.choice else ():
                for key in row:
                    self._chosen.pop((value.line.group, key), None)
        return built

    def _attribute_of(self, tag: str, value: Value, source: Source, into: Built) -> None:
        text = self._single(value, source)
        if text is not None:
            into.live = into.live or value.path is not None
            into.attributes += f' {self._attribute(tag)}="{self._escaped(text)}"'
        elif value.required:
            into.missing.append(self._missing(value.path, source))

    def _stood(self, element: Element, source: Source, into: Built) -> bool:
        """Write what an element has, and tell whether there was any."""
        before = into.inner
        self._element(element, source, into)
        return bool(into.inner != before)

    def _one_form(self, slot: Slot, written: list[Element], source: Source, into: Built) -> None:
        """Of the forms of an element one may stand, or must."""
        shown = [self._pointer(first_path(one), source) for one in slot.elements]
        if len(written) > 1:
            pointer = self._pointer(first_path(written[1]), source)
            detail = f"only one of {', '.join(shown)} can stand here"
            self._fault("element.repeated", pointer, detail)
        elif slot.needed and not written:
            detail = f"one of {', '.join(shown)} is required here"
            into.missing.append(Fault(code="value.missing", path=shown[0], detail=detail))

    def _attribute(self, tag: str) -> str:
        uri, brace, local = tag.rpartition("}")
        if not brace:
            return tag
        if uri[1:] == "http://www.w3.org/XML/1998/namespace":
            return f"xml:{local}"
        prefixes = self.plan.namespaces.items()
        return next(f"{p}:{local}" for p, known in prefixes if known == uri[1:] and p != "default")

    def _element(self, element: Element, source: Source, into: Built) -> None:
        if element.messages is not None:
            self.plan.notation.put_mark(into, element)
            into.live = True
        elif element.pairs is not None:
            self._pairs(element, source, into)
        elif element.record is not None:
            self._records(element, element.record, source, into)
        elif element.maximum != 1:
            self._texts(element, source, into)
        else:
            built = self.content(element.content, source)
            if built.live or (element.fixed and built.inner):
                # A constant of its own line stands wherever its surroundings exist.
                self.plan.notation.put_child(into, element, built)
                into.live = into.live or built.live
                self.faults += built.missing
            elif element.minimum:
                into.missing += built.missing

    def _texts(self, element: Element, source: Source, into: Built) -> None:
        """A repeated element whose text is one entry of a list."""
        value = element.content.text
        assert value is not None
        assert value.path is not None
        found, pointer = self._get(value.path, source)
        entries = self._others(value.path, source, list(enumerate(found or ())), pointer)
        written = 0
        for at, one in entries:
            text = self._text(value, one, child(pointer, at))
            if text is not None:
                built = Built()
                self._put_text(built, value, text, child(pointer, at))
                self.plan.notation.put_child(into, element, built)
                written += 1
        into.live = into.live or bool(written)
        self._occurs(element, written, pointer, into)

    def _others(
        self, path: Path, source: Source, entries: list[tuple[int, Any]], pointer: str
    ) -> list[tuple[int, Any]]:
        """The entries that no ``[n]`` or ``[k=v]`` of the same record picks."""
        picked = {
            at
            for claim in self._claims
            if claim.up == path.up and claim.header == path.header
            for at in claimed(claim, path, entries)
        }
        return [(at, one) for at, one in entries if at not in picked]

    def _records(self, element: Element, path: Path, source: Source, into: Built) -> None:
        found, pointer = self._get(path, source)
        if element.maximum == 1:
            if found is None:
                if element.minimum:
                    into.missing.append(self._missing(path, source))
                return
            inner = Source(found, pointer, source, source.position)
            self._record(element, inner, into)
            into.live = True
            return
        entries = self._others(path, source, list(enumerate(found or ())), pointer)
        for count, (at, one) in enumerate(entries, start=1):
            inner = Source(one, child(pointer, at), source, count)
            self._record(element, inner, into)
        into.live = into.live or bool(entries)
        self._occurs(element, len(entries), pointer, into)

    def _record(self, element: Element, inner: Source, into: Built) -> None:
        above, self._claims = self._claims, element.content.claims
        self._unsaid(element.content, inner.value, inner.pointer)
        built = self.content(element.content, inner)
        self._claims = above
        self.faults += built.missing
        self.plan.notation.put_child(into, element, built)

    def _unsaid(self, content: Content, record: Any, pointer: str) -> None:
        """What is said by saying nothing counts as carried."""
        for name, value in content.unsaid:
            if getattr(record, name) == value:
                self.touched.add(child(pointer, name))

    def _occurs(self, element: Element, count: int, pointer: str, into: Built) -> None:
        if count < element.minimum:
            detail = f"{count} entries, at least {element.minimum}" if count else "required here"
            into.missing.append(Fault(code="value.missing", path=pointer, detail=detail))
        if element.maximum is not None and count > element.maximum:
            detail = f"{count} entries, at most {element.maximum}"
            self.faults.append(Fault(code="list.too-long", path=pointer, detail=detail))

    def _pairs(self, element: Element, source: Source, into: Built) -> None:
        assert element.record is not None
        assert element.content.text is not None
        found, pointer = self._get(element.record, source)
        for name, one in (found or {}).items():
            here = child(pointer, name)
            key = name.strip()
            if key != name or not key:
                self._fault("value.pattern", here, "a name with space around it, or an empty one")
                continue
            text = self._text(element.content.text, one, here)
            if text is None:
                continue
            try:
                self.plan.notation.put_pair(into, element, key, text)
            except Wrong as wrong:
                self._fault(wrong.code, here, wrong.detail)
            into.live = True

    def _single(self, value: Value, source: Source) -> str | None:
        """Wire text of an attribute or own text; ``None`` when there is nothing to write."""
        if value.constant is not None:
            return value.constant
        if value.derived is not None:
            found = self._computed(value.derived, source)
            return None if found is None else _plain(found)
        key = (value.line.group, value.key)
        assert value.path is not None
        if key in self._chosen:
            found, pointer = self._get(value.path, source)
            if found == self._chosen[key]:
                self.touched.add(pointer)
            return self._chosen[key]
        if value.join is not None:
            return self._joined(value, value.path, source)
        if any(isinstance(part, Each) for part in value.path.parts):
            return self._agreed(value, value.path, source)
        found, pointer = self._get(value.path, source)
        if value.unsaid is not None and found == value.unsaid:
            return None
        if value.part is not None and found is not None:
            first, last = value.part
            found = found[first - 1 : last] or None
        text = None if found is None else self._text(value, found, pointer)
        for path in value.also if text is not None else ():
            base = self._shared if value.path.shared else source
            others = spread(base.value, base.pointer, path.parts)
            self.touched.update(where for where, other in others if other == found)
        return text if text is not None else self._otherwise(value, source)

    def _otherwise(self, value: Value, source: Source) -> str | None:
        """What is written when we have nothing: a default or a derived value."""
        if value.default is not None:
            self._note(NoteKind.DEFAULTED, self._pointer(value.path, source), "default written")
            return value.default
        if value.otherwise is None:
            return None
        found = self._computed(value.otherwise, source, mark=value.otherwise.verb == "join")
        if found is None:
            return None
        pointer = self._pointer(value.path, source)
        self._note(NoteKind.DEFAULTED, pointer, f"{value.otherwise.verb} written")
        return self._text(value, found, pointer, mark=False)

    def _text(self, value: Value, found: Any, pointer: str, *, mark: bool = True) -> str | None:
        """Wire text of one canonical value; a fault, and nothing, when it has none."""
        if isinstance(found, int) and value.type.feeds == {"decimal"}:
            found = Decimal(found)
        try:
            text = self._coded(value, found, pointer)
        except ValueFault as fault:
            self._fault(fault.code, pointer, fault.detail)
            return None
        if mark and text is not None:
            self.touched.add(pointer)
        return text

    def _coded(self, value: Value, found: Any, pointer: str) -> str | None:
        table = value.type.codes
        if found == b"":
            return None
        if isinstance(found, str):
            trimmed = found.strip()
            if trimmed != found:
                if not trimmed:
                    return None
                self._note(NoteKind.MAPPED, pointer, "space around it is not carried")
                found = trimmed
        if table is None:
            return value.type.written(found)
        if found in table.ours:
            self._mapped(found, table.ours[found], pointer)
            return table.ours[found]
        if found in table.wire:
            raise ValueFault("code.ambiguous", f"spelled like a code of {table.name}")
        if table.closed:
            raise ValueFault("code.unknown", f"not in the closed table {table.name}")
        self._passed(table, pointer)
        return value.type.written(found)

    def _joined(self, value: Value, path: Path, source: Source) -> str | None:
        assert value.join is not None
        found, pointer = self._get(path, source)
        if not found:
            return self._otherwise(value, source)
        self.touched.update(child(pointer, at) for at in range(len(found)))
        text = value.join.join(found)
        if [piece.strip() for piece in text.split(value.join)] != list(found):
            detail = f"an entry holds the separator {value.join!r}, or has space around it"
            self._fault("value.separator", pointer, detail)
        try:
            return value.type.written(text)
        except ValueFault as fault:
            self._fault(fault.code, pointer, fault.detail)
            return None

    def _agreed(self, value: Value, path: Path, source: Source) -> str | None:
        """One value for all entries, when they have it and agree."""
        base = self._owner(path, source)
        found = list(spread(base.value, base.pointer, path.parts))
        other = next((pointer for pointer, one in found if one != found[0][1]), None)
        if other is not None and value.required:
            detail = "unlike the entry before it, and one value stands for all"
            self._fault("value.disagrees", other, detail)
        if not found or other is not None or found[0][1] is None:
            return None
        text = self._text(value, found[0][1], found[0][0])
        if text is not None:
            self.touched.update(pointer for pointer, _ in found)
        return text

    def _choose(self, value: Value, source: Source) -> None:
        assert value.choice is not None
        assert value.path is not None
        found, pointer = self._get(value.path, source)
        row = value.choice.rows.get(found) if isinstance(found, str) else None
        if row is not None:
            self.touched.add(pointer)
            told = ", ".join(f"{key}={text}" for key, text in row.items())
            self._mapped(str(found), told, pointer)
            for key, text in row.items():
                self._chosen[value.line.group, key] = text

    def _computed(
        self, expression: Expression, source: Source, *, mark: bool = False
    ) -> object | None:
        if expression.verb == "position":
            return source.position
        found: list[Any] = []
        for path in expression.paths:
            if path.messages:
                return self.count
            base = self._owner(path, source)
            for pointer, one in spread(base.value, base.pointer, path.parts):
                if one is not None:
                    found.append(one)
                    if mark:
                        self.touched.add(pointer)
        if expression.verb == "count":
            return len(found[0]) if found else 0
        if expression.verb == "sum":
            return sum(found, Decimal())
        return " ".join(str(one) for one in found) or None

    def _owner(self, path: Path, source: Source) -> Source:
        if path.header:
            return self.header
        if path.shared:
            return self._shared
        for _ in range(path.up):
            assert source.above is not None
            source = source.above
        return source

    def _get(self, path: Path, source: Source) -> tuple[Any, str]:
        """What stands at a path, ``None`` for nothing, and its pointer."""
        base = self._owner(path, source)
        value, pointer = base.value, base.pointer
        for part in path.parts:
            if value is None:
                return None, base.pointer + shown(path)
            if isinstance(part, Field):
                value, pointer = getattr(value, part.name), child(pointer, part.name)
                continue
            index = position(value, part)
            if index is None:
                return None, base.pointer + shown(path)
            if isinstance(part, Match):
                self.touched.add(f"{child(pointer, index)}/{part.key}")
            value, pointer = value[index], child(pointer, index)
        return value, pointer

    def _pointer(self, path: Path | None, source: Source) -> str:
        return "" if path is None else self._owner(path, source).pointer + shown(path)

    def _missing(self, path: Path | None, source: Source) -> Fault:
        # Of entries that do not exist the list is missing.
        pointer = self._pointer(path, source).partition("/*")[0]
        return Fault(code="value.missing", path=pointer, detail="required here")

    def _fault(self, code: str, pointer: str, detail: str) -> None:
        self.faults.append(Fault(code=code, path=pointer, detail=detail))

    def _mapped(self, ours: str, wire: str, pointer: str) -> None:
        if ours != wire:
            self._note(NoteKind.MAPPED, pointer, f"{ours} → {wire}")

    def _passed(self, table: CodeTable, pointer: str) -> None:
        self._note(NoteKind.MAPPED, pointer, f"not in table {table.name}: passed as it is")

    def _note(self, kind: NoteKind, pointer: str, detail: str) -> None:
        self.notes.append(Note(kind=kind, path=pointer, detail=detail))

    def _put_text(self, into: Built, value: Value, text: str, pointer: str) -> None:
        try:
            self.plan.notation.put_text(into, value, text)
        except Wrong as wrong:
            self._fault(wrong.code, pointer, wrong.detail)

    def _escaped(self, text: str) -> str:
        """The text of an attribute."""
        if _BAD.search(text):
            self._fault("value.character", "", "a character that XML cannot carry")
        return escaped(text, attribute=True)


def escaped(text: str, *, attribute: bool) -> str:
    """Text as it stands in a document; what a parser would normalise is written as reference."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = text.replace("\r", "&#13;")
    if attribute:
        text = text.replace('"', "&quot;").replace("\n", "&#10;").replace("\t", "&#9;")
    return text


def wrapped(name: str, built: Built) -> str:
    """An element with what was built for it."""
    if not built.inner:
        return f"<{name}{built.attributes}/>"
    return f"<{name}{built.attributes}>{built.inner}</{name}>"


def _plain(found: object) -> str:
    return format(found, "f") if isinstance(found, Decimal) else str(found)
