"""A signature element taken apart: nothing in it but what the profile knows, nothing twice.

The shape is fixed (XML Signature 1.1, 4): ``SignedInfo``, ``SignatureValue``, perhaps ``KeyInfo``,
perhaps one ``Object`` with XAdES properties. What is read here has not been proved.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Sequence

import msgspec

from trust.errors import TrustError
from trust.signatures.xmldsig.names import (
    DIGESTS,
    ENVELOPED,
    EXCLUSIVE,
    METHODS,
    SIGNED_PROPERTIES,
    Node,
    ds,
    xades,
)

MAX_PREFIXES = 16
MAX_VALUE_CHARACTERS = 2_048
"""RSA of 8192 bits needs 1,368 characters, and line breaks."""
MAX_CERTIFICATE_CHARACTERS = 16_384
MAX_CERTIFICATES = 8

_SPACE = " \t\r\n"
_PREFIX = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
FRAGMENT = re.compile(r"#[A-Za-z_][A-Za-z0-9_.-]*")
"""A reference by id: the bare name alone, of letters of ASCII."""
_KEY_HINTS = frozenset({ds("KeyName"), ds("KeyValue"), ds("X509Data")})


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """What is signed: the element with this id (empty: the document element), how, its digest."""

    id: str
    enveloped: bool
    prefixes: tuple[str, ...]
    method: str
    digest: bytes


class Parts:
    """A signature element and what it says."""

    __slots__ = (
        "certificates",
        "content",
        "element",
        "id",
        "method",
        "prefixes",
        "properties",
        "qualifying",
        "signed_info",
        "value",
    )

    def __init__(self, element: Node) -> None:
        """Take it apart; raises ``signature.malformed`` or ``signature.algorithm``."""
        self.element = element
        self.id = attributes(element, optional=("Id",)).get("Id", "")
        info, value, *more = children(
            element,
            [ds("SignedInfo"), ds("SignatureValue")],
            optional=[ds("KeyInfo"), ds("Object")],
        )
        self.signed_info = info
        attributes(value, optional=("Id",))
        self.value = octets(value, MAX_VALUE_CHARACTERS)
        named = {str(each.tag): each for each in more}
        self.certificates = _certificates(named.get(ds("KeyInfo")))
        self._read_info(info)
        self._read_object(named.get(ds("Object")))

    def _read_info(self, info: Node) -> None:
        attributes(info, optional=("Id",))
        form, method, *references = children(
            info, [ds("CanonicalizationMethod"), ds("SignatureMethod"), ds("Reference")],
            optional=[ds("Reference")],
        )  # fmt: skip
        self.prefixes = _exclusive(form)
        name = attributes(method, required=("Algorithm",))["Algorithm"]
        children(method, [])
        if name not in METHODS:
            raise TrustError("signature.algorithm", "the signature method is not allowed")
        self.method = METHODS[name]
        kinds = [each.get("Type") for each in references]
        if kinds.count(None) != 1 or any(k not in (None, SIGNED_PROPERTIES) for k in kinds):
            raise _malformed("it refers to the content once, and besides to signed properties only")
        read = {kind: _reference(each) for kind, each in zip(kinds, references, strict=True)}
        self.content = read[None]
        self.properties = read.get(SIGNED_PROPERTIES)

    def _read_object(self, found: Node | None) -> None:
        """The XAdES properties: there when they are referred to, and never otherwise."""
        self.qualifying: Node | None = None
        if (found is None) != (self.properties is None):
            raise _malformed("an Object holds XAdES properties, and they are signed")
        if found is not None:
            attributes(found, optional=("Id",))
            (self.qualifying,) = children(found, [xades("QualifyingProperties")])


def children(node: Node, required: Sequence[str], *, optional: Sequence[str] = ()) -> list[Node]:
    """The child elements: those required, in order, then any of the optional ones, in order.

    Nothing else, and no text between them. Raises ``signature.malformed``.
    """
    found = list(node)
    tags = [str(each.tag) for each in found]
    rest = tags[len(required) :]
    wanted = iter(optional)
    if tags[: len(required)] != list(required) or not all(tag in wanted for tag in rest):
        raise _malformed(f"{local(node)} has not the children that it should have")
    if any(text and text.strip(_SPACE) for text in (node.text, *(each.tail for each in found))):
        raise _malformed(f"there is text in {local(node)}")
    return found


def attributes(
    node: Node, *, required: Iterable[str] = (), optional: Iterable[str] = ()
) -> dict[str, str]:
    """The attributes: those required, perhaps the optional ones, and no other."""
    allowed = {*required, *optional}
    if len(node.attrib) > len(allowed):  # before they are listed, which costs their square
        raise _malformed(f"{local(node)} has not the attributes that it should have")
    found = {str(name): str(value) for name, value in node.attrib.items()}
    if not set(required) <= set(found) <= allowed:
        raise _malformed(f"{local(node)} has not the attributes that it should have")
    return found


def text(node: Node, maximum: int) -> str:
    """The text of an element that holds nothing else."""
    found = node.text or ""
    if len(node) or len(found) > maximum:
        raise _malformed(f"{local(node)} is a text of at most {maximum} characters")
    return found


def octets(node: Node, maximum: int) -> bytes:
    """The value of base64 text, which may have white space in it and is canonical otherwise."""
    packed = "".join(text(node, maximum).split())
    try:
        found = base64.b64decode(packed, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _malformed(f"{local(node)} is not base64") from error
    if not found or base64.b64encode(found).decode("ascii") != packed:
        raise _malformed(f"{local(node)} is not canonical base64")
    return found


def digest_value(method: Node, value: Node) -> tuple[str, bytes]:
    """A digest method that is allowed, and a value of its length."""
    name = attributes(method, required=("Algorithm",))["Algorithm"]
    children(method, [])
    if name not in DIGESTS:
        raise TrustError("signature.algorithm", "the digest method is not allowed")
    attributes(value)
    found = octets(value, 200)
    if len(found) != len(DIGESTS[name](b"").digest()):
        raise _malformed("the digest has not the length of its method")
    return name, found


def local(node: Node) -> str:
    """The name of an element without its namespace."""
    return str(node.tag).rpartition("}")[2][:60]


def _reference(node: Node) -> Reference:
    given = attributes(node, required=("URI",), optional=("Id", "Type"))
    # Of the fragments only the bare name: no XPointer, no file, no host (XML Signature 4.4.3.2).
    if given["URI"] and FRAGMENT.fullmatch(given["URI"]) is None:
        raise _malformed("it refers to something that is not an element of the document by its id")
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
        raise _malformed("the canonical form is Exclusive XML Canonicalization 1.0, and no other")
    parameters = children(node, [], optional=[f"{{{EXCLUSIVE}}}InclusiveNamespaces"])
    if not parameters:
        return ()
    (named,) = parameters
    children(named, [])
    prefixes = attributes(named, required=("PrefixList",))["PrefixList"].split()
    if not prefixes or len(prefixes) > MAX_PREFIXES or len(set(prefixes)) != len(prefixes):
        raise _malformed(f"PrefixList has 1 to {MAX_PREFIXES} prefixes, none twice")
    if "#default" in prefixes:  # lxml would leave it out without a word
        raise _malformed("PrefixList has #default, which is not taken here")
    known = node.nsmap
    if any(_PREFIX.fullmatch(each) is None or each not in known for each in prefixes):
        raise _malformed("PrefixList has a prefix that stands for nothing there")
    return tuple(prefixes)


def _certificates(key_info: Node | None) -> tuple[bytes, ...]:
    """Certificates that came along (DER): a hint, from which no key is ever taken."""
    if key_info is None:
        return ()
    attributes(key_info, optional=("Id",))
    if any(str(each.tag) not in _KEY_HINTS for each in key_info):
        raise _malformed("KeyInfo has KeyName, KeyValue or X509Data")
    found = [node for data in key_info for node in data if node.tag == ds("X509Certificate")]
    if len(found) > MAX_CERTIFICATES:
        raise _malformed(f"KeyInfo has at most {MAX_CERTIFICATES} certificates")
    return tuple(octets(node, MAX_CERTIFICATE_CHARACTERS) for node in found)


def _malformed(detail: str) -> TrustError:
    return TrustError("signature.malformed", detail)
