"""Documents of any layout, drawn so that most are good: predicates, choices, constants and
derived values included; and messages like those that a layout can say."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import strategies as st
from lxml import etree

from tests.strategies import texts, wire_texts
from translators.layout import LayoutTranslator
from translators.layout.plan import Content, Element, Value
from translators.xml import Node

_MOSTLY = st.integers(0, 29).map(bool)


@st.composite
def documents(draw: st.DrawFn, layout: LayoutTranslator) -> bytes:
    """Documents of a layout."""
    plan = layout.plan
    nsmap: Any = {None if name == "default" else name: uri for name, uri in plan.namespaces.items()}
    root = etree.Element(plan.root, nsmap=nsmap)
    drawing = _Drawing(draw)
    drawing.fill(root, plan.document)
    if not plan.chain:
        drawing.fill(root, plan.messages.rows[0].content)
    if draw(st.booleans()):
        etree.indent(root)
    if draw(st.booleans()):
        root.append(etree.Comment(" a note "))
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


class _Drawing:
    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw
        self._rows: dict[tuple[str, str], str] = {}

    def fill(self, node: Node, content: Content) -> None:
        """Fill an element."""
        for value in content.choices:
            rows = list(value.choice.rows.values()) if value.choice else []
            for key, text in self._draw(st.sampled_from(rows)).items():
                self._rows[value.line.group, key] = text
        for tag, value in content.attributes.items():
            if self._stands(value, required=value.required):
                node.set(tag, self._text(value))
        if content.text is not None:
            node.text = self._text(content.text)
        for slot in content.slots.values():
            chosen = [one for element in slot.elements for one in [element] * self._times(element)]
            if slot.single and self._draw(_MOSTLY):
                chosen = chosen[:1]
            if len(slot.elements) > 1:
                chosen = self._draw(st.permutations(chosen)) if not self._draw(_MOSTLY) else chosen
            for element in chosen:
                self._element(etree.SubElement(node, element.tag), element)

    def _stands(self, value: Value, *, required: bool) -> bool:
        wanted = (value.line.group, value.key) in self._rows
        return required or self._draw(st.booleans()) or (wanted and self._draw(_MOSTLY))

    def _element(self, node: Node, element: Element) -> None:
        if element.pairs is not None:
            node.set(element.pairs, self._draw(texts(1, 20)))
            node.text = self._draw(texts(1, 20))
        elif element.messages is not None:
            row = self._draw(st.sampled_from(element.messages.rows))
            for key, text in row.conditions:
                self._rows[row.group, key.written] = text
            self.fill(node, row.content)
        else:
            self.fill(node, element.content)

    def _times(self, element: Element) -> int:
        most = 3 if element.maximum is None else min(element.maximum, 3)
        value = element.content.text
        least = min(element.minimum, most)
        if value is not None and most == 1:
            least = int(self._stands(value, required=bool(least)))
        return self._draw(st.integers(least, most))

    def _text(self, value: Value) -> str:
        if value.constant is not None:
            return value.constant if self._draw(_MOSTLY) else "other"
        if value.derived is not None:
            return self._draw(st.sampled_from(["0", "1", "2", "1.0", "x y"]))
        fixed = self._rows.get((value.line.group, value.key))
        if fixed is not None and self._draw(_MOSTLY):
            return fixed
        if value.type.codes is not None and not self._draw(_MOSTLY):
            return "unknown"
        if value.join is not None:
            between = value.join if self._draw(_MOSTLY) else f"{value.join} "
            return between.join(self._draw(st.lists(texts(1, 5), min_size=1, max_size=3)))
        if value.type.name.startswith(("line", "match")):
            return self._draw(st.sampled_from(["ab", "ab/c d", "a//b", "x" * 12, "&"]))
        if value.type.name.startswith("instant "):
            days = st.sampled_from(["2026-11-20", "2026-11-21", "2026-02-30"])
            return f"{self._draw(days)}T10:00:00Z"
        if value.type.name.startswith(("mass", "decimal")):
            return self._draw(st.sampled_from(["0", "1", "2.5", "10"]))
        if value.path is not None and (value.path.up or value.path.header):
            # What must agree mostly does.
            return (
                self._draw(st.sampled_from(["A", "A", "A", "B"]))
                if not value.type.codes
                else (next(iter(value.type.codes.wire)))
            )
        return self._draw(wire_texts(value))


@st.composite
def changed(draw: st.DrawFn, value: Any) -> Any:
    """A message with some of what is optional left out, doubled, turned round or spelled so that
    it must be escaped."""
    if isinstance(value, msgspec.Struct):
        made = {}
        for field in msgspec.structs.fields(value):
            found = getattr(value, field.name)
            if not field.required and found and not draw(_MOSTLY):
                continue
            made[field.name] = draw(changed(found))
        return type(value)(**made)
    if isinstance(value, tuple) and value:
        entries = [draw(changed(one)) for one in value]
        return tuple(draw(st.sampled_from([entries, entries, entries[::-1], entries + entries])))
    if isinstance(value, str) and len(value) > 3 and not draw(_MOSTLY):
        return draw(st.sampled_from([f"{value[:-1]}&", f"{value[:-1]}<", value[:1]]))
    return value
