"""What the reference reader and writer ask of a syntax: the seam between XML and JSON.

Both walk the same compiled tree. A notation says which child nodes count, where one stands,
whether it has the form that its line wants, and how what was built becomes part of a document.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from translators.layout.plan import Content, Element, Plan, Value
    from translators.layout.records import Record
    from translators.layout.reference import ReferenceReader
    from translators.layout.writing import Built

MARK = "\0"
"""Where the messages stand in what is written around them; neither XML nor JSON can hold it."""


class Wrong(Exception):
    """What a line cannot be, or cannot be written as: a fault code and a sentence."""

    def __init__(self, code: str, detail: str) -> None:
        self.code = code
        self.detail = detail
        super().__init__(detail)


class Notation(Protocol):
    """One syntax. Its nodes are elements of lxml, or look like them."""

    def children(self, content: Content, node: Any) -> Iterable[Any]:
        """The child nodes that say something."""

    def below(self, where: str, node: Any, name: str, number: int | None) -> str:
        """Source path of a child node; ``number`` counts its namesakes when they matter."""

    def check(self, element: Element, node: Any) -> None:
        """Raises :class:`Wrong` when the node has another form than the line."""

    def pairs(
        self, reader: ReferenceReader, element: Element, node: Any, record: Record, where: str
    ) -> None:
        """Read free pairs of name and value."""

    def values(self, node: Any, where: str, plan: Plan) -> Iterator[str]:
        """Source path of every value in a node."""

    def message(self, plan: Plan, ordinal: int) -> str:
        """Source path of a message."""

    def put_text(self, into: Built, value: Value, text: str) -> None:
        """Add a node's own value; raises :class:`Wrong` for what cannot be written."""

    def put_child(self, into: Built, element: Element, built: Built) -> None:
        """Add a child node."""

    def put_pair(self, into: Built, element: Element, name: str, text: str) -> None:
        """Add one free pair; raises :class:`Wrong` for what cannot be written."""

    def put_mark(self, into: Built, element: Element) -> None:
        """Add the mark for the messages."""

    def around(self, plan: Plan, built: Built) -> tuple[str, str]:
        """What is written before the messages and after them."""

    def one(self, plan: Plan, built: Built, ordinal: int) -> str:
        """What is written of one message among others."""

    def only(self, plan: Plan, around: Built, built: Built) -> str:
        """The document that is a message."""
