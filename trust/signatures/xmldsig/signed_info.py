"""``SignedInfo``: what a signature is made over, and what it says of the rest of the document.

It is signed in its canonical form, so that form is what is read, by one pattern that knows it from
end to end. What the pattern does not know (prefixes that are carried along, references in an order
or with a transform of their own, and all that is wrong) is read element by element and refused
there, if it is to be refused. The two never read different things: tests hold them together.
"""

from __future__ import annotations

import re

import msgspec

from trust.errors import TrustError
from trust.signatures.xmldsig.canonical import canonical
from trust.signatures.xmldsig.names import (
    DIGEST_SIZES,
    DS,
    ENVELOPED,
    EXCLUSIVE,
    METHODS,
    SIGNED_PROPERTIES,
    Node,
    ds,
)
from trust.signatures.xmldsig.structure import (
    MAX_DIGEST_CHARACTERS,
    attributes,
    children,
    digest_value,
    malformed,
    unpacked,
)

MAX_PREFIXES = 16

_PREFIX = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
FRAGMENT = re.compile(r"#[A-Za-z_][A-Za-z0-9_.-]*")
"""A reference by id: the bare name alone, of letters of ASCII."""


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """What is signed: the element with this id (empty: the document element), how, its digest."""

    id: str
    enveloped: bool
    prefixes: tuple[str, ...]
    method: str
    digest: bytes


class SignedInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What is read. ``statement`` is its canonical form: what the signature is made over.

    ``method`` is a name of ``trust.algorithms``; ``content`` refers to what is signed,
    ``properties`` to signed properties of XAdES.
    """

    statement: bytes
    method: str
    content: Reference
    properties: Reference | None = None


def read_signed_info(info: Node) -> SignedInfo:
    """Read it; raises ``signature.malformed`` or ``signature.algorithm``."""
    statement = canonical(info)
    return by_pattern(statement) or by_element(info)


_SPACE = r"[ \t\n]*"


def _given(uri: str) -> str:
    return f' Algorithm="{re.escape(uri)}"'


def _named(group: str) -> str:
    return f' Algorithm="(?P<{group}>[^"&<]*)"'


def _empty(name: str, attribute: str) -> str:
    """An element without content, as the canonical form writes it."""
    return f"<(?P=p){name}{attribute}></(?P=p){name}>{_SPACE}"


def _referring(number: int) -> str:
    """One reference. Attributes stand in the order of their names (Canonical XML 1.0, 2.2)."""
    return (
        f'<(?P=p)Reference(?: Id="[^"&<]*")?'
        f'(?P<typed{number}> Type="{re.escape(SIGNED_PROPERTIES)}")?'
        f' URI="(?P<uri{number}>(?:{FRAGMENT.pattern})?)">{_SPACE}'
        f"<(?P=p)Transforms>{_SPACE}"
        f"(?P<enveloped{number}>{_empty('Transform', _given(ENVELOPED))})?"
        f"{_empty('Transform', _given(EXCLUSIVE))}</(?P=p)Transforms>{_SPACE}"
        f"{_empty('DigestMethod', _named(f'method{number}'))}"
        f"<(?P=p)DigestValue>(?P<digest{number}>[A-Za-z0-9+/= \\t\\n]{{1,{MAX_DIGEST_CHARACTERS}}})"
        f"</(?P=p)DigestValue>{_SPACE}</(?P=p)Reference>{_SPACE}"
    )


# One prefix with one declaration, where it is used first (Exclusive XML Canonicalization 1.0, 3).
_CANONICAL = re.compile(
    "<(?P<p>(?:(?P<prefix>[A-Za-z_][A-Za-z0-9_.-]*):)?)SignedInfo"
    f' xmlns(?(prefix):(?P=prefix))="{re.escape(DS)}"(?: Id="[^"&<]*")?>{_SPACE}'
    f"{_empty('CanonicalizationMethod', _given(EXCLUSIVE))}"
    f"{_empty('SignatureMethod', _named('method'))}"
    f"{_referring(1)}(?P<second>{_referring(2)})?</(?P=p)SignedInfo>"
)


def by_pattern(statement: bytes) -> SignedInfo | None:
    """What a canonical form says; ``None`` for one that has to be read element by element."""
    found = _CANONICAL.fullmatch(statement.decode("utf-8"))
    if found is None or found["method"] not in METHODS:
        return None
    first = _referred(found, 1)
    second = _referred(found, 2) if found["second"] else None
    if first is None or (second is None) != (found["second"] is None):
        return None
    # Of two one is to the content, which has no type, and one to signed properties.
    if (found["typed1"] is None) == (second is not None and found["typed2"] is None):
        return None
    content, properties = (first, second) if found["typed1"] is None else (second, first)
    if content is None:
        return None
    return SignedInfo(
        statement=statement,
        method=METHODS[found["method"]],
        content=content,
        properties=properties,
    )


def _referred(found: re.Match[str], number: int) -> Reference | None:
    method, digest = found[f"method{number}"], unpacked(found[f"digest{number}"])
    if len(digest) != DIGEST_SIZES.get(method):
        return None
    return Reference(
        id=found[f"uri{number}"][1:],
        enveloped=found[f"enveloped{number}"] is not None,
        prefixes=(),
        method=method,
        digest=digest,
    )


def by_element(info: Node) -> SignedInfo:
    """The same from the elements; raises ``signature.malformed`` or ``signature.algorithm``."""
    attributes(info, optional=("Id",))
    form, method, *references = children(
        info, [ds("CanonicalizationMethod"), ds("SignatureMethod"), ds("Reference")],
        optional=[ds("Reference")],
    )  # fmt: skip
    prefixes = _exclusive(form)
    name = attributes(method, required=("Algorithm",))["Algorithm"]
    children(method, [])
    if name not in METHODS:
        raise TrustError("signature.algorithm", "the signature method is not allowed")
    kinds = [each.get("Type") for each in references]
    if kinds.count(None) != 1 or any(k not in (None, SIGNED_PROPERTIES) for k in kinds):
        raise malformed("it refers to the content once, and besides to signed properties only")
    read = {kind: _reference(each) for kind, each in zip(kinds, references, strict=True)}
    return SignedInfo(
        statement=canonical(info, prefixes),
        method=METHODS[name],
        content=read[None],
        properties=read.get(SIGNED_PROPERTIES),
    )


def _reference(node: Node) -> Reference:
    given = attributes(node, required=("URI",), optional=("Id", "Type"))
    # Of the fragments only the bare name: no XPointer, no file, no host (XML Signature 4.4.3.2).
    if given["URI"] and FRAGMENT.fullmatch(given["URI"]) is None:
        raise malformed("it refers to something that is not an element of the document by its id")
    transforms, method, value = children(
        node, [ds("Transforms"), ds("DigestMethod"), ds("DigestValue")]
    )
    attributes(transforms)
    steps = list(transforms)
    enveloped = len(steps) == 2 and _plain(steps[0]) == ENVELOPED
    children(transforms, [ds("Transform")] * (2 if enveloped else 1))
    name, digest = digest_value(method, value)
    return Reference(
        id=given["URI"][1:],
        enveloped=enveloped,
        prefixes=_exclusive(steps[-1]),
        method=name,
        digest=digest,
    )


def _plain(transform: Node) -> str:
    """The algorithm of a transform without parameters."""
    return "" if len(transform) else attributes(transform, required=("Algorithm",))["Algorithm"]


def _exclusive(node: Node) -> tuple[str, ...]:
    """The prefixes that exclusive canonicalisation carries along; anything else is refused."""
    if attributes(node, required=("Algorithm",))["Algorithm"] != EXCLUSIVE:
        raise malformed("the canonical form is Exclusive XML Canonicalization 1.0, and no other")
    parameters = children(node, [], optional=[f"{{{EXCLUSIVE}}}InclusiveNamespaces"])
    if not parameters:
        return ()
    (named,) = parameters
    children(named, [])
    prefixes = attributes(named, required=("PrefixList",))["PrefixList"].split()
    if not prefixes or len(prefixes) > MAX_PREFIXES or len(set(prefixes)) != len(prefixes):
        raise malformed(f"PrefixList has 1 to {MAX_PREFIXES} prefixes, none twice")
    if "#default" in prefixes:  # lxml would leave it out without a word
        raise malformed("PrefixList has #default, which is not taken here")
    known = node.nsmap
    if any(_PREFIX.fullmatch(each) is None or each not in known for each in prefixes):
        raise malformed("PrefixList has a prefix that stands for nothing there")
    return tuple(prefixes)
