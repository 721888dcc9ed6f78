"""Revocation lists: reading them, whose they are, and which of them speak about a certificate.

Complete lists, delta lists, lists for a part (by kind, by reason or by distribution point) and
indirect lists are read (RFC 5280, 5); what they say is judged in ``trust.pkix``. A list counts when
a registered certificate that may sign lists has signed it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final, TypeVar

from asn1crypto import crl as asn1_crl  # type: ignore[import-untyped] # it has no types
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import SignatureAlgorithmOID
from pyhanko_certvalidator.revinfo.archival import CRLContainer

from trust.certificates import signs_lists
from trust.chain import issuer_id
from trust.pkix import SKEW, STRICT, Strictness

MAX_CRL_BYTES = 16 * 1024 * 1024

_PEM = b"-----BEGIN X509 CRL-----"
_END = b"-----END X509 CRL-----"
_KNOWN_CRITICAL = frozenset(
    {
        x509.AuthorityKeyIdentifier.oid,
        x509.CRLNumber.oid,
        x509.DeltaCRLIndicator.oid,
        x509.IssuingDistributionPoint.oid,
    }
)
_ENTRY_KNOWN_CRITICAL = frozenset(
    {x509.CRLReason.oid, x509.InvalidityDate.oid, x509.CertificateIssuer.oid}
)


E_ = TypeVar("E_", bound=x509.ExtensionType)


class Unusable(ValueError):
    """Why a file does not count."""


class RevocationList:
    """One list that a registered certificate has signed. Equal to none but itself."""

    __slots__ = (
        "_unlisted",
        "_whole",
        "base",
        "indirect",
        "issuer",
        "key",
        "next_update",
        "number",
        "scope",
        "serials",
        "signed_by",
        "signer",
        "this_update",
    )

    def __init__(self, crl: x509.CertificateRevocationList, signer: x509.Certificate) -> None:
        """Raises ``Unusable`` for what this profile does not understand."""
        next_update = crl.next_update_utc
        if next_update is None:  # RFC 5280, 5.1.2.5
            raise Unusable("it does not say when the next one comes")
        if any(e.critical and e.oid not in _KNOWN_CRITICAL for e in crl.extensions):
            raise Unusable("it has a critical extension that is not understood")
        if any(e.critical and e.oid == x509.CRLNumber.oid for e in crl.extensions):
            raise Unusable("its number is critical")  # RFC 5280, 5.2.3
        content = crl.public_bytes(Encoding.DER)
        self._whole: Final = CRLContainer(asn1_crl.CertificateList.load(content))
        self._unlisted: Final = CRLContainer(_Unlisted.load(content))
        self.issuer: Final[str] = self._whole.crl_data.issuer.hashable
        self.signer: Final = signer
        self.signed_by: Final = signer.fingerprint(hashes.SHA256())
        self.this_update: Final = crl.last_update_utc
        self.next_update: Final = next_update
        self.number: Final = _number(crl, x509.CRLNumber)
        self.base: Final = _number(crl, x509.DeltaCRLIndicator)
        """The number of the complete list that a delta list goes on from."""
        point = _extension(crl, x509.IssuingDistributionPoint)
        self.scope: Final = b"" if point is None else point.public_bytes()
        self.indirect: Final = point is not None and point.indirect_crl
        self.key: Final = (self.issuer, issuer_id(signer), self.scope, self.base is not None)
        self.serials: Final = frozenset(_serial(entry, indirect=self.indirect) for entry in crl)
        if self.number is None:  # RFC 5280, 5.2.3
            raise Unusable("it has no number")

    def replaces(self, other: RevocationList) -> bool:
        """Whether both are lists of one CA for one scope, so that the later one counts."""
        return self.key == other.key

    def about(self, serials: Iterable[int]) -> CRLContainer:
        """The list for stage two, which may be asked about certificates of these serials alone.

        Stage two reads every entry, slowly. Where no entry can concern anyone that it may ask
        about, it is spared them; the signature is still over all.
        """
        return self._unlisted if self.serials.isdisjoint(serials) else self._whole


class _UnlistedEntries(asn1_crl.TbsCertList):  # type: ignore[misc] # asn1crypto has no types
    """The signed part of a list, as read by somebody of whom no entry speaks."""

    def __getitem__(self, key: str) -> object:
        return () if key == "revoked_certificates" else super().__getitem__(key)


class _Unlisted(asn1_crl.CertificateList):  # type: ignore[misc] # asn1crypto has no types
    _fields = [("tbs_cert_list", _UnlistedEntries), *asn1_crl.CertificateList._fields[1:]]  # noqa: RUF012 - so it is declared there


def read_lists(
    content: bytes, signers: Sequence[x509.Certificate], *, strictness: Strictness = STRICT
) -> Iterator[RevocationList]:
    """The lists of one file, PEM or DER, by any of the signers; raises ``Unusable``."""
    for crl in read_crls(content):
        try:
            signer = next((c for c in signers if _signed_by(crl, c, strictness)), None)
        except Exception as error:  # hostile lists raise many things, and each means no
            raise Unusable("it cannot be read") from error
        if signer is None:
            raise Unusable("no registered authority signed it")
        yield read_list(crl, signer)


def read_list(crl: x509.CertificateRevocationList, signer: x509.Certificate) -> RevocationList:
    """One list that ``signer`` is known to have signed; raises ``Unusable``."""
    try:
        return RevocationList(crl, signer)
    except Unusable:
        raise
    except Exception as error:  # hostile lists raise many things, and each means no
        raise Unusable("it cannot be read") from error


def latest(lists: Iterable[RevocationList], *, now: datetime) -> tuple[RevocationList, ...]:
    """Of several lists of one CA for one scope the latest that has begun.

    What is older says nothing any more, also when the latest has run out.
    """
    found: dict[object, RevocationList] = {}
    for each in lists:
        if now < each.this_update - SKEW:
            continue
        known = found.get(each.key)
        if known is None or _age(known) < _age(each):
            found[each.key] = each
    return tuple(found.values())


def speaking_of(
    chain: Sequence[asn1.Certificate], at: int, lists: Iterable[RevocationList], *, now: datetime
) -> tuple[RevocationList, ...]:
    """The lists in force by which certificate ``at`` of a chain is to be judged (RFC 5280, 6.3.3).

    Those of its issuer, and indirect ones that it names itself. When somebody signed one of those
    who does not stand above it, those about that signer and about everybody above come with them.
    Nothing else does: stage two would let the list of a sister CA speak. A delta list counts with
    a complete list that it goes on from.
    """
    certificate, above = chain[at], chain[at + 1 :]
    held = [each for each in latest(lists, now=now) if now < each.next_update]
    named = _named_issuers(certificate)
    own = certificate.issuer.hashable
    chosen = [
        each for each in held if each.issuer == own or (each.indirect and each.issuer in named)
    ]
    path = {each.sha256 for each in above}
    strangers = [each.signer for each in chosen if each.signed_by not in path]
    if strangers:
        about = {_canonical(each.issuer) for each in strangers}
        about.update(each.issuer.hashable for each in above)
        chosen += [
            each
            for each in held
            if each not in chosen and each.issuer in about and _canonical(each.signer.issuer) != own
        ]
    return tuple(each for each in chosen if each.base is None or _goes_on(each, chosen))


def _goes_on(delta: RevocationList, lists: Iterable[RevocationList]) -> bool:
    """RFC 5280, 5.2.4: not before the delta's base, and not after the delta."""
    return any(
        each.base is None
        and each.number is not None
        and delta.base is not None
        and delta.number is not None
        and delta.base <= each.number <= delta.number
        and (each.issuer, each.scope) == (delta.issuer, delta.scope)
        for each in lists
    )


def _age(found: RevocationList) -> tuple[datetime, int]:
    return found.this_update, found.number or 0


def _named_issuers(certificate: asn1.Certificate) -> set[str]:
    """The issuers of indirect lists that the certificate names (RFC 5280, 4.2.1.13)."""
    return {
        name.chosen.hashable
        for point in certificate.crl_distribution_points_value or ()
        for name in point["crl_issuer"] or ()
        if name.name == "directory_name"
    }


def read_crls(content: bytes) -> list[x509.CertificateRevocationList]:
    """Every list of a PEM or DER file, by whomever; raises ``Unusable``."""
    if len(content) > MAX_CRL_BYTES:
        raise Unusable("the list is too large")
    try:
        if _PEM not in content:
            return [x509.load_der_x509_crl(content)]
        blocks = content.split(_PEM)[1:]
        return [x509.load_pem_x509_crl(_PEM + block.split(_END)[0] + _END) for block in blocks]
    except Exception as error:  # whatever a parser raises on foreign bytes means no
        raise Unusable("not a revocation list") from error


def _signed_by(
    crl: x509.CertificateRevocationList, signer: x509.Certificate, strictness: Strictness
) -> bool:
    if _canonical(crl.issuer) != _canonical(signer.subject) or not signs_lists(signer):
        return False
    if not allowed(crl.signature_hash_algorithm, crl.signature_algorithm_oid, strictness):
        return False
    try:
        key = signer.public_key()
        return crl.is_signature_valid(key)  # type: ignore[arg-type] # other keys raise, and mean no
    except Exception:
        return False


def allowed(digest: object, algorithm: x509.ObjectIdentifier, strictness: Strictness) -> bool:
    """Whether evidence may be signed so; ``digest`` is what ``cryptography`` names for it."""
    if digest is None:
        return algorithm == SignatureAlgorithmOID.ED25519
    return getattr(digest, "name", "") in strictness.hashes


def _canonical(name: x509.Name) -> str:
    """A name to compare by the rules of RFC 5280, 7.1."""
    hashable: str = asn1.Name.load(name.public_bytes()).hashable
    return hashable


def _number(
    crl: x509.CertificateRevocationList, kind: type[x509.CRLNumber | x509.DeltaCRLIndicator]
) -> int | None:
    found = _extension(crl, kind)
    return None if found is None else found.crl_number


def _extension(crl: x509.CertificateRevocationList, kind: type[E_]) -> E_ | None:
    try:
        return crl.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _serial(entry: x509.RevokedCertificate, *, indirect: bool) -> int:
    """The serial; a hold counts as revoked (RFC 5280, 5.3)."""
    for extension in entry.extensions:
        if extension.critical and extension.oid not in _ENTRY_KNOWN_CRITICAL:
            raise Unusable("an entry has a critical extension that is not understood")
        if extension.oid == x509.CertificateIssuer.oid and not indirect:
            raise Unusable("an entry is for another issuer, and the list is not indirect")
    return entry.serial_number
