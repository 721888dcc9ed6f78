"""The compiled tree of a layout: what stands in the document, and what it is with us.

Immutable; readers, writers, schema, sample and documentation are all made from it. One
:class:`Content` is what may stand in an element: attributes, own text, child elements. The
content of a group is one object, shared by every place that uses the group.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from translators.layout.codes import CodeTable
from translators.layout.grammar import Expression, Key, Path, Predicate
from translators.layout.mistakes import Line
from translators.layout.types import WireType

if TYPE_CHECKING:
    from translators.layout.notation import Notation

XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
HINTS = frozenset({f"{XSI}schemaLocation", f"{XSI}noNamespaceSchemaLocation"})
"""Attributes that are no content."""
ANYTHING = "*"
"""In a row that tells forms of message apart: that element stands there, whatever it holds."""
MAX_NAME = 70
"""Longest name that is repeated in a source path."""


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """A canonical code that several wire values make together; the first row that fits wins.

    ``rows`` maps our name to what must stand at each key of the same group.
    """

    rows: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """One value of the wire: an element's own text or an attribute.

    A value without ``path`` is ``constant`` or ``derived``. ``key`` is the line's left side as
    written. ``repeats``: the path is a list and each value one entry of it.
    """

    key: str
    line: Line
    type: WireType
    path: Path | None = None
    required: bool = False
    whole: bool = False
    """The whole text of an element that a line of its own names."""
    repeats: bool = False
    constant: str | None = None
    firm: bool = False
    """Another value than the constant is a fault."""
    derived: Expression | None = None
    default: str | None = None
    otherwise: Expression | None = None
    join: str | None = None
    choice: Choice | None = None
    chosen: bool = False
    """A row of a choice in the same group names this value's key."""
    unsaid: str | None = None
    """What it is with us when the document does not say it; it cannot say that itself."""
    part: tuple[int, int | None] | None = None
    """Characters of our text that stand here, from 1; other lines have the others."""
    also: tuple[Path, ...] = ()
    """Other places of the record with the same value, when nothing else stands there."""


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """What holds with us for a form of message, and stands nowhere in the document.

    ``names`` are the fields on the way; ``value`` is what stands there, or whether anything does.
    """

    names: tuple[str, ...]
    value: str | bool

    @property
    def pointer(self) -> str:
        """The canonical path."""
        return "".join(f"/{name}" for name in self.names)


@dataclass(frozen=True, slots=True, eq=False)
class Messages:
    """The streamed element: the forms that its messages may have, in order."""

    rows: tuple[MessageRow, ...]


@dataclass(frozen=True, slots=True, eq=False)
class MessageRow:
    """One form of message: a group, the kind that it carries, and what must stand at which
    keys for the form to be this one."""

    group: str
    kind: str
    conditions: tuple[tuple[Key, str], ...]
    content: Content
    given: tuple[Given, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Element:
    """One element with its occurrence. ``record``: it opens (or, for a list, adds) a record
    there; ``None``: what is in it belongs to the record around it."""

    tag: str
    shown: str
    minimum: int
    maximum: int | None
    content: Content
    predicate: Predicate | None = None
    record: Path | None = None
    group: str | None = None
    pairs: str | None = None
    """Attribute that names the key, for free pairs; ``record`` is then the map."""
    messages: Messages | None = None
    line: Line | None = None
    fixed: bool = False
    """Only a constant or a derived value: never by itself a reason to write anything."""
    listed: bool = False
    """In JSON it stands in an array."""


@dataclass(frozen=True, slots=True, eq=False)
class Slot:
    """Every element of one name at one place, in the order of their lines."""

    tag: str
    order: int
    elements: tuple[Element, ...]
    single: bool = False
    """Of all these elements at most one stands."""
    needed: bool = False
    """One of them stands."""

    @property
    def minimum(self) -> int:
        """How many elements of this name there are at least."""
        return max(sum(element.minimum for element in self.elements), int(self.needed))

    @property
    def maximum(self) -> int | None:
        """How many there are at most, if there is a bound."""
        maxima = [element.maximum for element in self.elements]
        if self.single:
            return 1
        return None if None in maxima else sum(one for one in maxima if one is not None)


@dataclass(frozen=True, slots=True, eq=False)
class Content:
    """What may stand in an element."""

    attributes: Mapping[str, Value]
    text: Value | None
    slots: Mapping[str, Slot]
    group: str | None = None
    claims: tuple[Path, ...] = ()
    """Paths of this record that pick single entries of lists; a plain line for the same list
    writes the others."""
    choices: tuple[Value, ...] = ()
    """Values of this record that choose by several keys."""
    unsaid: tuple[tuple[str, str], ...] = ()
    """Required fields of this record with what they are where a document does not say them."""

    def elements(self) -> Iterator[Element]:
        """All child elements in the order of the document."""
        for slot in self.slots.values():
            yield from slot.elements


def first_path(element: Element) -> Path | None:
    """Where with us what stands in an element goes, or the first of it."""
    if element.record is not None:
        return element.record
    content = element.content
    values = [*([content.text] if content.text else []), *content.attributes.values()]
    found = [value.path for value in values if value.path is not None]
    return next(iter(found), None) or next(filter(None, map(first_path, content.elements())), None)


@dataclass(frozen=True, slots=True)
class Detached:
    """A signature beside the document that it covers, in an envelope around both.

    Clark names from the envelope's document element on: to the signature, to the document element
    of the layout.
    """

    signature: tuple[str, ...]
    content: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A whole layout, compiled. ``chain`` leads from the root to the streamed element."""

    id: str
    title: str
    standing: str
    kinds: frozenset[str]
    media_types: tuple[str, ...]
    refuse: bool
    root: str
    namespaces: Mapping[str, str]
    document: Content
    chain: tuple[Element, ...]
    """Wrapper elements below the root, then the streamed element; empty: the root itself."""
    messages: Messages
    drops: Mapping[str, frozenset[str]]
    exact_drops: bool
    """True when ``drops`` says all that is ever lost; false with ``[n]``, ``[k=v]``, ``[]``,
    ``^``, ``join`` or a choice, where it depends on the message."""
    groups: Mapping[str, Content]
    tables: Mapping[str, CodeTable]
    notation: Notation
    syntax: str = "xml"
    array: tuple[int, int | None] | None = None
    """In JSON: the document is an array of at least and at most so many messages."""
    pointers: tuple[str, ...] = ()
    """Ids of the layouts whose ids the chains of pointers use; its own among them."""
    shared: Content | None = None
    """What ``[document]`` says once for all messages, as content of each of them."""
    detached: Detached | None = None
    """Where documents of the format stand that come in an envelope with a signature beside them."""
    required_count: bool = False
    """``= count messages`` stands in the header: the writer must know their number."""

    def name(self, tag: str) -> str:
        """A Clark name as people write it here, with the layout's prefix; a long one is cut."""
        uri, brace, local = tag.rpartition("}")
        if len(local) > MAX_NAME:
            local = f"{local[:MAX_NAME]}…"
        if not brace:
            return local
        for prefix, known in self.namespaces.items():
            if known == uri[1:]:
                return local if prefix == "default" else f"{prefix}:{local}"
        return local
