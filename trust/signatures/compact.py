"""The JWS compact form (RFC 7515, 7.1), read strictly.

Three segments of canonical base64url without padding; a header that is one JSON object without
repeated names, of names that the profile knows, and within a bound. joserfc's header registry
checks types, unknown names and ``crit``; what it lets pass is refused here.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import Any

import msgspec
from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry
from joserfc.registry import HeaderParameter

from trust.algorithms import ALGORITHMS
from trust.errors import TrustError
from trust.keys import PublicKey

MAX_HEADER_CHARACTERS = 2_048
MAX_SIGNATURE_CHARACTERS = 1_400  # RSA of 8192 bits needs 1,366

_ALPHABET = re.compile(r"[A-Za-z0-9_-]*")


def _is_integer(value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError("must be an int")


def _profile() -> JWSRegistry:
    """joserfc's registry with the names of this profile and no other.

    ``jwk``, ``jku``, ``x5c`` and ``x5u`` are not among them: keys come from the registry.
    """
    registry = JWSRegistry(algorithms=list(ALGORITHMS))
    registry.header_registry = {
        "alg": HeaderParameter("Algorithm", "str", required=True),
        "kid": HeaderParameter("Key ID", "str", required=True),
        "typ": HeaderParameter("Type", "str"),
        "cty": HeaderParameter("Content Type: the format", "str"),
        "crit": HeaderParameter("Critical", "list[str]"),
        "b64": HeaderParameter("Payload Encoded (RFC 7797)", "bool"),
        "iat": HeaderParameter("Issued At", _is_integer),
        "jti": HeaderParameter("JWT ID: the interchange id", "str"),
        "aud": HeaderParameter("Audience: the receiver's id", "str"),
        "obo": HeaderParameter("On Behalf Of: the principal's id", "str"),
    }
    return registry


_HEADERS = _profile()
_MAY_BE_CRITICAL = frozenset({"b64", "iat", "jti", "aud", "cty", "obo"})


class Compact(msgspec.Struct, frozen=True, kw_only=True):
    """A token taken apart; nothing about it has been proved."""

    header: Mapping[str, Any]
    header_segment: bytes
    payload_segment: str
    signature: bytes


def take_apart(token: str, *, max_payload: int) -> Compact:
    """Read a token of three segments; raises ``signature.malformed`` or ``.algorithm``.

    ``max_payload`` bounds the payload segment in characters; 0 means it must be empty.
    """
    if len(token) > MAX_HEADER_CHARACTERS + MAX_SIGNATURE_CHARACTERS + max_payload + 2:
        raise TrustError("signature.malformed", "the signature is too long")
    segments = token.split(".")
    if len(segments) != 3:
        raise TrustError("signature.malformed", "a compact JWS has three segments")
    header, payload, signature = segments
    if len(header) > MAX_HEADER_CHARACTERS or len(signature) > MAX_SIGNATURE_CHARACTERS:
        raise TrustError("signature.malformed", "a segment is too long")
    if len(payload) > max_payload:
        detail = "the payload is too long" if max_payload else "the payload must be detached"
        raise TrustError("signature.malformed", detail)
    return Compact(
        header=_header(header),
        header_segment=header.encode("ascii"),
        payload_segment=payload,
        signature=unpadded_decode(signature),
    )


def put_together(header: Mapping[str, Any]) -> bytes:
    """The header segment for a header."""
    return unpadded_encode(msgspec.json.encode(header)).encode("ascii")


def choose_key(header: Mapping[str, Any], keys: Mapping[str, PublicKey]) -> PublicKey:
    """The registered key that the header names, if its algorithm is the key's."""
    if header["alg"] not in ALGORITHMS:
        raise TrustError("signature.algorithm", "the algorithm is not allowed")
    key = keys.get(header["kid"])
    if key is None:
        raise TrustError("signature.key-unknown")
    if key.algorithm.name != header["alg"]:
        raise TrustError("signature.algorithm", f"this key is registered for {key.algorithm.name}")
    return key


def unpadded_encode(content: bytes) -> str:
    """base64url without padding (RFC 7515, 2)."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii")


def unpadded_decode(segment: str) -> bytes:
    """The bytes of the one canonical spelling; raises ``signature.malformed`` for any other."""
    if _ALPHABET.fullmatch(segment) is None:
        raise TrustError("signature.malformed", "a segment is not base64url without padding")
    try:
        content = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except binascii.Error as error:
        raise TrustError("signature.malformed", "a segment is not base64url") from error
    if unpadded_encode(content) != segment:  # RFC 4648, 3.5: stray bits in the last character
        raise TrustError("signature.malformed", "a segment is not canonical base64url")
    return content


def _header(segment: str) -> Mapping[str, Any]:
    try:
        header = json.loads(unpadded_decode(segment).decode("utf-8"), object_pairs_hook=_unrepeated)
    except (ValueError, RecursionError) as error:
        raise TrustError("signature.malformed", "the header is not a JSON object") from error
    if not isinstance(header, dict):
        raise TrustError("signature.malformed", "the header is not a JSON object")
    _check_critical(header)
    try:
        _HEADERS.check_header(header)
    except JoseError as error:
        raise TrustError("signature.malformed", f"the header: {error.description}") from error
    return header


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):  # RFC 7515, 4: names must be unique
        raise ValueError("a name is repeated")
    return members


def _check_critical(header: Mapping[str, Any]) -> None:
    """RFC 7515, 4.1.11: not empty, no repeats, every name in the header and understood."""
    if "crit" not in header:
        return
    critical = header["crit"]
    if not isinstance(critical, list) or not critical:
        raise TrustError("signature.malformed", "crit is an array that is not empty")
    names = [name for name in critical if isinstance(name, str)]
    if len(names) != len(critical) or len(set(names)) != len(names):
        raise TrustError("signature.malformed", "crit is an array of distinct names")
    if not _MAY_BE_CRITICAL.issuperset(names):
        raise TrustError("signature.malformed", "crit has a name that is not understood")
