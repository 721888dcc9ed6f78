"""Compact JWS that carry their payload: receipts, and what else the gateway itself states."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from trust.errors import TrustError
from trust.keys import PublicKey, Signer
from trust.signatures.compact import (
    choose_key,
    put_together,
    take_apart,
    unpadded_decode,
    unpadded_encode,
)

MAX_PAYLOAD_CHARACTERS = 65_536


def sign_attached(payload: bytes, *, signer: Signer, type: str) -> str:  # noqa: A002 - JOSE's typ
    """A compact JWS of the payload whose header names its type (RFC 8725, 3.11)."""
    signer = signer.chosen()
    signing_input = f"{_header(signer.alg, signer.kid, type)}.{unpadded_encode(payload)}"
    signature = signer.sign(signing_input.encode("ascii"))
    return f"{signing_input}.{unpadded_encode(signature)}"


@lru_cache(maxsize=256)
def _header(alg: str, kid: str, typ: str) -> str:
    """The same for every receipt that one key signs."""
    return put_together({"alg": alg, "kid": kid, "typ": typ}).decode("ascii")


def verify_attached(
    token: str,
    *,
    keys: Mapping[str, PublicKey],
    type: str | None,  # noqa: A002 - JOSE's typ
    max_payload: int = MAX_PAYLOAD_CHARACTERS,
) -> tuple[bytes, PublicKey]:
    """The payload and the key that signed it; raises ``signature.*``.

    ``type`` must be the header's ``typ``, so that one kind of token never passes for another.
    Whether the key was valid at the time in question is the caller's part.
    """
    compact = take_apart(token, max_payload=max_payload)
    if compact.header.get("typ") != type:
        raise TrustError("signature.malformed", f"the token is not of type {type}")
    if not {"crit", "b64", "obo"}.isdisjoint(compact.header):
        raise TrustError("signature.malformed", "crit, b64 and obo have no place in this token")
    key = choose_key(compact.header, keys)
    payload = unpadded_decode(compact.payload_segment)
    signing_input = compact.header_segment + b"." + compact.payload_segment.encode("ascii")
    key.verify(signing_input, compact.signature)
    return payload, key
