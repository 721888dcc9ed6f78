"""Where a signature stands in a document, and what it covers.

Either it is enveloped: a child of the document element, of which it covers all but itself. Or it
is detached in the document: it stands beside what it covers, and both places are named by whoever
defined the format, never by the document.
"""

from __future__ import annotations

from typing import Any

import msgspec
from lxml import etree

from trust.errors import TrustError
from trust.signatures.xmldsig.names import DS, SIGNATURE, Node

_PART = f"{{{DS}}}*"
_IDS = ("id", "Id", "ID")
_XML_ID = "{http://www.w3.org/XML/1998/namespace}id"
# One call for each attribute instead of three: names have no blanks in them.
_ALL_IDS = etree.XPath(
    f"/descendant::*/@*[contains(' {' '.join(_IDS)} ', concat(' ', local-name(), ' '))]"
)


class Detached(msgspec.Struct, frozen=True, kw_only=True):
    """A signature beside what it covers. Names in Clark notation.

    ``root`` is the document element; ``signature`` and ``covered`` lead from below it to the
    parent of the signature (empty: the document element) and to the signed element.
    """

    root: str
    signature: tuple[str, ...]
    covered: tuple[str, ...]


def locate(document: Node, place: Detached | None) -> tuple[Node, Node]:
    """The one signature and the element that it must cover, each at its place.

    Raises ``signature.malformed`` for a signature anywhere else, for more than one, and for parts
    of a signature outside it.
    """
    parts = list(document.iter(_PART))
    found = [part for part in parts if part.tag == SIGNATURE]
    if len(found) != 1:
        raise TrustError("signature.malformed", f"a document has one signature, not {len(found)}")
    signature = found[0]
    if len(list(signature.iter(_PART))) != len(parts):
        raise TrustError("signature.malformed", "there are parts of a signature outside it")
    if place is None:
        if signature.getparent() is not document:
            raise TrustError(
                "signature.malformed", "the signature is not a child of the document element"
            )
        return signature, document
    if document.tag != place.root:
        raise TrustError("signature.malformed", "the document element is another than expected")
    if signature.getparent() is not only(document, place.signature):
        raise TrustError("signature.malformed", "the signature is not where the format has it")
    return signature, only(document, place.covered)


def identified(document: Node) -> dict[str, Node]:
    """Elements by id; raises ``signature.malformed`` for an id that two attributes have.

    Ids are ``id``, ``Id`` and ``ID`` in whatever namespace, ``xml:id`` among them: what any reader
    of the document could take for one.
    """
    found: dict[str, Node] = {}
    values: Any = _ALL_IDS(document)
    for value in values:
        if value in found:
            raise TrustError("signature.malformed", "an id stands there twice")
        found[str(value)] = value.getparent()
    return found


def own_ids(element: Node) -> list[str]:
    """The ids by which a reference may name an element."""
    return [str(value) for name in (*_IDS, _XML_ID) if (value := element.get(name))]


def only(document: Node, path: tuple[str, ...]) -> Node:
    """The one element at the end of a path; raises ``signature.malformed``."""
    element = document
    for tag in path:
        found = [child for child in element if child.tag == tag]
        if len(found) != 1:
            raise TrustError(
                "signature.malformed", "what is signed stands there once, where the format has it"
            )
        element = found[0]
    return element
