"""The JWS compact form (RFC 7515, 7.1), read strictly.

Three segments of canonical base64url without padding; a header that is one JSON object without
repeated names, of names that the profile knows, each of its type, and within a bound. The tests
hold it against joserfc's header registry (docs/decisions/own-header-check.md).
"""

from __future__ import annotations

import binascii
import json
from collections.abc import Mapping
from operator import is_
from typing import Any, Final

import msgspec

from trust.algorithms import ALGORITHMS
from trust.errors import TrustError
from trust.keys import PublicKey

MAX_HEADER_CHARACTERS = 2_048
MAX_SIGNATURE_CHARACTERS = 1_400  # RSA of 8192 bits needs 1,366

_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_+/=", b"+/---")  # what is not of this alphabet does not come back
_PADDING = (b"", b"===", b"==", b"=")  # by the rest of the length; no bytes make a rest of 1

NAMES: Final[Mapping[str, type]] = {
    "alg": str,
    "kid": str,
    "typ": str,
    "cty": str,  # the format
    "crit": list,
    "b64": bool,  # RFC 7797
    "iat": int,
    "jti": str,  # the interchange id
    "aud": str,  # the receiver's id
    "obo": str,  # the principal's id
}
"""The names of this profile, each with its JSON type, and no other.

``jwk``, ``jku``, ``x5c`` and ``x5u`` are not among them: keys come from the registry.
"""
MAY_BE_CRITICAL = frozenset({"b64", "iat", "jti", "aud", "cty", "obo"})


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
    encoded = binascii.b2a_base64(content, newline=False)
    return encoded.translate(_TO_URL).rstrip(b"=").decode("ascii")


def unpadded_decode(segment: str) -> bytes:
    """The bytes of the one canonical spelling; raises ``signature.malformed`` for any other."""
    try:
        packed = segment.encode("ascii").translate(_FROM_URL) + _PADDING[len(segment) % 4]
        content = binascii.a2b_base64(packed)
    except ValueError as error:  # binascii's own, and characters beyond ASCII
        raise TrustError("signature.malformed", "a segment is not base64url") from error
    # What was skipped in reading does not come back, nor do stray bits (RFC 4648, 3.5).
    if binascii.b2a_base64(content, newline=False) != packed:
        raise TrustError("signature.malformed", "a segment is not canonical base64url")
    return content


def _header(segment: str) -> Mapping[str, Any]:
    try:
        header = _JSON.decode(unpadded_decode(segment).decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise TrustError("signature.malformed", "the header is not a JSON object") from error
    if not isinstance(header, dict):
        raise TrustError("signature.malformed", "the header is not a JSON object")
    # JSON has exact types: what is no bool is none of its subclasses either.
    if not all(map(is_, map(type, header.values()), map(NAMES.get, header))):
        raise TrustError("signature.malformed", f"the header: {_wrong(header)}")
    if "alg" not in header or "kid" not in header:
        raise TrustError("signature.malformed", "the header names no alg, or no kid")
    if "crit" in header:
        _check_critical(header)
    return header


def _wrong(header: Mapping[str, Any]) -> str:
    if not header.keys() <= NAMES.keys():
        return "it has a name that is not known"
    return next(f"{name} is of another type" for name in header if not _fits(header, name))


def _fits(header: Mapping[str, Any], name: str) -> bool:
    return type(header[name]) is NAMES[name]


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):  # RFC 7515, 4: names must be unique
        raise ValueError("a name is repeated")
    return members


_JSON = json.JSONDecoder(object_pairs_hook=_unrepeated)


def _check_critical(header: Mapping[str, Any]) -> None:
    """RFC 7515, 4.1.11: not empty, no repeats, every name in the header and understood."""
    try:
        names = set(header["crit"])
    except TypeError as error:
        raise TrustError("signature.malformed", "crit is an array of names") from error
    if not names or len(names) != len(header["crit"]):
        raise TrustError("signature.malformed", "crit is an array of names, each of them once")
    if not names <= MAY_BE_CRITICAL:
        raise TrustError("signature.malformed", "crit has a name that is not understood")
    if not names <= header.keys():
        raise TrustError("signature.malformed", "crit has a name that is not in the header")
