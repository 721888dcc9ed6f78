"""The canonical form of an element: Exclusive XML Canonicalization 1.0, without comments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lxml import etree

from trust.errors import TrustError
from trust.signatures.xmldsig.names import Node

MAX_NAMESPACES = 64
"""In scope of what is put into canonical form: lxml spends the square of their number on it."""


def canonical(element: Node, prefixes: Sequence[str] = ()) -> bytes:
    """The octets of an element and all below it; raises ``signature.malformed``.

    ``prefixes`` are those of ``InclusiveNamespaces``, which are carried though no name uses them.
    The form begins with the element itself: one that is empty, as a canonicaliser that gave up
    leaves it, is never taken for signed content.
    """
    if len(element.nsmap) > MAX_NAMESPACES:
        raise TrustError(
            "signature.malformed", f"more than {MAX_NAMESPACES} namespaces are declared around it"
        )
    form: Any = etree.tostring
    try:
        octets = form(
            element,
            method="c14n",
            exclusive=True,
            with_comments=False,
            with_tail=False,
            inclusive_ns_prefixes=list(prefixes),
        )
    except Exception as error:  # relative namespaces, and whatever else libxml2 gives up on
        raise TrustError("signature.malformed", "it has no canonical form") from error
    if not isinstance(octets, bytes) or not octets.startswith(b"<") or not octets.endswith(b">"):
        raise TrustError("signature.malformed", "it has no canonical form")
    return octets
