"""Answers to OCSP questions (RFC 6960) as values: bytes in, bytes out.

The profile is that of RFC 5019: one certificate per request. A nonce is given back as it came
(RFC 9654). Answers are signed by a delegated responder, whose certificate travels along; which
serials are good is said by the caller.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from enum import Enum

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import ocsp

from trust.authority import TlsKey

MAX_QUESTION_BYTES = 4_096
NONCE_BYTES = range(1, 129)
"""RFC 9654, 2.1: a nonce has 1 to 128 octets; any other is malformed."""

_HASHES: dict[str, type[hashes.SHA1 | hashes.SHA256 | hashes.SHA384 | hashes.SHA512]] = {
    "sha1": hashes.SHA1,  # of names and keys, in identifiers (RFC 5019, 2.1.1); never to sign
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}


class Unanswered(Enum):
    """Why there is no signed answer (RFC 6960, 2.3)."""

    MALFORMED = ocsp.OCSPResponseStatus.MALFORMED_REQUEST
    INTERNAL = ocsp.OCSPResponseStatus.INTERNAL_ERROR
    LATER = ocsp.OCSPResponseStatus.TRY_LATER
    UNAUTHORIZED = ocsp.OCSPResponseStatus.UNAUTHORIZED


class Refusal(Exception):
    """The question gets ``unanswered`` instead of an answer."""

    def __init__(self, unanswered: Unanswered) -> None:
        super().__init__(unanswered.name)
        self.unanswered = unanswered


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """One certificate, named by its issuer's hashes and its serial."""

    hash_name: str
    issuer_name_hash: bytes
    issuer_key_hash: bytes
    serial: int
    nonce: bytes | None = None


class Good(msgspec.Struct, frozen=True):
    """The issuer issued it and has not revoked it."""


class Revoked(msgspec.Struct, frozen=True):
    """Since when, and why."""

    at: datetime
    reason: x509.ReasonFlags = x509.ReasonFlags.unspecified


class Unknown(msgspec.Struct, frozen=True):
    """The issuer never issued such a serial (RFC 6960, 2.2)."""


Standing = Good | Revoked | Unknown


class Seat(msgspec.Struct, frozen=True, kw_only=True):
    """One issuer for which answers are given, and who signs them for it."""

    issuer: x509.Certificate
    responder: x509.Certificate
    key: TlsKey

    def is_asked(self, question: Question) -> bool:
        """Whether the question is about a certificate of this issuer."""
        name, key = issuer_hashes(self.issuer, question.hash_name)
        return name == question.issuer_name_hash and key == question.issuer_key_hash


def issuer_hashes(issuer: x509.Certificate, hash_name: str) -> tuple[bytes, bytes]:
    """The hashes of the issuer's name and key that a ``CertID`` has (RFC 6960, 4.1.1)."""
    return (
        hashlib.new(hash_name, issuer.subject.public_bytes()).digest(),
        hashlib.new(hash_name, _key_bits(issuer)).digest(),
    )


def read_question(der: bytes) -> Question:
    """What is asked; raises ``Refusal`` for anything but one well-formed question.

    A signature of the requester is not looked at: everybody may ask (RFC 5019, 2.1.1).
    """
    if len(der) > MAX_QUESTION_BYTES:
        raise Refusal(Unanswered.MALFORMED)
    try:
        request = ocsp.load_der_ocsp_request(der)
        hash_name = request.hash_algorithm.name
        nonce = _nonce(request.extensions)
        question = Question(
            hash_name=hash_name,
            issuer_name_hash=request.issuer_name_hash,
            issuer_key_hash=request.issuer_key_hash,
            serial=request.serial_number,
            nonce=nonce,
        )
    except Exception as error:  # whatever a parser raises on hostile bytes means no
        raise Refusal(Unanswered.MALFORMED) from error
    if hash_name not in _HASHES or (nonce is not None and len(nonce) not in NONCE_BYTES):
        raise Refusal(Unanswered.MALFORMED)
    # RFC 5280, 4.1.2.2: a serial number is positive; nothing has one below it.
    if question.serial < 0 or len(question.issuer_name_hash) != len(question.issuer_key_hash):
        raise Refusal(Unanswered.MALFORMED)
    return question


def find_seat(question: Question, seats: Iterable[Seat]) -> Seat:
    """The seat that may answer; raises ``Refusal`` with unauthorized (RFC 5019, 2.2.3)."""
    for seat in seats:
        if seat.is_asked(question):
            return seat
    raise Refusal(Unanswered.UNAUTHORIZED)


def answer(
    question: Question, standing: Standing, *, seat: Seat, this_update: datetime, until: datetime
) -> bytes:
    """The signed answer, which counts from ``this_update`` to ``until``."""
    status, at, reason = _told(standing)
    builder = ocsp.OCSPResponseBuilder().add_response_by_hash(
        issuer_name_hash=question.issuer_name_hash,
        issuer_key_hash=question.issuer_key_hash,
        serial_number=question.serial,
        algorithm=_HASHES[question.hash_name](),
        cert_status=status,
        this_update=this_update,
        next_update=until,
        revocation_time=at,
        revocation_reason=reason,
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, seat.responder)
    if seat.responder != seat.issuer:
        builder = builder.certificates([seat.responder])
    if question.nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(question.nonce), critical=False)
    return builder.sign(seat.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def refuse(unanswered: Unanswered) -> bytes:
    """The unsigned answer that there is none."""
    response = ocsp.OCSPResponseBuilder.build_unsuccessful(unanswered.value)
    return response.public_bytes(serialization.Encoding.DER)


def _told(
    standing: Standing,
) -> tuple[ocsp.OCSPCertStatus, datetime | None, x509.ReasonFlags | None]:
    match standing:
        case Good():
            return ocsp.OCSPCertStatus.GOOD, None, None
        case Revoked(at, reason):
            told = None if reason is x509.ReasonFlags.unspecified else reason
            return ocsp.OCSPCertStatus.REVOKED, at, told
        case Unknown():
            return ocsp.OCSPCertStatus.UNKNOWN, None, None


def _nonce(extensions: x509.Extensions) -> bytes | None:
    """The nonce. Other extensions ask for what this profile does not give; critical ones refuse."""
    nonce = None
    for extension in extensions:
        if isinstance(extension.value, x509.OCSPNonce):
            nonce = extension.value.nonce
        elif extension.critical:
            raise Refusal(Unanswered.MALFORMED)
    return nonce


def _key_bits(issuer: x509.Certificate) -> bytes:
    """The bit string of the public key, without tag, length and unused bits."""
    key = issuer.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
    assert isinstance(key, rsa.RSAPublicKey)  # a CA's key is one of the two
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
