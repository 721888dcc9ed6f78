"""A kept receipt, proved offline step by step."""

from __future__ import annotations

import hashlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trust.town import DAY, NOW, POST, USUAL, Town
from trust import receipt
from trust.authority import generate_key, issue_signing
from trust.certificates import pem_of
from trust.errors import TrustError
from trust.findings import Findings
from trust.identity import PartyId
from trust.keys import KeySigner, verifying_key
from trust.receipt import ReceiptClaims
from trust.receipt_proof import (
    Content,
    ReceiptBundle,
    Trusted,
    prove_receipt,
    read_bundle,
    write_bundle,
)

KEY = generate_key("P-256")
SIGNER = KeySigner(KEY, kid="the key of 2026")
CONTENT = b"<itmatt/>"
OUTCOMES = b'[{"ordinal":1,"status":"accepted"}]'
CLAIMS = ReceiptClaims(
    gateway="gateway-lx",
    party=POST,
    record=4_711,
    interchange_id="i-1",
    attempt=1,
    format="upu.itmatt.1",
    digest=hashlib.sha256(CONTENT).hexdigest(),
    size=len(CONTENT),
    received_at=NOW,
    status="accepted",
    accepted=1,
    refused=0,
    outcomes=hashlib.sha256(OUTCOMES).hexdigest(),
)
TOKEN = receipt.sign(CLAIMS, SIGNER)


def bundle(town: Town, *, party: str = "gateway-lx") -> ReceiptBundle:
    leaf = issue_signing(
        KEY.public_key(),
        issuer=town.issuing,
        name="x",
        party=PartyId(party),
        validity=USUAL,
    )
    chain = (pem_of(leaf), pem_of(town.issuing.certificate))
    return ReceiptBundle(receipt=TOKEN, certificates=chain)


def steps(kept: ReceiptBundle, trusted: Trusted, **more: object) -> dict[str, str]:
    """Each step and how it stands, or the code of why it failed."""
    found = Findings()
    prove_receipt(kept, trusted, found, **more)  # type: ignore[arg-type] # as the test has them
    return {each.step: each.code or each.standing for each in found.all}


def by(town: Town, **lists: bytes) -> Trusted:
    return Trusted(authorities=(town.root.certificate,), lists=lists)


def test_everything_that_is_given_is_proved(luxor: Town) -> None:
    crls = luxor.crls(this_update=NOW, next_update=NOW + DAY)

    told = steps(bundle(luxor), by(luxor, **crls), content=Content.of(CONTENT), outcomes=OUTCOMES)

    assert told == {
        "signature": "proved",
        "authority": "proved",
        "revocation": "proved",
        "content": "proved",
        "outcomes": "proved",
    }


def test_what_is_not_given_is_told_as_not_checked(luxor: Town) -> None:
    assert steps(bundle(luxor), by(luxor)) == {
        "signature": "proved",
        "authority": "proved",
        "revocation": "unchecked",
        "content": "unchecked",
        "outcomes": "unchecked",
    }


def test_the_sentences_say_who_and_what(luxor: Town) -> None:
    found = Findings()

    claims = prove_receipt(bundle(luxor), by(luxor), found, content=Content.of(CONTENT))

    said = {each.step: each.said for each in found.all}
    assert claims == CLAIMS
    assert said["signature"] == (
        "gateway-lx's receipt no. 4711 is signed with the key the key of 2026 (ES256)"
    )
    assert (
        "vouched for gateway-lx at 2026-11-21 12:00:00 UTC, by 3 certificates" in said["authority"]
    )
    assert said["content"] == "these 9 bytes are what was received"


def test_other_content_or_outcomes_are_found_out(luxor: Town) -> None:
    told = steps(
        bundle(luxor), by(luxor), content=Content.of(CONTENT + b" "), outcomes=OUTCOMES + b"\n"
    )

    assert (told["content"], told["outcomes"]) == ("receipt.invalid", "receipt.invalid")


def test_the_certificate_of_another_party_proves_nothing(luxor: Town) -> None:
    told = steps(bundle(luxor, party="post-b"), by(luxor))

    assert told["authority"] == "receipt.invalid"
    assert "revocation" not in told


def test_another_authority_proves_nothing(luxor: Town, partner: Town) -> None:
    assert steps(bundle(luxor), by(partner))["authority"] == "certificate.untrusted"


def test_a_receipt_from_outside_the_time_of_the_certificate_is_not_proved(luxor: Town) -> None:
    for received, code in (
        (USUAL.not_after + DAY, "certificate.expired"),
        (USUAL.not_before - DAY, "certificate.not-yet-valid"),
    ):
        token = receipt.sign(msgspec.structs.replace(CLAIMS, received_at=received), SIGNER)
        late = msgspec.structs.replace(bundle(luxor), receipt=token)

        assert steps(late, by(luxor))["authority"] == code


def test_a_revoked_certificate_proves_nothing(luxor: Town) -> None:
    kept = bundle(luxor)
    from trust.certificates import load_certificates

    leaf = load_certificates(kept.certificates[0].encode())[0]
    crls = luxor.crls(leaf, this_update=NOW, next_update=NOW + DAY)

    assert steps(kept, by(luxor, **crls))["revocation"] == "certificate.revoked"


def test_a_certificate_of_another_key_does_not_fit_the_signature(luxor: Town) -> None:
    other = msgspec.structs.replace(
        bundle(luxor), receipt=receipt.sign(CLAIMS, KeySigner(generate_key("P-256")))
    )

    assert steps(other, by(luxor)) == {"signature": "receipt.invalid"}


def test_the_key_that_one_has_counts_before_the_certificate_that_comes(partner: Town) -> None:
    kept = bundle(partner)
    own = Trusted(key=verifying_key(KEY.public_key()))
    foreign = Trusted(key=verifying_key(generate_key("P-256").public_key()))

    assert steps(kept, own)["authority"] == "proved"
    assert steps(kept, foreign) == {"signature": "receipt.invalid"}


def test_a_bare_token_needs_a_key_from_elsewhere(luxor: Town) -> None:
    bare = ReceiptBundle(receipt=TOKEN)

    assert steps(bare, by(luxor)) == {"signature": "receipt.invalid"}
    assert steps(bare, Trusted(key=verifying_key(KEY.public_key())))["authority"] == "proved"


def test_a_bundle_with_a_bare_key_is_not_traced_to_an_authority(luxor: Town) -> None:
    pem = SIGNER.public_pem.decode()
    kept = ReceiptBundle(receipt=TOKEN, public_key=pem)

    assert steps(kept, by(luxor))["authority"] == "certificate.untrusted"
    assert steps(kept, Trusted())["authority"] == "unchecked"


@pytest.mark.parametrize("name", ["rsa-pss", "rsa-pkcs1"])
def test_an_rsa_receipt_is_proved_by_the_algorithm_that_fits_its_key(
    luxor: Town, name: str
) -> None:
    key = generate_key("RSA-2048")
    signer = KeySigner(key, algorithm="PS256" if name == "rsa-pss" else "RS256")
    kept = ReceiptBundle(receipt=receipt.sign(CLAIMS, signer))

    assert steps(kept, Trusted(key=verifying_key(key.public_key())))["signature"] == "proved"


def test_a_bundle_survives_its_file(luxor: Town) -> None:
    kept = bundle(luxor)

    assert read_bundle(write_bundle(kept)) == kept
    assert read_bundle(TOKEN.encode() + b"\n") == ReceiptBundle(receipt=TOKEN)


@pytest.mark.parametrize(
    "content",
    [b"\xff", b"{}", b"{", b'{"receipt":1}', b'{"receipt":"a","version":2}', b"x" * 2_000_000],
)
def test_what_is_no_bundle_is_refused(content: bytes) -> None:
    with pytest.raises(TrustError, match=r"receipt\.invalid"):
        read_bundle(content)


@given(st.binary(max_size=300))
def test_any_file_is_proved_or_refused(content: bytes) -> None:
    try:
        kept = read_bundle(content)
    except TrustError:
        with pytest.raises(TrustError, match=r"receipt\.invalid"):
            read_bundle(content)
        return
    assert "proved" not in steps(kept, Trusted(key=SIGNER.public_key)).values()
