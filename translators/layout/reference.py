"""The reference reader: a plain interpreter of the compiled tree that explains everything.

It counts, names and locates whatever the fast reader could not take: every fault with canonical
pointer, indexed source path and line, every value that is reported instead of carried.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass

from translators.faults import NoteKind
from translators.layout import completion
from translators.layout.along import Along
from translators.layout.codes import CodeTable
from translators.layout.findings import Findings, check_attributes
from translators.layout.grammar import Each, Index, Path
from translators.layout.notation import Wrong
from translators.layout.plan import HINTS, Content, Element, Plan, Slot, Value
from translators.layout.records import Record, owner, reach
from translators.layout.types import ValueFault
from translators.layout.walking import shown
from translators.pointer import child as below
from translators.xml import Node, line_of

_NONE: frozenset[str] = frozenset()
_BLANK = " \t\r\n"
"""What XML takes for space; there is more in Unicode, which is trimmed here too."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A value that a choice will judge when its record is complete."""

    value: Value
    text: str
    where: str
    line: int | None
    record: Record


class ReferenceReader:
    """Reads one message, or the header, into plain mappings; never raises for bad content."""

    def __init__(
        self, plan: Plan, header: Record, findings: Findings, *, along: Along | None = None
    ) -> None:
        """``along``: only where that pointer stands is to be found, all else may be passed by."""
        self._along = along
        self.plan = plan
        self.header = header
        self.findings = findings

    def content(
        self,
        content: Content,
        node: Node,
        record: Record,
        where: str,
        *,
        children: Iterable[Node] | None = None,
        own: bool = True,
        only: frozenset[str] | None = None,
    ) -> None:
        """Read what stands in an element.

        ``children`` restricts the reading to some child elements, ``only`` what is missed to
        some names; ``own`` says whether attributes and own text are read too.
        """
        if own:
            self._attributes(content, node, record, where)
            self._text(content, node, record, where)
        counts: dict[str, int] = {}
        met: dict[Element, int] = {}
        forms: dict[str, list[tuple[int, Node, str]]] = {}
        latest = -1
        passed_by = _NONE if self._along is None else self._along.passed_by(content, record)
        for one in self.plan.notation.children(content, node) if children is None else children:
            tag = str(one.tag)
            if tag in passed_by:
                continue
            counts[tag] = counts.get(tag, 0) + 1
            slot = content.slots.get(tag)
            if one.tail and one.tail.strip():
                self._stray(one, where)
            if slot is None:
                here = self.plan.notation.below(where, one, self.plan.name(tag), counts[tag])
                self.findings.lost(one, here, "element.unknown", "no such element here")
                continue
            several = len(slot.elements) > 1 or slot.elements[0].maximum != 1 or counts[tag] > 1
            number = counts[tag] if several else None
            here = self.plan.notation.below(where, one, self.plan.name(tag), number)
            if slot.order < latest and self.plan.syntax == "xml":
                self._late(one, here)
            latest = max(latest, slot.order)
            found = next((e for e in slot.elements if _fits(e, one)), None)
            wrong = _wrong_form(slot, found, met)
            if wrong is not None:
                self.findings.lost(one, here, *wrong)
                continue
            assert found is not None
            met[found] = met.get(found, 0) + 1
            forms.setdefault(tag, []).append((slot.elements.index(found), one, here))
            if found.messages is not None:
                continue
            if found.maximum is not None and met[found] > found.maximum:
                self._surplus(found, one, here, met[found])
                continue
            self.element(found, one, record, here, met[found])
        for slot in _missed(content, only, passed_by):
            self._absent(slot, met, node, record, where)
        self._counted(met, node, where)
        for namesakes in forms.values():
            self._moved(namesakes)

    def _surplus(self, element: Element, node: Node, where: str, number: int) -> None:
        """One more than may stand: of a list that is not read to its end nothing is taken."""
        detail = f"stands more than {element.maximum} times"
        if self.plan.refuse or element.maximum == 1:
            self.findings.lost(node, where, "element.repeated", detail)
            return
        self.findings.faulty += sum(1 for _ in self.plan.notation.values(node, where, self.plan))
        if element.maximum is not None and number == element.maximum + 1:
            self.findings.fault("element.repeated", where, line_of(node), detail=detail)

    def _late(self, node: Node, where: str) -> None:
        """An element behind one that it is written before."""
        detail = "stands after a later element"
        if self.plan.refuse:
            self.findings.fault("element.order", where, line_of(node), detail=detail)
        else:
            self.findings.explained(NoteKind.MAPPED, where, path="", detail=detail)

    def _absent(
        self, slot: Slot, met: Container[Element], node: Node, record: Record, where: str
    ) -> None:
        for element in slot.elements:
            if element not in met:
                completion.absent(self, element, node, record, where)
        if slot.needed:
            completion.no_form(self, slot, met, node, record, where)

    def _counted(self, met: dict[Element, int], node: Node, where: str) -> None:
        """What stands there, but not as often as it must."""
        for element, count in met.items():
            if count < element.minimum:
                here = f"{where}/{self.plan.name(element.tag)}"
                detail = f"stands {count} times, at least {element.minimum}"
                self.findings.fault("element.missing", here, line_of(node), detail=detail)

    def _moved(self, namesakes: list[tuple[int, Node, str]]) -> None:
        """Note what the order of forms will write at another place among its namesakes."""
        written = sorted(namesakes, key=lambda one: one[0])
        for (_, _, here), (_, node, there) in zip(namesakes, written, strict=True):
            if here != there:
                for path in self.plan.notation.values(node, there, self.plan):
                    detail = "another form of this element is written before it, or behind it"
                    self.findings.note(NoteKind.MAPPED, path, detail=detail)

    def _formed(self, element: Element, node: Node, record: Record, where: str) -> bool:
        """Whether a node has the form that its line wants; else there is a fault."""
        try:
            self.plan.notation.check(element, node)
        except Wrong as wrong:
            text = element.content.text
            path = element.record if text is None or element.record else text.path
            self.findings.misfit(node, where, wrong, path=self.pointer(path, record))
            return False
        return True

    def element(
        self, element: Element, node: Node, record: Record, where: str, position: int
    ) -> None:
        """Read one element whose form is known."""
        if not self._formed(element, node, record, where):
            return
        if element.pairs is not None:
            self.plan.notation.pairs(self, element, node, record, where)
            return
        if element.record is None:
            self.content(element.content, node, record, where)
            return
        base = owner(element.record, record, self.header)
        place = reach(base, element.record.parts)
        if element.maximum != 1:
            entries = place.entries()
            pointer = below(place.pointer, len(entries))
            inner = Record({}, pointer, record, position)
            at = len(entries)
            entries.append(inner.data)
            self._within(element, inner, node, where)
            entries[at] = inner.finish()
            return
        if not element.record.parts and element.record.header:
            inner = self.header
            self._within(element, inner, node, where)
            return
        known = place.value if isinstance(place.value, dict) else {}
        inner = Record(known, place.pointer, record, position)
        place.put(known)
        self._within(element, inner, node, where)
        place.put(inner.finish())

    def message(self, content: Content, node: Node, record: Record, where: str) -> None:
        """Read a whole message into ``record``."""
        self._within(Element(str(node.tag), "", 1, 1, content), record, node, where)
        record.finish()

    def _within(self, element: Element, record: Record, node: Node, where: str) -> None:
        self.findings.places[record.pointer] = (where, line_of(node))
        self.content(element.content, node, record, where)
        completion.choose(self, element.content, record)
        completion.say(self, element.content, record)

    def _attributes(self, content: Content, node: Node, record: Record, where: str) -> None:
        check_attributes(node)
        for name, text in node.attrib.items():
            tag = str(name)
            value = content.attributes.get(tag)
            here = f"{where}/@{self.plan.name(tag)}"
            if value is not None:
                self.value(value, str(text), here, line_of(node), record)
            elif tag not in HINTS:
                self.unknown_attribute(here, line_of(node))
        for tag, value in content.attributes.items():
            if node.get(tag) is None:
                here = f"{where}/@{self.plan.name(tag)}"
                completion.absent_value(
                    self, value, "attribute.missing", here, line_of(node), record
                )

    def unknown_attribute(self, where: str, line: int | None) -> None:
        """An attribute without a line."""
        if self.plan.refuse:
            self.findings.faulty += 1
            self.findings.fault("attribute.unknown", where, line, detail="no such attribute")
        else:
            self.findings.report(NoteKind.DROPPED, where, "no such attribute")

    def _text(self, content: Content, node: Node, record: Record, where: str) -> None:
        text = (node.text or "").strip()
        if content.text is None:
            if text:
                self._stray(node, where, own=True)
        elif text:
            self.value(content.text, node.text or "", where, line_of(node), record)
        elif self.plan.refuse and content.text.whole:
            path = self.pointer(content.text.path, record)
            self.findings.fault("value.empty", where, line_of(node), path=path)
            self.findings.written[path] = ""
        else:
            completion.absent_value(self, content.text, "value.empty", where, line_of(node), record)

    def _stray(self, node: Node, where: str, *, own: bool = False) -> None:
        """Text where only elements may stand."""
        if self.plan.refuse:
            self.findings.faulty += 1
            line = line_of(node)
            self.findings.fault("element.text", where, line, detail="text among elements")
        else:
            what = "text before elements" if own else "text among elements"
            self.findings.report(NoteKind.DROPPED, where, what)

    def value(self, value: Value, text: str, where: str, line: int | None, record: Record) -> None:
        """Read one value of the wire."""
        given, text = text, text.strip()
        if text and text != given.strip(_BLANK):
            detail = "space around it is not carried"
            path = self.pointer(value.path, record)
            self.findings.explained(NoteKind.MAPPED, where, path=path, detail=detail)
        if not text:
            path = self.pointer(value.path, record)
            if self.plan.refuse:
                self.findings.faulty += 1
                self.findings.fault("value.empty", where, line, path=path)
            else:
                self.findings.report(NoteKind.DROPPED, where, "empty", path=path)
        elif value.constant is not None:
            detail = f"{value.constant!r} is expected"
            if text == value.constant:
                self.findings.carried += 1
            elif value.firm:
                self.findings.faulty += 1
                self.findings.fault("value.pattern", where, line, detail=detail)
            else:
                self.findings.report(NoteKind.DROPPED, where, detail)
        elif value.derived is not None:
            completion.compare(self, value, text, where, record)
        elif value.choice is not None or value.chosen:
            key = (value.line.group, value.key)
            record.seen[key] = Seen(value, text, where, line, record)
        else:
            self.convert(value, text, where, line, record)

    def convert(
        self, value: Value, text: str, where: str, line: int | None, record: Record
    ) -> None:
        """Convert wire text and put it where it belongs with us."""
        assert value.path is not None
        found = self._typed(value, text, where, line, record)
        if found is None:
            self.findings.faulty += 1
        elif value.part is not None:
            self.findings.places[self.pointer(value.path, record)] = (where, line)
            completion.gather(self, value, str(found), record)
        elif value.join is not None:
            self._split(value, value.join, text, where, line, record)
        elif any(isinstance(part, Each) for part in value.path.parts):
            completion.spread(self, value, found, where, record)
        else:
            self._put(value, found, where, line, record)

    def _split(
        self, value: Value, join: str, text: str, where: str, line: int | None, record: Record
    ) -> None:
        assert value.path is not None
        place = reach(owner(value.path, record, self.header), value.path.parts)
        self.findings.places[place.pointer] = (where, line)
        pieces = [piece.strip() for piece in text.split(join)]
        place.entries().extend(pieces)
        self.findings.carried += 1
        if join.join(pieces) != text:
            detail = f"space around {join!r} is not carried"
            self.findings.note(NoteKind.MAPPED, where, path=place.pointer, detail=detail)

    def _typed(
        self, value: Value, text: str, where: str, line: int | None, record: Record
    ) -> object | None:
        path = self.pointer(value.path, record)
        table = value.type.codes
        try:
            if table is None:
                return value.type.read(text)
            if text in table.wire:
                self._known(table, text, where, path)
                return table.wire[text]
            if text in table.ours:
                raise ValueFault("code.ambiguous", f"spelled like our name in {table.name}")
            if table.closed:
                raise ValueFault("code.unknown", f"not in the closed table {table.name}")
            raw = value.type.read(text)
        except ValueFault as fault:
            self.findings.fault(fault.code, where, line, path=path, detail=fault.detail)
            self.findings.written[path] = text
            return None
        self.findings.warn(
            "code.unknown", where, line, path=path, detail=f"not in table {table.name}"
        )
        return raw

    def _known(self, table: CodeTable, text: str, where: str, path: str) -> None:
        """Note a code that is another one with us; always, when it comes back as another."""
        ours = table.wire[text]
        if (written := table.ours[ours]) == text:
            self.mapped(text, ours, where, path)
        else:
            detail = f"{text} → {ours}, which is written {written}"
            self.findings.note(NoteKind.MAPPED, where, path=path, detail=detail)

    def mapped(self, wire: str, ours: str, where: str, path: str) -> None:
        """Note a code that is another one with us."""
        if wire != ours:
            detail = f"{wire} → {ours}"
            self.findings.explained(NoteKind.MAPPED, where, path=path, detail=detail)

    def _put(self, value: Value, raw: object, where: str, line: int | None, record: Record) -> None:
        path = value.path
        assert path is not None
        place = reach(owner(path, record, self.header), path.parts)
        pointer = place.pointer
        if value.repeats:
            entries = place.entries()
            entries.append(raw)
            pointer = below(place.pointer, len(entries) - 1)
        elif place.value is not None:
            self._second(value, raw, where, line, place.value, place.pointer)
            return
        else:
            place.put(raw)
            if path.parts and isinstance(path.parts[-1], Index):
                completion.settle(self, place, where, owner(path, record, self.header))
        self.findings.places[pointer] = (where, line)
        self.findings.carried += 1
        for other in value.also:
            completion.also(self, other, raw, where, record)

    def _second(
        self,
        value: Value,
        raw: object,
        where: str,
        line: int | None,
        known: object,
        pointer: str,
    ) -> None:
        """A value for a place that has one: with ``^`` and ``header`` all must agree."""
        assert value.path is not None
        if raw == known:
            self.findings.carried += 1
        elif value.path.up or value.path.header:
            self.findings.faulty += 1
            detail = "unlike the value that stands elsewhere for the same thing"
            self.findings.fault("value.disagrees", where, line, path=pointer, detail=detail)
        else:
            self.findings.report(NoteKind.DROPPED, where, "a second value", path=pointer)

    def pair(self, element: Element, node: Node, record: Record, where: str) -> None:
        """``<extra name="k">v</extra>``."""
        assert element.record is not None
        assert element.pairs is not None
        assert element.content.text is not None
        for one in node:
            tag = self.plan.name(str(one.tag))
            self.findings.lost(one, f"{where}/{tag}", "element.unknown", "no such element here")
            if one.tail and one.tail.strip():
                self._stray(one, where)
        name = (node.get(element.pairs) or "").strip()
        text = (node.text or "").strip()
        for attribute in node.attrib:
            if str(attribute) != element.pairs and str(attribute) not in HINTS:
                here = f"{where}/@{self.plan.name(str(attribute))}"
                self.unknown_attribute(here, line_of(node))
        line = line_of(node)
        place = reach(owner(element.record, record, self.header), element.record.parts)
        pointer = below(place.pointer, name) if name else place.pointer
        count = int(node.get(element.pairs) is not None) + bool(text)
        if place.value is None:
            place.put({})
        known: dict[str, str] = place.value
        if not name or not text:
            self.findings.faulty += count
            code = "value.empty" if name else "attribute.missing"
            self.findings.fault(code, where, line, path=pointer)
            self.findings.written[pointer] = ""
        elif name in known:
            self.findings.faulty += count
            detail = "the same name twice"
            self.findings.fault("element.repeated", where, line, path=pointer, detail=detail)
        else:
            known[name] = text
            self.findings.places[pointer] = (where, line)
            self.findings.carried += count

    def pointer(self, path: Path | None, record: Record) -> str:
        """The canonical pointer of a path, for messages; nothing is made on the way."""
        if path is None:
            return ""
        base = owner(path, record, self.header)
        return base.pointer + shown(path)


def _missed(
    content: Content, only: frozenset[str] | None, passed_by: frozenset[str]
) -> Iterable[Slot]:
    """Where elements would be missed that do not stand there."""
    if only is None and not passed_by:
        return content.slots.values()
    wanted = (content.slots.keys() if only is None else only) - passed_by
    return [slot for slot in content.slots.values() if slot.tag in wanted]


def _fits(element: Element, node: Node) -> bool:
    """True when the predicate of an alternative holds."""
    predicate = element.predicate
    if predicate is None:
        return True
    if predicate.attribute:
        found = node.get(predicate.name)
    else:
        one = node.find(predicate.name)
        found = None if one is None else one.text
    return found is not None and found.strip() == predicate.value


def _wrong_form(
    slot: Slot, found: Element | None, met: Container[Element]
) -> tuple[str, str] | None:
    """What is wrong with the form of an element: there is none, or another stands already."""
    if found is None:
        return "element.unknown", "no form of this element fits"
    if slot.single and any(one in met for one in slot.elements if one is not found):
        return "element.repeated", "stands there in another form already"
    return None
