"""Revocation by lists (RFC 5280, 5 and 6.3): one complete CRL for each CA that issues.

It fails hard: without a list that its CA signed and that is in force now, nothing that the CA
issued counts. Building the value never raises, so that one partner's broken file does not stop
the others; ``problems`` says what could not be used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

import msgspec
from cryptography import x509

from trust.certificates import is_authority, load_certificates
from trust.chain import Link, issuer_id
from trust.errors import TrustError
from trust.members import Authority
from trust.mistakes import Mistake

MAX_CRL_BYTES = 16 * 1024 * 1024

_PEM = b"-----BEGIN X509 CRL-----"
_END = b"-----END X509 CRL-----"
_KNOWN_CRITICAL = frozenset({x509.AuthorityKeyIdentifier.oid, x509.CRLNumber.oid})
_ENTRY_KNOWN_CRITICAL = frozenset({x509.CRLReason.oid, x509.InvalidityDate.oid})


class RevocationList(msgspec.Struct, frozen=True):
    """What one CA says: the serials that no longer count, and from when to when it says so."""

    revoked: frozenset[int]
    this_update: datetime
    next_update: datetime


class Revocations:
    """Every usable list by the CA that signed it. Files that change make a new value."""

    __slots__ = ("_lists", "problems")

    def __init__(
        self, lists: Mapping[str, RevocationList], problems: Iterable[Mistake] = ()
    ) -> None:
        self._lists: Final = MappingProxyType(dict(lists))
        self.problems: Final = tuple(problems)

    @classmethod
    def from_files(
        cls, authorities: Iterable[Authority], files: Mapping[str, bytes]
    ) -> Revocations:
        """The lists in ``files`` (PEM or DER, by name) that one of the authorities' CAs signed.

        Of several lists of one CA the latest counts. Files for no CA are problems, not errors.
        """
        issuers = [
            certificate
            for authority in authorities
            for pem in authority.certificates
            for certificate in load_certificates(pem.encode())
        ]
        lists: dict[str, RevocationList] = {}
        problems: list[Mistake] = []
        for name, content in files.items():
            try:
                for crl in _read(content):
                    issuer, found = _accept(crl, issuers)
                    known = lists.get(issuer)
                    if known is None or known.this_update < found.this_update:
                        lists[issuer] = found
            except _Unusable as error:
                problems.append(Mistake(name, str(error)))
        return cls(lists, problems)

    def judge(self, links: Iterable[Link], *, now: datetime) -> None:
        """Raise ``certificate.revoked`` or ``revocation.unavailable`` for a path's links."""
        for link in links:
            found = self._lists.get(link.issuer)
            if found is None:
                raise TrustError("revocation.unavailable", "an issuer has no revocation list")
            if link.serial in found.revoked:
                raise TrustError("certificate.revoked")
            if not found.this_update <= now < found.next_update:
                raise TrustError("revocation.unavailable", "a revocation list is not in force")

    def next_update(self) -> datetime | None:
        """When the first of the lists runs out, for whoever watches; ``None`` without lists."""
        return min((found.next_update for found in self._lists.values()), default=None)


class _Unusable(ValueError):
    """Why a file does not count."""


def _read(content: bytes) -> list[x509.CertificateRevocationList]:
    if len(content) > MAX_CRL_BYTES:
        raise _Unusable("the list is too large")
    try:
        if _PEM not in content:
            return [x509.load_der_x509_crl(content)]
        blocks = content.split(_PEM)[1:]
        return [x509.load_pem_x509_crl(_PEM + block.split(_END)[0] + _END) for block in blocks]
    except Exception as error:  # whatever a parser raises on foreign bytes means no
        raise _Unusable("not a revocation list") from error


def _accept(
    crl: x509.CertificateRevocationList, issuers: Iterable[x509.Certificate]
) -> tuple[str, RevocationList]:
    """The list and its CA, if the CA signed it and it is one that this profile understands."""
    try:
        issuer = next((c for c in issuers if _signed_by(crl, c)), None)
        if issuer is None:
            raise _Unusable("no registered authority signed it")
        next_update = crl.next_update_utc
        if next_update is None:  # RFC 5280, 5.1.2.5
            raise _Unusable("it does not say when the next one comes")
        # A delta or indirect list, or one for part of the certificates, says so in a critical
        # extension (RFC 5280, 5.2): what is not understood must not be used.
        if any(e.critical and e.oid not in _KNOWN_CRITICAL for e in crl.extensions):
            raise _Unusable("it has a critical extension that is not understood")
        revoked = frozenset(_serial(entry) for entry in crl)
        found = RevocationList(revoked, crl.last_update_utc, next_update)
        return issuer_id(issuer), found
    except _Unusable:
        raise
    except Exception as error:  # hostile lists raise many things, and each means no
        raise _Unusable("it cannot be read") from error


def _serial(entry: x509.RevokedCertificate) -> int:
    """The serial; a hold counts as revoked (RFC 5280, 5.3)."""
    if any(e.critical and e.oid not in _ENTRY_KNOWN_CRITICAL for e in entry.extensions):
        raise _Unusable("an entry has a critical extension that is not understood")
    return entry.serial_number


def _signed_by(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    if crl.issuer != issuer.subject or not is_authority(issuer) or not _may_sign(issuer):
        return False
    key = issuer.public_key()
    return crl.is_signature_valid(key)  # type: ignore[arg-type] # other keys raise, and mean no


def _may_sign(issuer: x509.Certificate) -> bool:
    """RFC 5280, 4.2.1.3: cRLSign, if the certificate restricts the use of its key."""
    try:
        return issuer.extensions.get_extension_for_class(x509.KeyUsage).value.crl_sign
    except x509.ExtensionNotFound:
        return True
