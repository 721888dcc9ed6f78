"""The one hardened XML parser: no DTD, no entities, no network, bounded depth and size.

A document type declaration is refused whatever it contains; whether there is one is read from
the parsed prolog, not guessed from the text. Comments and processing instructions are removed,
so that the pieces of a text that they stood between are one text. Everything that is wrong
comes out as :class:`XmlError` with a code of ``faults.toml`` and, where known, the line.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec
from lxml import etree

ENCODINGS = frozenset(
    {
        "UTF-8", "UTF8", "UTF-16", "UTF-16LE", "UTF-16BE", "US-ASCII", "ASCII",
        "ISO-8859-1", "ISO-8859-15", "WINDOWS-1252",
    }
)  # fmt: skip
"""Encodings that are taken, as a document declares them or its byte order mark shows."""

TREE_LIMIT = 1 << 20
"""Bytes of a document that is parsed as a whole instead of element by element."""

_OPTIONS: dict[str, Any] = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
    "remove_blank_text": True,
}
_EXACT = {**_OPTIONS, "remove_comments": False, "remove_pis": False, "remove_blank_text": False}
_PIECE = 1024
PROLOG = 65_536
"""Bytes within which the document element begins."""
_CHUNK = 65_536
_DETAIL = 200
"""Longest part of a message of libxml2 that is repeated: it may hold names of the document."""

_CODES = {
    "ERR_DOCUMENT_EMPTY": "xml.malformed",
    "ERR_INVALID_ENCODING": "xml.encoding",
    "ERR_UNSUPPORTED_ENCODING": "xml.encoding",
    "ERR_UNKNOWN_ENCODING": "xml.encoding",
    "ERR_ENCODING_NAME": "xml.encoding",
    "I18N_CONV_FAILED": "xml.encoding",
    "I18N_NO_NAME": "xml.encoding",
}


Node = etree._Element  # noqa: SLF001  # lxml has no public name for what every call returns


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of one document. Nesting beyond ``depth`` is refused; the parser itself stops at
    256 levels and at texts of 10 million characters, whatever stands here. ``attributes`` bounds
    those of one element: whoever lists them with lxml spends the square of their number."""

    size: int = 1 << 30
    depth: int = 100
    attributes: int = 256


class XmlError(Exception):
    """A document that is refused before anybody looks at what it says."""

    def __init__(self, code: str, detail: str, line: int | None = None) -> None:
        self.code = code
        self.detail = detail
        self.line = line
        super().__init__(f"{code}: {detail}")


class Opening(msgspec.Struct, frozen=True):
    """The start tag of the document element."""

    tag: str
    attributes: dict[str, str]
    line: int


def parse(content: bytes, *, limits: Limits | None = None) -> Node:
    """Parse a whole document; raises :class:`XmlError`."""
    limits = limits or Limits()
    if len(content) > limits.size:
        raise XmlError("xml.size", f"more than {limits.size} bytes")
    return _checked(_tree(content), content, limits)


def parse_exactly(content: bytes, *, limits: Limits | None = None) -> Node:
    """Parse a whole document with its white space, comments and processing instructions.

    For what is signed, where each of them counts. Raises :class:`XmlError`.
    """
    limits = limits or Limits()
    if len(content) > limits.size:
        raise XmlError("xml.size", f"more than {limits.size} bytes")
    return _checked(_tree(content, _EXACT), content, limits)


def _checked(root: Node, content: bytes, limits: Limits) -> Node:
    if _may_crowd(content):
        check_attributes(root, limits.attributes)
    _judged(root)
    if _may_be_deep(content, limits.depth):
        check_depth(root, limits.depth)
    return root


def opening(head: bytes) -> Opening:
    """The start tag of the document that begins with ``head``; raises :class:`XmlError`."""
    return _read_opening(_Bounded(io.BytesIO(head), len(head)))[0]


class Stream:
    """A document that is read element by element.

    ``opening`` is known at once. Iterating gives each element with one of the ``tags`` when it
    is complete; the caller frees what it no longer needs. A document of at most
    :data:`TREE_LIMIT` bytes is parsed as a whole at once, which costs half, and ``whole`` is
    true. Blank text between elements is left out. Raises :class:`XmlError`, when made and at
    every step.
    """

    def __init__(self, source: BinaryIO, tag: str, limits: Limits) -> None:
        self._tag = tag
        self._attributes = limits.attributes
        self._bounded = bounded = _Bounded(source, limits.size)
        head = bounded.read_all(TREE_LIMIT + 1)
        self.whole = len(head) <= TREE_LIMIT
        self.attributes: int | None = None
        """Of a document that is whole: at most so many attributes stand below its element."""
        if self.whole:
            self._root = _tree(head)
            if bounded.may_crowd:
                check_attributes(self._root, limits.attributes)
            self.opening = _judged(self._root)
            self.attributes = _attributes(head, self._root)
            return
        self.opening = _read_opening(_Bounded(io.BytesIO(head), len(head)))[0]
        bounded.give_back(head)
        self._parser = etree.XMLPullParser(events=("end",), tag=tag, **_OPTIONS)

    def __iter__(self) -> Iterator[Node]:
        for batch in self.batches():
            yield from batch

    def batches(self) -> Iterator[list[Node]]:
        """The same, those together that are complete at the same time; never an empty list.

        They stay in the tree, with what is around them, until the caller frees them.
        """
        if self.whole:
            if found := list(self._root.iter(self._tag)):
                yield found
            return
        began = False
        for fault in self._fed():
            events: Any = self._parser.read_events()
            found = [element for _, element in events]
            if found and self._bounded.may_crowd:
                # With the first all that stands before it.
                first = found[0] if began else found[0].getroottree().getroot()
                for one in (first, *found[1:]):
                    check_attributes(one, self._attributes)
            if found:
                began = True
                yield found
            if fault is not None:
                raise _mapped(fault) from fault

    def _fed(self) -> Iterator[etree.XMLSyntaxError | None]:
        """Feed the parser piece by piece, with what it says against each."""
        fault: etree.XMLSyntaxError | None = None
        more = True
        while more and fault is None:
            piece = self._bounded.read()
            more = bool(piece)
            try:
                if more:
                    self._parser.feed(piece)
                else:
                    self._root = self._parser.close()
            except etree.XMLSyntaxError as error:
                fault = error
            yield fault

    @property
    def root(self) -> Node:
        """The document element, once the whole document is read."""
        if self._bounded.may_crowd:
            check_attributes(self._root, self._attributes)
        return self._root


def _attributes(content: bytes, root: Node) -> int:
    """No fewer attributes than stand below the document element: each has its equals sign.

    A byte of that value is in it in every encoding. Those of the declaration of XML and of the
    document element are taken off; a sign in a text, or of a namespace below, is counted too.
    """
    declared = content[: content.find(b"?>")].count(b"=") if content.startswith(b"<?xml") else 0
    return content.count(b"=") - declared - len(root.nsmap) - len(root.attrib)


def _tree(content: bytes, options: dict[str, Any] = _OPTIONS) -> Node:
    if not content or content.isspace():
        raise _empty()
    try:
        return etree.fromstring(content, etree.XMLParser(**options))
    except etree.XMLSyntaxError as error:
        raise _mapped(error, content[:PROLOG]) from error


_STRIDE = 1024
"""Attributes beyond any bound here need more bytes, and no ``<`` is among them."""


def _may_crowd(content: bytes) -> bool:
    """False when there can be no element with very many attributes; quickly, for each document.

    Where characters have two bytes any byte may be that of ``<``, so there it is always True.
    What stands at the edges of a piece of a document is taken for half of such an element.
    """
    if b"\0" in content[:4] or content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return True
    begun, size, stride = 0, len(content), _STRIDE // 2
    while begun + stride <= size:
        found = content.rfind(b"<", begun, begun + stride)
        if found < 0:
            return True
        begun, stride = found + 1, _STRIDE
    half = _STRIDE // 2
    return size >= half and content.find(b"<", size - half) < 0


def _may_be_deep(content: bytes, limit: int) -> bool:
    """False when there are too few tags for an element that is nested deeper; quickly.

    An element and the ``limit`` around it begin with as many tags, and those around it end.
    """
    return content.count(b"<") > 2 * limit


_CROWDED = etree.XPath("descendant-or-self::*[count(@*) > $limit]")


def check_attributes(element: Node, limit: int) -> None:
    """Refuse an element, or one below it, that has more than ``limit`` attributes."""
    found: Any = _CROWDED(element, limit=limit)
    if found:
        raise XmlError("xml.size", f"more than {limit} attributes", line_of(found[0]))


def check_depth(element: Node, limit: int) -> None:
    """Refuse what is nested deeper than ``limit`` below ``element``."""
    level = [element]
    for _ in range(limit):
        level = [child for parent in level for child in parent]
        if not level:
            return
    raise XmlError("xml.depth", f"nested deeper than {limit}", line_of(level[0]))


def line_of(node: Node) -> int | None:
    """Line of an element's start tag, from 1; near it beyond line 65,535, as libxml2 counts."""
    line: Any = node.sourceline
    return int(line) if line else None


class _Bounded:
    """A source that refuses to give more than a number of bytes."""

    def __init__(self, source: BinaryIO, limit: int) -> None:
        self._source = source
        self._left = limit
        self._limit = limit
        self._again = b""
        self.may_crowd = False

    def give_back(self, content: bytes) -> None:
        """Serve these bytes, already counted, once more."""
        self._again = content

    def read_all(self, size: int) -> bytes:
        """Up to ``size`` bytes, fewer only at the end."""
        pieces = []
        while size and (piece := self.read(size)):
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    def read(self, size: int = _CHUNK) -> bytes:
        if self._again:
            content, self._again = self._again[:size], self._again[size:]
            return content
        content = self._source.read(size)
        self._left -= len(content)
        if self._left < 0:
            raise XmlError("xml.size", f"more than {self._limit} bytes")
        self.may_crowd = self.may_crowd or _may_crowd(content)
        return content


def _read_opening(source: _Bounded) -> tuple[Opening, bytes]:
    """Read up to the start tag of the document element and judge the prolog."""
    parser = etree.XMLPullParser(
        events=("start",), resolve_entities=False, no_network=True, remove_comments=True,
        remove_pis=True,
    )  # fmt: skip
    prolog = b""
    try:
        while piece := source.read(_PIECE):
            prolog += piece
            parser.feed(piece)
            events: Any = parser.read_events()
            for _, root in events:
                return _judged(root), prolog
            if len(prolog) > PROLOG:
                if _declares(prolog):
                    raise _dtd()
                raise XmlError("xml.malformed", f"no document element in {PROLOG} bytes")
        if not prolog.strip():
            raise _empty()
        parser.close()
    except etree.XMLSyntaxError as error:
        raise _mapped(error, prolog) from error
    raise XmlError("xml.malformed", "there is no document element")


def _judged(root: Node) -> Opening:
    info: Any = root.getroottree().docinfo
    if info.internalDTD is not None or info.externalDTD is not None or info.doctype:
        raise _dtd()
    if info.encoding is not None and info.encoding.upper() not in ENCODINGS:
        raise XmlError("xml.encoding", "this encoding is not taken", 1)
    if len(root.attrib) > Limits().attributes:
        raise XmlError("xml.size", "too many attributes", line_of(root))
    attributes = {str(name): str(value) for name, value in root.attrib.items()}
    return Opening(str(root.tag), attributes, line_of(root) or 1)


class _Declared:
    """Parser target that only notes whether there is a document type declaration."""

    def __init__(self) -> None:
        self.found = False

    def doctype(self, *_: object) -> None:
        self.found = True

    def start(self, *_: object) -> None: ...

    def end(self, *_: object) -> None: ...

    def data(self, *_: object) -> None: ...

    def close(self) -> None: ...


def _declares(prolog: bytes) -> bool:
    """True when a document that cannot be parsed has a document type declaration."""
    target: Any = _Declared()
    parser = etree.XMLParser(target=target, resolve_entities=False, no_network=True)
    try:
        parser.feed(prolog)
        parser.close()
    except etree.XMLSyntaxError:
        pass
    return bool(target.found)


def _mapped(error: etree.XMLSyntaxError, prolog: bytes = b"") -> XmlError:
    """Our code for libxml2's; its message names positions and names, never content.

    A document type declaration is the graver fault, and may have caused the other.
    """
    log: Any = error.error_log
    kind = str(log.last_error.type_name) if log.last_error is not None else ""
    line = error.lineno or None
    if prolog and _declares(prolog):
        return _dtd()
    if kind == "ERR_RESOURCE_LIMIT":
        deep = "depth" in (error.msg or "")
        return XmlError("xml.depth" if deep else "xml.size", "a limit of the parser", line)
    text = (error.msg or "").partition(", line ")[0].strip()[:_DETAIL]
    return XmlError(_CODES.get(kind, "xml.malformed"), text, line)


def _empty() -> XmlError:
    return XmlError("xml.empty", "there is nothing in the document")


def _dtd() -> XmlError:
    return XmlError("xml.dtd", "a document type declaration is not allowed", 1)
