"""XML as the reference reader and writer see it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from translators.layout import findings
from translators.layout.notation import MARK, Wrong
from translators.layout.writing import escaped, wrapped
from translators.xml import Node

if TYPE_CHECKING:
    from translators.layout.plan import Content, Element, Plan, Value
    from translators.layout.records import Record
    from translators.layout.reference import ReferenceReader
    from translators.layout.writing import Built

_BAD = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML cannot carry (XML 1.0, 2.2)."""


class XmlNotation:
    """Elements and their text; attributes are known to reader and writer themselves."""

    def children(self, content: Content, node: Node) -> Iterable[Node]:
        """Every child element."""
        del content
        return node

    def below(self, where: str, node: Node, name: str, number: int | None) -> str:
        """A path like that of XPath, numbers from 1."""
        del node
        return f"{where}/{name}" if number is None else f"{where}/{name}[{number}]"

    def check(self, element: Element, node: Node) -> None:
        """Elements have one form."""

    def pairs(
        self, reader: ReferenceReader, element: Element, node: Node, record: Record, where: str
    ) -> None:
        """One element for each pair."""
        reader.pair(element, node, record, where)

    def values(self, node: Node, where: str, plan: Plan) -> Iterator[str]:
        """Attributes, and texts that are not blank."""
        return findings.values(node, where, plan)

    def message(self, plan: Plan, ordinal: int) -> str:
        """Through the elements around it."""
        names = [plan.name(plan.root), *(plan.name(element.tag) for element in plan.chain)]
        index = f"[{ordinal}]" if plan.chain else ""
        return f"/{'/'.join(names)}{index}"

    def put_text(self, into: Built, value: Value, text: str) -> None:
        """Text as it stands in a document."""
        del value
        into.inner += escaped(text, attribute=False)
        _judge(text)

    def put_child(self, into: Built, element: Element, built: Built) -> None:
        """One element more."""
        into.inner += wrapped(element.shown, built)

    def put_pair(self, into: Built, element: Element, name: str, text: str) -> None:
        """An element with the name in its attribute."""
        attribute = f' {element.pairs}="{escaped(name, attribute=True)}"'
        into.inner += wrapped(element.shown, type(into)(attribute, escaped(text, attribute=False)))
        _judge(name + text)

    def put_mark(self, into: Built, element: Element) -> None:
        """The streamed elements stand there one after the other."""
        del element
        into.inner += MARK

    def around(self, plan: Plan, built: Built) -> tuple[str, str]:
        """The declaration and the start of the document; its end."""
        before, _, after = wrapped(plan.name(plan.root), _declared(plan, built)).partition(MARK)
        return f"{_DECLARATION}{before}", f"{after}\n"

    def one(self, plan: Plan, built: Built, ordinal: int) -> str:
        """One streamed element."""
        del ordinal
        return f"{wrapped(plan.chain[-1].shown, built)}\n"

    def only(self, plan: Plan, around: Built, built: Built) -> str:
        """The message as document element, with what the document says in attributes."""
        built.attributes = around.attributes + built.attributes
        return f"{_DECLARATION}{wrapped(plan.name(plan.root), _declared(plan, built))}\n"


_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'


def _declared(plan: Plan, built: Built) -> Built:
    """The document element with the namespaces declared."""
    declared = "".join(
        f' xmlns{"" if prefix == "default" else ":" + prefix}="{uri}"'
        for prefix, uri in plan.namespaces.items()
    )
    built.attributes = declared + built.attributes
    return built


def _judge(text: str) -> None:
    if _BAD.search(text):
        raise Wrong("value.character", "a character that XML cannot carry")
