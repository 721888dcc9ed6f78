"""Whose signing key it is, long afterwards and without a network: certificate, path, lists.

The path is judged at the time of the statement and not at the time of reading. Revocation is
judged by lists that are later than the statement: what was revoked afterwards counted then, unless
the key was compromised, when nobody can say since when.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from trust.case import parsed
from trust.certificates import check_signing, is_authority
from trust.errors import TrustError
from trust.identity import PartyId
from trust.lists import RevocationList, Unusable, read_crls, read_lists
from trust.pkix import Examination

MAX_PATH = 5
MAX_CERTIFICATES = 32
_COMPROMISED = frozenset(
    {
        x509.ReasonFlags.key_compromise,
        x509.ReasonFlags.ca_compromise,
        x509.ReasonFlags.aa_compromise,
    }
)


class SigningPath(msgspec.Struct, frozen=True):
    """A proven path: ``chain`` from the signing certificate to the authority that one trusts."""

    party: PartyId
    chain: tuple[x509.Certificate, ...]


def prove_signer(
    presented: Sequence[x509.Certificate],
    authorities: Sequence[x509.Certificate],
    *,
    at: datetime,
) -> SigningPath:
    """The party whose signing certificate is the first that is presented, as of ``at``.

    ``authorities`` are those that one trusts: the self-signed ones among them, or, when none is,
    all. The other presented certificates may only help to reach them. Raises ``certificate.*``.
    """
    if not presented:
        raise TrustError("certificate.untrusted", "there is no certificate")
    if len(presented) + len(authorities) > MAX_CERTIFICATES:
        raise TrustError("certificate.profile", f"more than {MAX_CERTIFICATES} certificates")
    leaf = presented[0]
    party = check_signing(leaf)
    if party is None:
        raise TrustError("certificate.profile", "no URI in it names a party")
    roots = [c for c in authorities if c.issuer == c.subject] or list(authorities)
    chain = _walk((leaf,), roots, [*authorities, *presented[1:]])
    if chain is None:
        raise TrustError("certificate.untrusted", "it does not lead to an authority of yours")
    _judge_times(chain, at)
    Examination([parsed(certificate) for certificate in chain], now=at).check_path()
    return SigningPath(party, chain)


def judge_revocation(path: SigningPath, files: Mapping[str, bytes], *, at: datetime) -> None:
    """Return if lists show that all of the path counted at ``at``.

    ``files`` (PEM or DER, by name) must have, for each CA of the path, a complete list that it
    signed after ``at``, while the certificate that it is about was valid. Raises
    ``certificate.revoked`` or ``revocation.unavailable``.
    """
    lists = [found for name, content in files.items() for found in _read(name, content, path)]
    for certificate, issuer in pairwise(path.chain):
        own = [(crl, told) for crl, told in lists if told.signer == issuer]
        if not own:
            raise TrustError("revocation.unavailable", f"no list is of {_name(issuer)}")
        for crl, _ in own:
            entry = crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
            if entry is not None:
                _judge_entry(entry, at)
        _judge_cover([told.this_update for _, told in own], certificate, at)


def _walk(
    chain: tuple[x509.Certificate, ...],
    roots: Sequence[x509.Certificate],
    others: Sequence[x509.Certificate],
) -> tuple[x509.Certificate, ...] | None:
    """The chain on to a root; every step is proved by its signature."""
    last = chain[-1]
    if len(chain) > 1 and last in roots:
        return chain
    if len(chain) >= MAX_PATH:
        return None
    for above in dict.fromkeys([*roots, *others]):
        if above not in chain and _issued(last, above):
            found = _walk((*chain, above), roots, others)
            if found is not None:
                return found
    return None


def _issued(below: x509.Certificate, above: x509.Certificate) -> bool:
    if below.issuer != above.subject or not is_authority(above):
        return False
    try:
        below.verify_directly_issued_by(above)
    except Exception:  # hostile certificates raise many things, and each means no
        return False
    return True


def _judge_times(chain: Iterable[x509.Certificate], at: datetime) -> None:
    for certificate in chain:
        if at > certificate.not_valid_after_utc:
            end = certificate.not_valid_after_utc
            raise TrustError(
                "certificate.expired", f"{_name(certificate)} ended on {end:%Y-%m-%d %H:%M:%S} UTC"
            )
        if at < certificate.not_valid_before_utc:
            start = certificate.not_valid_before_utc
            raise TrustError(
                "certificate.not-yet-valid",
                f"{_name(certificate)} began on {start:%Y-%m-%d %H:%M:%S} UTC",
            )


def _read(
    name: str, content: bytes, path: SigningPath
) -> list[tuple[x509.CertificateRevocationList, RevocationList]]:
    """Complete lists that a CA of the path signed; another file is a mistake that is named."""
    try:
        found = []
        for crl in read_crls(content):
            told = next(read_lists(crl.public_bytes(Encoding.DER), path.chain[1:]))
            if told.base is not None or told.scope or told.indirect:
                raise Unusable("it is not a complete list of its CA")
            found.append((crl, told))
    except Unusable as error:
        raise TrustError("revocation.unavailable", f"{name}: {error}") from error
    return found


def _judge_cover(times: Sequence[datetime], certificate: x509.Certificate, at: datetime) -> None:
    """One of the lists is later than ``at``, and not so late that it may have forgotten.

    RFC 5280, 3.3: a list may leave out a certificate once it has ended.
    """
    if all(time < at for time in times):
        raise TrustError(
            "revocation.unavailable",
            f"the list is from before what was signed: {max(times):%Y-%m-%d %H:%M:%S} UTC",
        )
    if not any(at <= time <= certificate.not_valid_after_utc for time in times):
        raise TrustError(
            "revocation.unavailable",
            f"the list is from after the end of {_name(certificate)}, when it may be left out",
        )


def _judge_entry(entry: x509.RevokedCertificate, at: datetime) -> None:
    try:
        reason = _reason(entry)
        since = _since(entry)
    except Exception as error:  # the extensions of hostile lists raise many things
        raise TrustError("revocation.unavailable", "an entry cannot be read") from error
    if reason in _COMPROMISED or since <= at:
        why = "" if reason is None else f" ({reason.value})"
        raise TrustError("certificate.revoked", f"revoked as of {since:%Y-%m-%d %H:%M:%S} UTC{why}")


def _reason(entry: x509.RevokedCertificate) -> x509.ReasonFlags | None:
    try:
        return entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except x509.ExtensionNotFound:
        return None


def _since(entry: x509.RevokedCertificate) -> datetime:
    """RFC 5280, 5.3.2: when it became invalid may be earlier than when that was listed."""
    try:
        stated = entry.extensions.get_extension_for_class(x509.InvalidityDate).value
    except x509.ExtensionNotFound:
        return entry.revocation_date_utc
    return min(entry.revocation_date_utc, stated.invalidity_date_utc)


def _name(certificate: x509.Certificate) -> str:
    """Its subject, for a person who has to find it."""
    try:
        return certificate.subject.rfc4514_string()[:120]
    except Exception:
        return "a certificate"
