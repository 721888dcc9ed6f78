"""What RFC 9421, 3.3 calls the algorithms of the registry; shared secrets are not among them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from trust.errors import TrustError

HTTP_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "Ed25519": "ed25519",
        "ES256": "ecdsa-p256-sha256",
        "ES384": "ecdsa-p384-sha384",
        "PS512": "rsa-pss-sha512",
        "RS256": "rsa-v1_5-sha256",
    }
)
"""Name in RFC 9421 by JWS name: the same arithmetic and the same encoding of the result."""


def http_name(jws_name: str) -> str:
    """Raises ``signature.algorithm`` for one that RFC 9421 does not have, such as ``PS256``."""
    found = HTTP_NAMES.get(jws_name)
    if found is None:
        raise TrustError(
            "signature.algorithm",
            f"{jws_name} signs no HTTP messages; register the key for {', '.join(HTTP_NAMES)}",
        )
    return found
