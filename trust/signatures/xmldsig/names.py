"""Names of XML Signature, exclusive canonicalisation and XAdES, and what each algorithm is with us.

What has no row here is not supported, and so refused: inclusive canonicalisation, comments in
canonical forms, HMAC, SHA-1, DSA, and every transform but two.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from types import MappingProxyType

from lxml import etree

from trust.algorithms import Hash

Node = etree._Element  # noqa: SLF001  # lxml has no public name for what every call returns

DS = "http://www.w3.org/2000/09/xmldsig#"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
"""Exclusive XML Canonicalization 1.0 without comments, and the namespace of its parameter."""
ENVELOPED = f"{DS}enveloped-signature"
XADES = "http://uri.etsi.org/01903/v1.3.2#"
SIGNED_PROPERTIES = "http://uri.etsi.org/01903#SignedProperties"
"""``Type`` of the reference to the signed properties (ETSI EN 319 132-1, 4.4.2)."""

SIGNATURE = f"{{{DS}}}Signature"

_MORE = "http://www.w3.org/2001/04/xmldsig-more#"
_MORE_2007 = "http://www.w3.org/2007/05/xmldsig-more#"
_ENCRYPTION = "http://www.w3.org/2001/04/xmlenc#"

METHODS: Mapping[str, str] = MappingProxyType(
    {
        f"{_MORE}ecdsa-sha256": "ES256",
        f"{_MORE}ecdsa-sha384": "ES384",
        f"{_MORE}rsa-sha256": "RS256",
        f"{_MORE}rsa-sha384": "RS384",
        f"{_MORE}rsa-sha512": "RS512",
        f"{_MORE_2007}sha256-rsa-MGF1": "PS256",
        f"{_MORE_2007}sha384-rsa-MGF1": "PS384",
        f"{_MORE_2007}sha512-rsa-MGF1": "PS512",
        "http://www.w3.org/2021/04/xmldsig-more#eddsa-ed25519": "Ed25519",
    }
)
"""Signature methods (RFC 9231, 2.3) and the names of the same algorithms in ``trust.algorithms``.

The encodings are the same too: an ECDSA signature in XML is R and S side by side (RFC 9231,
2.3.6), the salt of PSS is as long as its hash (2.3.10).
"""

METHOD_OF: Mapping[str, str] = MappingProxyType({name: uri for uri, name in METHODS.items()})

DIGESTS: Mapping[str, Callable[[bytes], Hash]] = MappingProxyType(
    {
        f"{_ENCRYPTION}sha256": hashlib.sha256,
        f"{_MORE}sha384": hashlib.sha384,
        f"{_ENCRYPTION}sha512": hashlib.sha512,
    }
)
"""Digest methods (RFC 9231, 2.1)."""

DIGEST_SIZES: Mapping[str, int] = MappingProxyType(
    {name: make(b"").digest_size for name, make in DIGESTS.items()}
)
"""Octets of each."""

SHA256 = f"{_ENCRYPTION}sha256"


def ds(name: str) -> str:
    """A name of XML Signature in Clark notation."""
    return f"{{{DS}}}{name}"


def xades(name: str) -> str:
    """A name of XAdES in Clark notation."""
    return f"{{{XADES}}}{name}"
