"""A signature element taken apart.

The shape is fixed (XML Signature 1.1, 4): ``SignedInfo``, ``SignatureValue``, perhaps ``KeyInfo``,
perhaps one ``Object`` with XAdES properties. What is read here has not been proved.
"""

from __future__ import annotations

from trust.signatures.xmldsig.names import Node, ds, xades
from trust.signatures.xmldsig.signed_info import read_signed_info
from trust.signatures.xmldsig.structure import attributes, children, malformed, octets

MAX_VALUE_CHARACTERS = 2_048
"""RSA of 8192 bits needs 1,368 characters, and line breaks."""
MAX_CERTIFICATE_CHARACTERS = 16_384
MAX_CERTIFICATES = 8

_KEY_HINTS = frozenset({ds("KeyName"), ds("KeyValue"), ds("X509Data")})


class Parts:
    """A signature element and what it says."""

    __slots__ = ("certificates", "element", "id", "info", "qualifying", "value")

    def __init__(self, element: Node) -> None:
        """Take it apart; raises ``signature.malformed`` or ``signature.algorithm``."""
        self.element = element
        self.id = attributes(element, optional=("Id",)).get("Id", "")
        info, value, *more = children(
            element,
            [ds("SignedInfo"), ds("SignatureValue")],
            optional=[ds("KeyInfo"), ds("Object")],
        )
        attributes(value, optional=("Id",))
        self.value = octets(value, MAX_VALUE_CHARACTERS)
        named = {str(each.tag): each for each in more}
        self.certificates = _certificates(named.get(ds("KeyInfo")))
        self.info = read_signed_info(info)
        self._read_object(named.get(ds("Object")))

    def _read_object(self, found: Node | None) -> None:
        """The XAdES properties: there when they are referred to, and never otherwise."""
        self.qualifying: Node | None = None
        if (found is None) != (self.info.properties is None):
            raise malformed("an Object holds XAdES properties, and they are signed")
        if found is not None:
            attributes(found, optional=("Id",))
            (self.qualifying,) = children(found, [xades("QualifyingProperties")])


def _certificates(key_info: Node | None) -> tuple[bytes, ...]:
    """Certificates that came along (DER): a hint, from which no key is ever taken."""
    if key_info is None:
        return ()
    attributes(key_info, optional=("Id",))
    if any(str(each.tag) not in _KEY_HINTS for each in key_info):
        raise malformed("KeyInfo has KeyName, KeyValue or X509Data")
    found = [node for data in key_info for node in data if node.tag == ds("X509Certificate")]
    if len(found) > MAX_CERTIFICATES:
        raise malformed(f"KeyInfo has at most {MAX_CERTIFICATES} certificates")
    return tuple(octets(node, MAX_CERTIFICATE_CHARACTERS) for node in found)
