"""Answers of responders for tests: right ones, and ones that are wrong in one thing each."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.trust.town import DAY, NOW, Town
from trust.authority import Issuer, TlsKey, generate_tls_key

GOOD, REVOKED, UNKNOWN = (
    ocsp.OCSPCertStatus.GOOD,
    ocsp.OCSPCertStatus.REVOKED,
    ocsp.OCSPCertStatus.UNKNOWN,
)
OCSP_SIGNING = (ExtendedKeyUsageOID.OCSP_SIGNING,)
MINUTE = timedelta(minutes=1)
KEY = generate_tls_key("P-256")
"""Of every responder here: making keys anew would only cost time."""


class Responder(msgspec.Struct, frozen=True):
    """Who signs answers; the certificate travels along when it is not the issuer's own."""

    certificate: x509.Certificate
    key: TlsKey


def delegate(
    issuer: Issuer,
    *,
    purposes: Iterable[x509.ObjectIdentifier] = OCSP_SIGNING,
    nocheck: bool = True,
    not_before: datetime = NOW - DAY,
    not_after: datetime = NOW + DAY,
) -> Responder:
    """A responder to which ``issuer`` gave a certificate."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a responder")]))
        .issuer_name(issuer.certificate.subject)
        .public_key(KEY.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()),
            critical=False,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(KEY.public_key()), critical=False)
    )
    if wanted := list(purposes):
        builder = builder.add_extension(x509.ExtendedKeyUsage(wanted), critical=False)
    if nocheck:
        builder = builder.add_extension(x509.OCSPNoCheck(), critical=False)
    return Responder(builder.sign(issuer.key, hashes.SHA256()), KEY)


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer says of one certificate, and from when to when."""

    certificate: x509.Certificate
    issuer: x509.Certificate
    status: ocsp.OCSPCertStatus = GOOD
    this_update: datetime = NOW - MINUTE
    next_update: datetime | None = NOW + 10 * MINUTE
    names_hash: hashes.SHA1 | hashes.SHA256 = hashes.SHA1()  # noqa: S303 - no signature


def answer(
    told: Told,
    *,
    by: Responder,
    nonce: bytes | None = None,
    attached: Iterable[x509.Certificate] | None = None,
    responder: x509.Certificate | None = None,
) -> bytes:
    """The DER response; ``responder`` is whom it names, if it is not who signed."""
    revoked = told.status is REVOKED
    builder = (
        ocsp.OCSPResponseBuilder()
        .add_response(
            told.certificate,
            told.issuer,
            told.names_hash,
            told.status,
            told.this_update,
            told.next_update,
            NOW - DAY if revoked else None,
            x509.ReasonFlags.key_compromise if revoked else None,
        )
        .responder_id(ocsp.OCSPResponderEncoding.HASH, responder or by.certificate)
    )
    held = [by.certificate] if attached is None else list(attached)
    if held:
        builder = builder.certificates(held)
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.sign(by.key, hashes.SHA256()).public_bytes(Encoding.DER)


def own(issuer: Issuer) -> Responder:
    """The issuer, answering itself."""
    return Responder(issuer.certificate, issuer.key)


def about(town: Town, certificate: x509.Certificate) -> Told:
    """That a certificate of the town's issuing CA is good."""
    return Told(certificate=certificate, issuer=town.issuing.certificate)
