"""What every provider's signer does, whichever device holds the key."""

from __future__ import annotations

import hashlib
import threading
from datetime import UTC, datetime

import pytest
from joserfc.jws import JWSRegistry

from tests.gateway.keys.conftest import Open
from trust import receipt
from trust.errors import TrustError
from trust.keys import public_key, signing_key
from trust.receipt import ReceiptClaims
from trust.signatures.jws import sign_detached, verify_detached

NOW = datetime(2026, 11, 22, 2, tzinfo=UTC)
ALL = [
    ("P-256", "ES256"),
    ("P-384", "ES384"),
    ("RSA-2048", "PS256"),
    ("RSA-2048", "PS384"),
    ("RSA-2048", "RS256"),
    ("RSA-2048", "RS384"),
    ("Ed25519", "Ed25519"),
]
MESSAGE = b"who said what, and when " * 99


@pytest.mark.parametrize(("kind", "algorithm"), ALL)
def test_what_it_signs_verifies_with_its_public_half(
    open_key: Open, kind: str, algorithm: str
) -> None:
    signer = open_key(kind, algorithm=algorithm)

    signature = signer.sign(MESSAGE)

    model = JWSRegistry.algorithms[algorithm]
    key = signer.public_key.key
    assert (signer.alg, model.verify(MESSAGE, signature, key)) == (algorithm, True)
    assert not model.verify(MESSAGE + b".", signature, key)


@pytest.mark.parametrize(("kind", "algorithm"), [row for row in ALL if row[0] != "Ed25519"])
def test_it_signs_a_digest_as_the_message_itself(open_key: Open, kind: str, algorithm: str) -> None:
    signer = open_key(kind, algorithm=algorithm)
    digest = hashlib.new(f"sha{algorithm[2:]}", MESSAGE).digest()

    signature = signer.sign_digest(digest)

    assert JWSRegistry.algorithms[algorithm].verify(MESSAGE, signature, signer.public_key.key)


def test_its_name_is_the_thumbprint_of_its_public_key_unless_it_is_given_one(
    open_key: Open,
) -> None:
    signer = open_key("P-256")

    assert signer.kid == signer.public_key.key.thumbprint() == signer.public_key.kid
    assert open_key("P-256", kid="2026").kid == "2026"


def test_without_an_algorithm_it_takes_the_keys_own(open_key: Open) -> None:
    kinds = ("P-256", "P-384", "RSA-2048", "Ed25519")

    assert ["ES256", "ES384", "PS256", "Ed25519"] == [open_key(kind).alg for kind in kinds]


def test_it_makes_receipts_and_detached_signatures(open_key: Open) -> None:
    signer = open_key("P-256")
    registered = public_key(signing_key(signer.public_key.key.as_pem(private=False)))
    keys = {registered.kid: registered}

    token = receipt.sign(CLAIMS, signer)
    detached = sign_detached(
        [b"in ", b"parts"], signer=signer, interchange_id="i", format="f", audience="a", now=NOW
    )

    assert receipt.verify(token, keys) == CLAIMS
    assert signer.kid == verify_detached(
        detached,
        b"in parts",
        keys=keys,
        interchange_id="i",
        format="f",
        audience="a",
        now=NOW,
    )


def test_ed25519_signs_no_digest(open_key: Open) -> None:
    with pytest.raises(TrustError, match=r"signature\.algorithm"):
        open_key("Ed25519").sign_digest(b"\0" * 32)


def test_it_stands_for_itself(open_key: Open) -> None:
    signer = open_key("P-256")

    assert signer.chosen() is signer


def test_it_may_be_used_from_several_threads(open_key: Open) -> None:
    signer = open_key("P-256")
    good: list[bool] = []

    def work() -> None:
        for number in range(20):
            message = b"%d" % number
            signature = signer.sign(message)
            good.append(JWSRegistry.algorithms["ES256"].verify(message, signature, key))

    key = signer.public_key.key
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert good == [True] * 80


def test_two_of_them_live_side_by_side(open_key: Open) -> None:
    first, second = open_key("P-256"), open_key("P-384")

    for signer in (first, second, first):
        signature = signer.sign(MESSAGE)
        model = JWSRegistry.algorithms[signer.alg]
        assert model.verify(MESSAGE, signature, signer.public_key.key)


def test_it_says_nothing_secret_of_itself(open_key: Open) -> None:
    signer = open_key("P-256")

    assert "PRIVATE" not in repr(signer)
    assert "246810" not in f"{signer!r} {vars(signer) if hasattr(signer, '__dict__') else ''}"


CLAIMS = ReceiptClaims(
    gateway="gateway-lx",
    party="post-a",  # type: ignore[arg-type] # a party id is a text
    record=7,
    interchange_id="i-1",
    attempt=1,
    format="luxor.json.1",
    digest="ab" * 32,
    size=12,
    received_at=NOW,
    status="accepted",
    accepted=1,
    refused=0,
    outcomes="cd" * 32,
)
