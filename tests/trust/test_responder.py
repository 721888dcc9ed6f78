"""OCSP answers: signed by the delegated responder, for one serial, until a named time."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from asn1crypto import ocsp as asn1_ocsp  # type: ignore[import-untyped] # it has no types
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.trust.town import DAY, NOW, Town
from trust.authority import Validity, generate_tls_key, issue_responder
from trust.responder import (
    Good,
    Question,
    Refusal,
    Revoked,
    Seat,
    Standing,
    Unanswered,
    Unknown,
    answer,
    find_seat,
    read_question,
    refuse,
)


@pytest.fixture(scope="module")
def seat(luxor: Town) -> Seat:
    """Who answers for the issuing authority of the town."""
    key = generate_tls_key("P-256")
    certificate = issue_responder(
        key, issuer=luxor.issuing, name="luxor OCSP", validity=Validity(NOW - DAY, NOW + 7 * DAY)
    )
    return Seat(issuer=luxor.issuing.certificate, responder=certificate, key=key)


def asked(
    luxor: Town,
    *,
    hash_: hashes.HashAlgorithm | None = None,
    nonce: bytes | None = None,
    serial: int = 7,
) -> bytes:
    """A question about a serial, as a client would write it."""
    builder = ocsp.OCSPRequestBuilder().add_certificate(
        luxor.certificate(),
        luxor.issuing.certificate,
        hash_ or hashes.SHA1(),  # noqa: S303 - an id
    )
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.build().public_bytes(serialization.Encoding.DER)


def given(question: Question, standing: Standing, seat: Seat) -> ocsp.OCSPResponse:
    """The answer, read by somebody else's reader."""
    content = answer(question, standing, seat=seat, this_update=NOW, until=NOW + DAY)
    return ocsp.load_der_ocsp_response(content)


@pytest.mark.parametrize(
    "hash_",
    [hashes.SHA1(), hashes.SHA256(), hashes.SHA384(), hashes.SHA512()],  # noqa: S303 - ids
)
def test_the_issuer_is_known_by_each_hash(
    luxor: Town, partner: Town, seat: Seat, hash_: hashes.HashAlgorithm
) -> None:
    question = read_question(asked(luxor, hash_=hash_))

    assert seat is find_seat(question, [seat])
    with pytest.raises(Refusal) as caught:
        find_seat(read_question(asked(partner, hash_=hash_)), [seat])
    assert Unanswered.UNAUTHORIZED is caught.value.unanswered


def test_rsa_issuers_are_known_too() -> None:
    from trust.authority import issue_root

    key = generate_tls_key("RSA-2048")
    root = issue_root(key, name="rsa", validity=Validity(NOW - DAY, NOW + DAY))
    request = (
        ocsp.OCSPRequestBuilder()
        .add_certificate(root.certificate, root.certificate, hashes.SHA1())  # noqa: S303 - an id
        .build()
    )
    seat = Seat(issuer=root.certificate, responder=root.certificate, key=key)
    question = read_question(request.public_bytes(serialization.Encoding.DER))

    assert seat is find_seat(question, [seat])
    found = given(question, Good(), seat)
    assert [] == found.certificates


def test_good_is_signed_by_the_delegated_responder(luxor: Town, seat: Seat) -> None:
    question = read_question(asked(luxor))

    found = given(question, Good(), seat)

    (responder,) = found.certificates
    assert ocsp.OCSPCertStatus.GOOD == found.certificate_status
    assert (NOW, NOW + DAY) == (found.this_update_utc, found.next_update_utc)
    assert question.serial == found.serial_number
    responder.verify_directly_issued_by(luxor.issuing.certificate)
    key = responder.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert isinstance(found.signature_hash_algorithm, hashes.SHA256)
    key.verify(found.signature, found.tbs_response_bytes, ec.ECDSA(hashes.SHA256()))


def test_the_responder_may_do_nothing_else(seat: Seat) -> None:
    extensions = seat.responder.extensions
    purposes = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value

    assert [ExtendedKeyUsageOID.OCSP_SIGNING] == list(purposes)
    assert x509.OCSPNoCheck() == extensions.get_extension_for_class(x509.OCSPNoCheck).value
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_revoked_tells_when_and_why(luxor: Town, seat: Seat) -> None:
    since = NOW - timedelta(hours=3)
    standing = Revoked(since, x509.ReasonFlags.key_compromise)

    found = given(read_question(asked(luxor)), standing, seat)

    assert ocsp.OCSPCertStatus.REVOKED == found.certificate_status
    assert since == found.revocation_time_utc
    assert x509.ReasonFlags.key_compromise == found.revocation_reason
    bare = given(read_question(asked(luxor)), Revoked(since), seat)
    assert bare.revocation_reason is None


def test_a_serial_that_was_never_issued_is_unknown(luxor: Town, seat: Seat) -> None:
    found = given(read_question(asked(luxor)), Unknown(), seat)

    assert ocsp.OCSPCertStatus.UNKNOWN == found.certificate_status


@pytest.mark.parametrize("size", [1, 16, 32, 128])
def test_a_nonce_comes_back(luxor: Town, seat: Seat, size: int) -> None:
    nonce = bytes(range(size))

    found = given(read_question(asked(luxor, nonce=nonce)), Good(), seat)

    assert nonce == found.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce


@pytest.mark.parametrize("size", [0, 129, 1000])
def test_a_nonce_that_is_none_is_malformed(luxor: Town, size: int) -> None:
    with pytest.raises(Refusal) as caught:
        read_question(asked(luxor, nonce=bytes(size)))

    assert Unanswered.MALFORMED is caught.value.unanswered


def test_two_questions_in_one_are_malformed(luxor: Town) -> None:
    request = asn1_ocsp.OCSPRequest.load(asked(luxor))
    listed = request["tbs_request"]["request_list"]
    listed.append(listed[0].copy())

    with pytest.raises(Refusal) as caught:
        read_question(request.dump(force=True))

    assert Unanswered.MALFORMED is caught.value.unanswered


def test_garbage_is_refused_and_nothing_else_is_raised(luxor: Town) -> None:
    content = asked(luxor, nonce=bytes(32))
    generator = random.Random(11)
    refusals = []
    for _ in range(2000):
        damaged = bytearray(content)
        for _ in range(generator.randint(1, 6)):
            damaged[generator.randrange(len(damaged))] = generator.randrange(256)
        del damaged[generator.randint(len(damaged) // 2, 2 * len(damaged)) :]
        try:
            read_question(bytes(damaged))
        except Refusal as refusal:
            refusals.append(refusal.unanswered)
    assert len(refusals) > 500
    assert {Unanswered.MALFORMED} == set(refusals)


@pytest.mark.parametrize("content", [b"", b"\x30\x00", b"x" * 5000])
def test_what_is_no_question_is_malformed(content: bytes) -> None:
    with pytest.raises(Refusal) as caught:
        read_question(content)

    assert Unanswered.MALFORMED is caught.value.unanswered


@pytest.mark.parametrize("unanswered", list(Unanswered))
def test_no_answer_says_why(unanswered: Unanswered) -> None:
    found = ocsp.load_der_ocsp_response(refuse(unanswered))

    assert unanswered.value == found.response_status
