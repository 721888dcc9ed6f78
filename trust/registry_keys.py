"""The keys of a party in a registry text: bare public keys, or those in signing certificates.

A certificate is a way to write a key down. That the registry names it makes the key count, so
neither its issuer nor a revocation list is asked.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from msgspec import Meta

from trust.certificates import check_signing, load_certificates
from trust.errors import TrustError
from trust.keys import signing_key
from trust.members import Instant, SigningKey
from trust.sources import Read, read_pem
from trust.tables import Report, read_table


class _KeyRow(msgspec.Struct, kw_only=True):
    public_key: str | None = None
    certificate: str | None = None
    kid: Annotated[str, Meta(max_length=100)] = ""
    algorithm: str = ""
    not_before: Instant | None = None
    not_after: Instant | None = None
    succeeds: Annotated[str, Meta(max_length=100)] = ""


def read_key(
    raw: dict[str, Any], path: str, party: object, read: Read, report: Report
) -> SigningKey | None:
    """A ``[[party.key]]`` of the party with that id; ``None`` after its mistakes were reported.

    The key of a certificate counts while the certificate is valid, unless the row says other
    times.
    """
    row = read_table(raw, _KeyRow, path, report)
    if row is None:
        return None
    if row.certificate is None:
        if row.public_key is None:
            report(f"{path}.public_key", "missing; write public_key or certificate")
            return None
        return _bare(row, row.public_key, f"{path}.public_key", read, report)
    if row.public_key is not None:
        report(f"{path}.certificate", "there is a public_key already; write one of the two")
        return None
    return _certified(row, row.certificate, f"{path}.certificate", party, read, report)


def _bare(row: _KeyRow, source: str, path: str, read: Read, report: Report) -> SigningKey | None:
    pem = read_pem(source, path, read, report)
    if pem is None:
        return None
    try:
        return _key(row, pem, None)
    except TrustError as error:
        report(path, error.detail)
        return None


def _certified(
    row: _KeyRow, source: str, path: str, party: object, read: Read, report: Report
) -> SigningKey | None:
    """The key of the first certificate; the issuers' may stand behind it."""
    pem = read_pem(source, path, read, report)
    if pem is None:
        return None
    try:
        certificate = load_certificates(pem)[0]
        named = check_signing(certificate)
        if named is not None and named != party:
            report(path, f"this certificate is that of {named!r}")
            return None
        return _key(row, _public_pem(certificate), certificate)
    except TrustError as error:
        report(path, error.detail)
        return None


def _key(row: _KeyRow, pem: bytes, certificate: x509.Certificate | None) -> SigningKey:
    start, end = row.not_before, row.not_after
    if certificate is not None:
        start = start or certificate.not_valid_before_utc
        end = end or certificate.not_valid_after_utc
    key = signing_key(pem, kid=row.kid, algorithm=row.algorithm, not_before=start, not_after=end)
    return msgspec.structs.replace(key, succeeds=row.succeeds)


def _public_pem(certificate: x509.Certificate) -> bytes:
    try:
        key = certificate.public_key()
    except Exception as error:  # a key of a kind or curve that the parser does not know
        raise TrustError("certificate.profile", "its key cannot be read") from error
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
