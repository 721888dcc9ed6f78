"""What a directory of certificates and lists holds, for people who look after it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import msgspec
from cryptography import x509

from trust.certificates import fingerprint_of, is_authority, load_certificates, party_of
from trust.chain import Link, issuer_id
from trust.errors import TrustError


class Holding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One certificate or revocation list, and how it stands."""

    path: str
    kind: Literal["authority", "certificate", "crl"]
    subject: str
    issuer: str
    not_before: datetime
    not_after: datetime
    party: str = ""
    serial: str = ""
    fingerprint: str = ""
    revoked: bool = False
    entries: int = 0

    def standing(self, now: datetime) -> Literal["good", "revoked", "expired", "not yet valid"]:
        """How it stands now."""
        if self.revoked:
            return "revoked"
        if now > self.not_after:
            return "expired"
        return "good" if now >= self.not_before else "not yet valid"


def inventory(files: Mapping[str, bytes]) -> tuple[Holding, ...]:
    """The first certificate of each ``.pem`` file and each ``.crl``; others are passed over.

    A certificate that several files begin with is listed once, under the last of them. One counts
    as revoked when a list among the files, signed by a CA among the files, says so.
    """
    found = {path: _first(path, pem) for path, pem in sorted(files.items())}
    paths = {certificate: path for path, certificate in found.items() if certificate}
    certificates = {path: certificate for certificate, path in paths.items()}
    read = {path: _list(path, content) for path, content in files.items()}
    lists = {path: crl for path, crl in read.items() if crl is not None}
    revoked = {
        Link(issuer_id(issuer), entry.serial_number)
        for crl in lists.values()
        for issuer in certificates.values()
        if issuer.subject == crl.issuer and _signed(crl, issuer)
        for entry in crl
    }
    issuers = {c.subject.public_bytes(): issuer_id(c) for c in certificates.values()}
    holdings = [_certificate(path, c, issuers, revoked) for path, c in certificates.items()]
    holdings += [_crl(path, crl) for path, crl in lists.items()]
    return tuple(sorted(holdings, key=lambda holding: holding.path))


def _certificate(
    path: str, certificate: x509.Certificate, issuers: Mapping[bytes, str], revoked: set[Link]
) -> Holding:
    try:
        party = party_of(certificate) or ""
    except TrustError:
        party = ""
    issuer = issuers.get(certificate.issuer.public_bytes(), "")
    return Holding(
        path=path,
        kind="authority" if is_authority(certificate) else "certificate",
        subject=certificate.subject.rfc4514_string(),
        issuer=certificate.issuer.rfc4514_string(),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        party=party,
        serial=f"{certificate.serial_number:x}",
        fingerprint=fingerprint_of(certificate),
        revoked=Link(issuer, certificate.serial_number) in revoked,
    )


def _crl(path: str, crl: x509.CertificateRevocationList) -> Holding:
    return Holding(
        path=path,
        kind="crl",
        subject=crl.issuer.rfc4514_string(),
        issuer=crl.issuer.rfc4514_string(),
        not_before=crl.last_update_utc,
        not_after=crl.next_update_utc or crl.last_update_utc,
        entries=len(crl),
    )


def _first(path: str, pem: bytes) -> x509.Certificate | None:
    if not path.endswith(".pem"):
        return None
    try:
        return load_certificates(pem)[0]
    except TrustError:
        return None


def _list(path: str, content: bytes) -> x509.CertificateRevocationList | None:
    if not path.endswith(".crl"):
        return None
    try:
        return x509.load_pem_x509_crl(content)
    except ValueError:
        return None


def _signed(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    try:
        return crl.is_signature_valid(issuer.public_key())  # type: ignore[arg-type] # others raise
    except TypeError:
        return False
