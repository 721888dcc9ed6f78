"""Tokens: detached JWS, receipts, and the compact form that they share.

Keys are made of fixed bytes and Ed25519 is not random, so that a round with one seed is the same
round each time. Nobody but the fuzzer holds them.
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.fuzz.target import Broken, Prepared, Target
from trust import receipt
from trust.errors import TrustError
from trust.identity import PartyId
from trust.keys import KeySigner
from trust.receipt import ReceiptClaims
from trust.signatures.compact import take_apart, unpadded_encode
from trust.signatures.jws import sign_detached, verify_detached

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
CONTENT = b'{"interchange":{},"messages":[]}'
ID, FORMAT, AUDIENCE = "i-1", "luxor.json.1", "gateway-lx"
NAMES = (b'"alg"', b'"kid"', b'"typ"', b'"cty"', b'"crit"', b'"b64"', b'"iat"', b'"jti"', b'"aud"')
FOREIGN = (b'"jwk"', b'"jku"', b'"x5c"', b'"x5u"', b'"exp"', b'"p2c"', b'"zip"', b'"epk"')
VALUES = (
    b"Ed25519",
    b"EdDSA",
    b"none",
    b"HS256",
    b"ES256",
    b"false",
    b"true",
    b"null",
    b"[[",
    b"1e99",
)


def signer() -> KeySigner:
    """The one key that is registered."""
    return KeySigner(Ed25519PrivateKey.from_private_bytes(bytes(range(32))), kid="key-1")


def detached() -> str:
    """A signature that holds."""
    return sign_detached(
        CONTENT, signer=signer(), interchange_id=ID, format=FORMAT, audience=AUDIENCE, now=NOW
    )


def _detached_target() -> Prepared:
    keys = {signer().kid: signer().public_key}
    good = detached()

    def judge(data: bytes) -> bool:
        token = data.decode("latin-1")
        try:
            verify_detached(
                token,
                CONTENT,
                keys=keys,
                interchange_id=ID,
                format=FORMAT,
                audience=AUDIENCE,
                now=NOW,
            )
        except TrustError:
            return False
        if token != good:  # Ed25519 has one signature for one header
            raise Broken("another token than the one that was signed holds")
        return True

    return Prepared(judge=judge, seeds=[good.encode()], words=[b".", b"..", *NAMES])


def _signed_header_target() -> Prepared:
    """Headers that the key really signed, so that what is behind the signature is reached."""
    key = signer()
    keys = {key.kid: key.public_key}
    seed = take_apart(detached(), max_payload=0)

    def judge(data: bytes) -> bool:
        header = unpadded_encode(data)
        proof = unpadded_encode(key.sign(header.encode() + b"." + CONTENT))
        try:
            verify_detached(
                f"{header}..{proof}",
                CONTENT,
                keys=keys,
                interchange_id=ID,
                format=FORMAT,
                audience=AUDIENCE,
                now=NOW,
            )
        except TrustError:
            return False
        claims = msgspec.json.decode(data)
        if not (
            (claims["jti"], claims["cty"], claims["aud"]) == (ID, FORMAT, AUDIENCE)
            and abs(claims["iat"] - NOW.timestamp()) <= 300
            and claims["b64"] is False
            and claims["alg"] == "Ed25519"
            and not {name.strip(b'"').decode() for name in FOREIGN} & claims.keys()
        ):
            raise Broken("a header that binds to another sending holds")
        return True

    words = [*NAMES, *FOREIGN, *VALUES, b'{"', b'":', b',"', b"[", b"]"]
    return Prepared(judge=judge, seeds=[msgspec.json.encode(seed.header)], words=words)


def _compact_target() -> Prepared:
    def judge(data: bytes) -> bool:
        try:
            take_apart(data.decode("latin-1"), max_payload=8_192)
        except TrustError:
            return False
        return True

    return Prepared(judge=judge, seeds=[detached().encode(), b"e30.e30.AA"], words=[b".", b"="])


def _claims() -> ReceiptClaims:
    return ReceiptClaims(
        gateway=AUDIENCE,
        party=PartyId("post-a"),
        record=1,
        interchange_id=ID,
        attempt=1,
        format=FORMAT,
        digest="0" * 64,
        size=3,
        received_at=NOW,
        status="accepted",
        accepted=1,
        refused=0,
        outcomes="1" * 64,
    )


def _receipt_target() -> Prepared:
    """Claims that the gateway's key really signed."""
    key = signer()
    keys = {key.kid: key.public_key}
    header = unpadded_encode(
        msgspec.json.encode({"alg": key.alg, "kid": key.kid, "typ": receipt.TYPE})
    )

    def judge(data: bytes) -> bool:
        payload = unpadded_encode(data)
        proof = unpadded_encode(key.sign(f"{header}.{payload}".encode()))
        try:
            receipt.verify(f"{header}.{payload}.{proof}", keys)
        except TrustError:
            return False
        return True

    seed = msgspec.json.encode(_claims())
    words = [b'"iss"', b'"sub"', b'"received_at"', b"2026-02-30T25:61:61Z", b"9" * 40, b"-1"]
    return Prepared(judge=judge, seeds=[seed], words=words)


TARGETS = (
    Target(name="jws", prepare=_detached_target),
    Target(name="jws-header", prepare=_signed_header_target),
    Target(name="compact", prepare=_compact_target),
    Target(name="receipt", prepare=_receipt_target),
)
