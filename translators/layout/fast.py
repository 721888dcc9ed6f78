"""The fast reader: straight source generated from the compiled tree, for good messages.

It assumes a good message and never reports. It counts the elements, attributes and texts that
it consumed; one compiled XPath gives the true number in C (LAYOUTS 9). Whatever it does not
know, does not cover, or cannot account for raises, and the reference reader takes the message.

Generated source is code: names and values of a layout enter it only as constants of its
namespace or by ``repr``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from lxml import etree

from translators.layout.fastbody import Body
from translators.layout.fastforms import contextual, outward
from translators.layout.fastplaces import (
    EXACT,
    Around,
    Unusual,
    also,
    closed,
    compared,
    derived,
    fill,
    fill_in,
    listed,
    put,
    settle,
    spread,
    text_of,
)
from translators.layout.plan import Content, Plan
from translators.model import HEADER, SHAPES, Shape
from translators.xml import Node

__all__ = ["COUNT", "GIVES_UP", "Fast", "FastReader", "Unusual"]

COUNT = etree.XPath("count(descendant::node())+count(descendant-or-self::*/@*)")
"""Elements, texts and attributes of a message, its own attributes included."""
_MARK, _NEXT = "\0", "\1"
"""Between collected values; no XML text can hold it."""

Collected = list[list[str]]
"""Texts that wait for the patterns that they must match, a list for each pattern."""


class FastReader:
    """The fast reader of one content. ``read`` gives a record and the number of nodes that it
    accounts for; the record holds only when ``holds`` is true of what was collected and the
    number is that of :data:`COUNT`."""

    def __init__(
        self,
        read: Callable[..., tuple[dict[str, Any], int]],
        patterns: tuple[str, ...],
        *,
        contextual: bool = False,
    ) -> None:
        self.read = read
        self.contextual = contextual
        """Whether ``read`` takes, after an element and what it collects into, the mappings that
        take values for what is around (the last is for the header), and the position."""
        # Each text behind a mark, those of one pattern before those of the next.
        each = (f"(?:{_MARK}(?:{pattern}))*" for pattern in patterns)
        self._matches = re.compile(_NEXT.join(each)).fullmatch
        self._patterns = len(patterns)

    def fresh(self) -> Collected:
        """What one or several readings collect into."""
        return [[] for _ in range(self._patterns)]

    def holds(self, collected: Collected) -> bool:
        """True when every collected text matches its pattern."""
        return bool(
            self._matches(
                _NEXT.join([_MARK + _MARK.join(texts) if texts else "" for texts in collected])
            )
        )

    def one(self, node: Node, header: Around | None = None, position: int = 1) -> dict[str, Any]:
        """Read one element wholly, or raise one of :data:`GIVES_UP`.

        ``header`` takes what the element says about the header, by field names.
        """
        collected = self.fresh()
        if self.contextual:
            record, number = self.read(
                node, collected, ({} if header is None else header,), position
            )
        else:
            record, number = self.read(node, collected)
        if count(node) != number and _number(EXACT(node)) != number:
            raise Unusual
        if not self.holds(collected):
            raise Unusual
        return record


GIVES_UP = (Unusual, KeyError, AttributeError, TypeError, ValueError, OverflowError)
"""What reading or converting raises about a message that the reference reader must see."""


class Fast:
    """The fast readers of a layout: one for each form of message, by its group, and one for the
    header when that is an element of its own, the only one before the messages."""

    def __init__(self, plan: Plan) -> None:
        self.readers = {
            row.group: Generator(plan.id, refuse=plan.refuse).reader(row.content, SHAPES[row.kind])
            for row in plan.messages.rows
        }
        self.outward = any(outward(row.content) for row in plan.messages.rows)
        """Whether messages may say something about the header."""
        self.header_tag, self.header = _header(plan)


def _header(plan: Plan) -> tuple[str, FastReader | None]:
    document = plan.document
    if len(plan.chain) != 1 or document.attributes or document.text or len(document.slots) != 2:
        return "", None
    first, _ = document.elements()
    path = first.record
    if path is None or not path.header or path.parts or first.maximum != 1 or first.predicate:
        return "", None
    return first.tag, Generator(plan.id, refuse=plan.refuse).reader(first.content, HEADER)


_WITHIN = etree.XPath("count(descendant::node())+count(descendant::*/@*)")
"""The same without the attributes of the element itself."""
_NODES = etree.XPath("count(descendant::node())")
_TEXTS = etree.XPath("count(text())")


def total(nodes: list[Node], attributes: int | None = None) -> tuple[int, int]:
    """What :data:`COUNT` gives for elements of one parent together, and for all that stands in
    that parent. ``attributes``: how many stand there in all, if that is known or bounded.

    One expression over the parent, less what else stands in it, is half the cost of one for
    each. (A path to all of them would make libxml2 merge their node sets: quadratic.)
    """
    above = nodes[0].getparent()
    if above is None:
        number = count(nodes[0])
        return number, number
    ours = set(nodes)
    whole = _number(_WITHIN(above) if attributes is None else _NODES(above)) + (attributes or 0)
    number = whole - _number(_TEXTS(above)) - len(nodes)
    for one in above:
        if one not in ours:
            number -= 1 + count(one)
    return number, whole


def adjoining(nodes: list[Node]) -> bool:
    """True when the elements stand side by side with nothing, and no text, between them."""
    above = nodes[0].getparent() if nodes else None
    if above is None:
        return True
    if _number(_TEXTS(above)):
        return False
    children = list(above)
    start = children.index(nodes[0]) if nodes[0] in children else 0
    return children[start : start + len(nodes)] == nodes


def count(node: Node) -> int:
    """Elements, texts and attributes of an element, its own attributes included."""
    return _number(COUNT(node))


def _number(found: object) -> int:
    assert isinstance(found, float)
    return int(found)


class Generator:
    """Makes the source of one form of message."""

    def __init__(self, name: str, *, refuse: bool) -> None:
        self._name = name
        self._refuse = refuse
        self._names: dict[str, Any] = {
            "Unusual": Unusual,
            "ALSO": also,
            "CLOSED": closed,
            "COMPARED": compared,
            "DERIVED": derived,
            "FILL": fill,
            "FILL_IN": fill_in,
            "LIST": listed,
            "PUT": put,
            "SETTLE": settle,
            "SPREAD": spread,
            "TEXT_OF": text_of,
        }
        self._functions: dict[tuple[int, ...], str] = {}
        self._checks: dict[str, int] = {}
        self._source: list[str] = []

    def reader(self, content: Content, shape: Shape) -> FastReader:
        """Compile the source and give its entry point."""
        name = self.function(content, (shape,))
        code = compile("\n".join(self._source), f"<{self._name}, read>", "exec")
        exec(code, self._names)  # noqa: S102  # made here from a compiled layout, see above
        made = self._names[name]
        return FastReader(made, tuple(self._checks), contextual=contextual(content))

    def constant(self, value: Any) -> str:
        """A name for a constant."""
        name = f"C{len(self._names)}"
        self._names[name] = value
        return name

    def collector(self, pattern: str) -> int:
        """Number of the list whose entries must all match a pattern."""
        return self._checks.setdefault(pattern, len(self._checks))

    def function(self, content: Content, shapes: tuple[Shape, ...]) -> str:
        """The function that reads one content into a new record of the first shape; the others
        are those of the records around it."""
        known = shapes if contextual(content) else shapes[:1]
        key = (id(content), *(id(shape) for shape in known))
        if key not in self._functions:
            name = f"f{len(self._functions)}"
            self._functions[key] = name
            self._source += Body(self, content, shapes, refuse=self._refuse).lines(name)
        return self._functions[key]
