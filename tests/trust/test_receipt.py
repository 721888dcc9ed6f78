"""Receipts: what was signed comes back, and nothing else does."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trust.town import DAY, NOW, POST
from trust import receipt
from trust.authority import generate_key
from trust.errors import TrustError
from trust.keys import KeySigner, public_key, signing_key
from trust.receipt import ReceiptClaims
from trust.signatures.attached import sign_attached
from trust.signatures.compact import unpadded_decode, unpadded_encode
from trust.signatures.jws import sign_detached

SIGNER = KeySigner(generate_key("P-256"))
KEYS = {SIGNER.kid: SIGNER.public_key}
CLAIMS = ReceiptClaims(
    gateway="gateway-lx",
    party=POST,
    record=123_456_789_012_345,
    interchange_id="i-1",
    attempt=2,
    format="upu.itmatt.1",
    digest="ab" * 32,
    size=2_048,
    received_at=NOW,
    status="accepted",
    accepted=97,
    refused=3,
    outcomes="cd" * 32,
)
TOKEN = receipt.sign(CLAIMS, SIGNER)


def test_a_receipt_says_what_was_signed() -> None:
    assert receipt.verify(TOKEN, KEYS) == CLAIMS


def test_a_receipt_is_a_jws_of_its_own_type() -> None:
    header = json.loads(unpadded_decode(TOKEN.split(".")[0]))

    assert header == {"alg": "ES256", "kid": SIGNER.kid, "typ": "luxor-receipt+jwt"}


def test_giver_and_taker_are_the_registered_claims() -> None:
    payload = json.loads(unpadded_decode(TOKEN.split(".")[1]))

    assert (payload["iss"], payload["sub"]) == ("gateway-lx", "post-a")


@given(
    at=st.integers(0, len(TOKEN) - 1),
    character=st.sampled_from("ABCDEFabcdef0123456789-_.=+/ \n"),
)
def test_a_receipt_with_any_character_changed_is_invalid(at: int, character: str) -> None:
    tampered = TOKEN[:at] + character + TOKEN[at + 1 :]
    if tampered != TOKEN:
        with pytest.raises(TrustError, match=r"receipt\.invalid"):
            receipt.verify(tampered, KEYS)


def test_a_receipt_with_other_claims_under_the_old_signature_is_invalid() -> None:
    header, _, signature = TOKEN.split(".")
    other = msgspec.structs.replace(CLAIMS, accepted=100, refused=0)
    payload = unpadded_encode(msgspec.json.encode(other))

    with pytest.raises(TrustError, match=r"receipt\.invalid"):
        receipt.verify(f"{header}.{payload}.{signature}", KEYS)


def test_a_receipt_of_an_unknown_key_is_invalid() -> None:
    with pytest.raises(TrustError, match=r"receipt\.invalid"):
        receipt.verify(receipt.sign(CLAIMS, KeySigner(generate_key("P-256"))), KEYS)


def test_another_kind_of_token_by_the_same_key_is_no_receipt() -> None:
    token = sign_attached(msgspec.json.encode(CLAIMS), signer=SIGNER, type="JWT")
    detached = sign_detached(
        b"", signer=SIGNER, interchange_id="i", format="f", audience="g", now=NOW
    )

    for other in (token, detached):
        with pytest.raises(TrustError, match=r"receipt\.invalid"):
            receipt.verify(other, KEYS)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{}",
        b"\xff",
        msgspec.json.encode(CLAIMS)[:-1] + b',"more":1}',
        msgspec.json.encode(CLAIMS).replace(b"accepted", b"perhaps", 1),
        msgspec.json.encode(CLAIMS).replace(b"ab" * 32, b"AB" * 32),
        msgspec.json.encode(CLAIMS).replace(b'"attempt":2', b'"attempt":0'),
    ],
    ids=["nothing", "no claims", "no text", "unknown", "status", "digest", "attempt"],
)
def test_claims_that_are_not_a_receipts_are_invalid(payload: bytes) -> None:
    token = sign_attached(payload, signer=SIGNER, type=receipt.TYPE)

    with pytest.raises(TrustError, match=r"receipt\.invalid"):
        receipt.verify(token, KEYS)


def test_a_receipt_outlives_the_key_that_signed_it() -> None:
    registered = signing_key(SIGNER.public_pem, not_before=NOW - DAY, not_after=NOW + DAY)

    assert receipt.verify(TOKEN, {SIGNER.kid: public_key(registered)}) == CLAIMS


def test_a_key_signs_no_receipt_from_before_its_time() -> None:
    registered = signing_key(SIGNER.public_pem, not_before=NOW + DAY)

    with pytest.raises(TrustError, match=r"receipt\.invalid"):
        receipt.verify(TOKEN, {SIGNER.kid: public_key(registered)})
