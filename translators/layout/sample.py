"""A sample made from the compiled tree: every line of a layout filled, or only the required.

The document is built as it would stand on the wire, read by the layout's own reader, and
written again, which fills what is derived.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from functools import cache
from importlib import resources
from typing import Any

from lxml import etree

from translators.layout.grammar import Field, Path
from translators.layout.plan import ANYTHING, Content, Element, MessageRow, Plan, Slot, Value
from translators.layout.types import ValueFault
from translators.layout.walking import shown
from translators.xml import Node


def sample_document(plan: Plan, *, full: bool) -> bytes:
    """A document in the format; what is derived is left out."""
    nsmap: Any = {None if name == "default" else name: uri for name, uri in plan.namespaces.items()}
    root = etree.Element(plan.root, nsmap=nsmap)
    maker = Maker(_child, full=full)
    if plan.chain:
        maker.content(root, plan.document, 1)
    else:
        for tag, value in plan.document.attributes.items():
            maker.attribute(root, tag, value, 1)
        maker.message(root, plan.messages.rows[0], 1)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _stand(slot: Slot, number: int) -> tuple[Element, ...]:
    """The elements that stand together: where that is one form alone, each in its turn."""
    at = (number - 1) % len(slot.elements)
    return slot.elements[at : at + 1] if slot.single else slot.elements


def _child(node: Node, element: Element) -> Node:
    return etree.SubElement(node, element.tag)


class Maker:
    """Fills nodes of a syntax, which ``child`` makes below others."""

    def __init__(self, child: Callable[[Any, Element], Any], *, full: bool) -> None:
        self._child = child
        self._full = full
        self._fixed: dict[tuple[str, str], str] = {}
        self._records = [""]
        self._said: dict[str, str] = {}

    def message(self, node: Any, row: MessageRow, number: int) -> None:
        """Fill a streamed element with one form of message."""
        for key, text in row.conditions:
            if text != ANYTHING:
                self._fixed[row.group, key.written] = text
        self._records.append(f"{number}")
        self.content(node, row.content, number)
        self._records.pop()

    def content(self, node: Any, content: Content, number: int) -> None:
        """Fill an element."""
        for value in content.choices:
            if value.choice is not None:
                for key, text in next(iter(value.choice.rows.values())).items():
                    self._fixed[value.line.group, key] = text
        for tag, value in content.attributes.items():
            self.attribute(node, tag, value, number)
        if content.text is not None:
            node.text = self._text(content.text, number)
        for slot in content.slots.values():
            for element in _stand(slot, number):
                full, self._full = self._full, self._full or slot.needed
                self._element(node, element, number)
                self._full = full

    def attribute(self, node: Any, tag: str, value: Value, number: int) -> None:
        """Set one attribute."""
        if self._full or value.required or value.constant is not None:
            text = self._text(value, number)
            if text is not None:
                node.set(tag, text)

    def _element(self, node: Any, element: Element, number: int) -> None:
        if element.content.text is not None and element.content.text.derived is not None:
            return
        if not (self._full or element.minimum or element.fixed):
            return
        several = self._full and (element.maximum is None or element.maximum > 1)
        if element.messages is not None:
            rows = element.messages.rows if self._full else element.messages.rows[:1]
            for at, row in enumerate(rows * (2 if several and len(rows) == 1 else 1), start=1):
                self.message(self._child(node, element), row, at)
            return
        for at in range(max(element.minimum, 2 if several else 1)):
            made = self._child(node, element)
            if element.pairs is not None:
                made.set(element.pairs, f"key-{at + 1}")
            if element.record is not None:
                self._records.append(f"{self._place(element.record)}[{at + 1}]")
            self.content(made, element.content, at + 1 if several else number)
            if element.record is not None:
                self._records.pop()

    def _place(self, path: Path) -> str:
        """Where a path leads, told apart by record: what stands twice must be the same."""
        if path.header:
            return f"header{shown(path)}"
        return f"{self._records[max(len(self._records) - 1 - path.up, 0)]}{shown(path)}"

    def _text(self, value: Value, number: int) -> str | None:
        if value.constant is not None:
            return value.constant
        if value.derived is not None:
            return None
        fixed = self._fixed.get((value.line.group, value.key))
        if fixed is not None:
            return fixed
        if value.path is None or value.repeats:
            return self._example(value, number)
        place = self._place(value.path)
        if not value.path.up and not value.path.header:
            self._said[place] = self._example(value, number)
        return self._said.setdefault(place, self._example(value, number))

    def _example(self, value: Value, number: int) -> str:
        if value.type.codes is not None:
            known = tuple(value.type.codes.ours.values())
            return known[(number - 1) % len(known)] if known else "X"
        examples = [one for one in _examples().get(_field(value), ()) if _fits(value, one)]
        if examples:
            return examples[(number - 1) % len(examples)]
        return value.type.sample(1 if value.type.name == "currency" else number)


def _fits(value: Value, example: str) -> bool:
    try:
        value.type.read(example)
    except ValueFault:
        return False
    return value.type.raw


def _field(value: Value) -> str:
    parts = value.path.parts if value.path is not None else ()
    named = [part.name for part in parts if isinstance(part, Field)]
    return named[-1] if named else ""


@cache
def _examples() -> dict[str, list[str]]:
    """Examples by canonical field, so that samples read like messages."""
    text = (resources.files("translators") / "codes" / "samples.toml").read_text("utf-8")
    found: dict[str, list[str]] = tomllib.loads(text)["samples"]
    return found
