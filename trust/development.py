"""A complete development PKI as files: made from a profile, and renewed from what is there.

``development_network`` gives every file by its relative path. What exists and still serves is
given back unchanged, so that running it again changes nothing, and a revoked certificate stays
revoked. What is missing, foreign, about to expire or unlike the profile is made anew, together
with everything below it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization

from trust.authority import (
    KIND_ALGORITHMS,
    Issuer,
    TlsKey,
    Validity,
    generate_key,
    generate_tls_key,
    issue_crl,
    issue_intermediate,
    issue_root,
    issue_signing,
    issue_tls,
    load_tls_key,
    private_key_pem,
    subject_names,
)
from trust.certificates import check_signing, load_certificates, pem_of
from trust.development_registry import registry_file
from trust.errors import TrustError
from trust.keys import KeySigner, PrivateKey, load_private_key, public_key_pem
from trust.profile import Member, Network, Profile

Files = Mapping[str, bytes]

CLOCK_SLACK = timedelta(minutes=5)  # a certificate is good at once, though clocks differ


def development_network(
    profile: Profile, *, now: datetime, existing: Files | None = None
) -> dict[str, bytes]:
    """Every file of every network by its path below the directory, old ones where they serve.

    Files that end in ``.key`` are private.
    """
    files: dict[str, bytes] = {}
    for network in profile.networks:
        files |= _network(_Workshop(profile, network, existing or {}, now))
    for network in profile.networks:
        path = f"{network.id}/registry.toml"
        files[path] = registry_file(network, profile, (existing or {}).get(path, b""))
    return files


def revoke(
    files: Files, *, network: str, party: str, profile: Profile, now: datetime
) -> dict[str, bytes]:
    """The issuing authority's new list, with the party's TLS certificate on it, as a file.

    Raises ``KeyError`` for a file that is missing and ``TrustError`` for one that cannot be read.
    Revoking again keeps the first date.
    """
    path = f"{network}/crl/issuing.crl"
    issuer = Issuer(
        load_certificates(files[f"{network}/issuing.pem"])[0],
        load_tls_key(files[f"{network}/private/issuing.key"]),
    )
    leaf = load_certificates(files[f"{network}/parties/{party}/tls.pem"])[0]
    old = _read_crl(files[path], issuer)
    if old is None:
        raise TrustError("revocation.unavailable", f"{path} is not this authority's list")
    revoked = {leaf.serial_number: now} | _entries(old)
    return {path: _crl(issuer, revoked, after=old, days=profile.validity.crl_days, now=now)}


class _Workshop(msgspec.Struct, frozen=True):
    """What the making of one network needs to know."""

    profile: Profile
    network: Network
    existing: Files
    now: datetime

    def there(self, path: str) -> bytes:
        """A file of this network as it is, empty if it is not."""
        return self.existing.get(f"{self.network.id}/{path}", b"")

    def validity(self, days: int) -> Validity:
        """From just before now."""
        return Validity(self.now - CLOCK_SLACK, self.now + timedelta(days=days))

    def serves(self, start: datetime, end: datetime) -> bool:
        """Whether enough is left of that time."""
        left = (end - self.now) / (end - start)
        return start <= self.now and left > self.profile.validity.renew_before


def _network(shop: _Workshop) -> dict[str, bytes]:
    root, root_files = _authority(shop, "root", None)
    issuing, issuing_files = _authority(shop, "issuing", root)
    chain = f"{pem_of(issuing.certificate)}{pem_of(root.certificate)}".encode()
    files = {**root_files, **issuing_files, "chain.pem": chain}
    for member in shop.network.parties:
        files |= _tls(shop, member, issuing) | _signing(shop, member, issuing)
    return {f"{shop.network.id}/{path}": content for path, content in files.items()}


def _authority(shop: _Workshop, role: str, above: Issuer | None) -> tuple[Issuer, dict[str, bytes]]:
    """The CA, its certificate, key and list; the ones that are there if they serve."""
    issuer = _kept_authority(shop, role, above)
    if issuer is None:
        key = generate_tls_key(shop.profile.tls.key)
        validity = shop.validity(shop.profile.validity.authority_days)
        name = f"{shop.network.title} {role.capitalize()} CA"
        if above is None:
            issuer = issue_root(key, name=name, validity=validity)
        else:
            issuer = issue_intermediate(key, issuer=above, name=name, validity=validity)
    return issuer, {
        f"{role}.pem": pem_of(issuer.certificate).encode(),
        f"private/{role}.key": private_key_pem(issuer.key),
        f"crl/{role}.crl": _kept_crl(shop, role, issuer),
    }


def _kept_authority(shop: _Workshop, role: str, above: Issuer | None) -> Issuer | None:
    certificate, key = _pair(shop, f"{role}.pem", f"private/{role}.key")
    if certificate is None or key is None:
        return None
    issuer = Issuer(certificate, key)
    if not _issued(certificate, above or issuer):
        return None
    # What it issues today must not outlive it by much: it is renewed one certificate's life early.
    spare = timedelta(days=shop.profile.validity.certificate_days)
    return issuer if certificate.not_valid_after_utc - shop.now > spare else None


def _kept_crl(shop: _Workshop, role: str, issuer: Issuer) -> bytes:
    """The list that is there, or a fresh one that says the same."""
    content = shop.there(f"crl/{role}.crl")
    old = _read_crl(content, issuer)
    if old is None:
        return _crl(issuer, {}, after=None, days=shop.profile.validity.crl_days, now=shop.now)
    end = old.next_update_utc
    if end is not None and shop.serves(old.last_update_utc, end):
        return content
    revoked = _entries(old)
    return _crl(issuer, revoked, after=old, days=shop.profile.validity.crl_days, now=shop.now)


def _tls(shop: _Workshop, member: Member, issuing: Issuer) -> dict[str, bytes]:
    """Certificate with the issuing CA's behind it, so that a server sends both, and key."""
    at = f"parties/{member.id}"
    certificate, key = _pair(shop, f"{at}/tls.pem", f"{at}/tls.key")
    hosts = shop.profile.tls.hosts
    if (
        certificate is None
        or key is None
        or not _good(shop, certificate, issuing, subject_names(member.id, hosts))
    ):
        key = generate_tls_key(shop.profile.tls.key)
        certificate = issue_tls(
            key,
            issuer=issuing,
            name=member.id,
            party=member.id,
            validity=shop.validity(shop.profile.validity.certificate_days),
            hosts=hosts,
        )
    chain = f"{pem_of(certificate)}{pem_of(issuing.certificate)}"
    return {f"{at}/tls.pem": chain.encode(), f"{at}/tls.key": private_key_pem(key)}


def _signing(shop: _Workshop, member: Member, issuing: Issuer) -> dict[str, bytes]:
    """The key, kept while it can be read and is of the right kind, bare and in a certificate."""
    at = f"parties/{member.id}"
    wanted = KIND_ALGORITHMS[member.signing]
    try:
        key = load_private_key(shop.there(f"{at}/signing.key"))
        fits = KeySigner(key).alg == wanted
    except TrustError:
        fits = False
    if not fits:
        key = generate_key(member.signing)
    certificate = _signing_certificate(shop, member, issuing, key)
    chain = f"{pem_of(certificate)}{pem_of(issuing.certificate)}"  # what it leads to goes with it
    return {
        f"{at}/signing.key": private_key_pem(key),
        f"{at}/signing.pub": public_key_pem(key),
        f"{at}/signing.pem": chain.encode(),
    }


def _signing_certificate(
    shop: _Workshop, member: Member, issuing: Issuer, key: PrivateKey
) -> x509.Certificate:
    """The one that is there, or a new one for the same key: it may be renewed, the key stays."""
    try:
        there = load_certificates(shop.there(f"parties/{member.id}/signing.pem"))[0]
        names = subject_names(member.id, ())
        if (
            _good(shop, there, issuing, names)
            and check_signing(there) == member.id
            and there.public_key() == key.public_key()
        ):
            return there
    except TrustError:
        pass  # none is there, or another thing in its place
    return issue_signing(
        key.public_key(),
        issuer=issuing,
        name=member.id,
        party=member.id,
        validity=shop.validity(shop.profile.validity.certificate_days),
    )


def _good(
    shop: _Workshop,
    certificate: x509.Certificate,
    issuing: Issuer,
    names: x509.SubjectAlternativeName,
) -> bool:
    """Whether the issuing CA made it, for these names, and enough of its time is left."""
    return (
        _issued(certificate, issuing)
        and shop.serves(certificate.not_valid_before_utc, certificate.not_valid_after_utc)
        and _names(certificate) == names
    )


def _pair(
    shop: _Workshop, certificate_path: str, key_path: str
) -> tuple[x509.Certificate | None, TlsKey | None]:
    """The certificate and key that are there, if they belong together."""
    try:
        certificate = load_certificates(shop.there(certificate_path))[0]
        key = load_tls_key(shop.there(key_path))
    except TrustError:
        return None, None
    return (certificate, key) if certificate.public_key() == key.public_key() else (None, None)


def _issued(certificate: x509.Certificate, issuer: Issuer) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer.certificate)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _names(certificate: x509.Certificate) -> x509.SubjectAlternativeName | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):
        return None


def _read_crl(content: bytes, issuer: Issuer) -> x509.CertificateRevocationList | None:
    try:
        crl = x509.load_pem_x509_crl(content)
    except ValueError:
        return None
    signed = crl.is_signature_valid(issuer.certificate.public_key())  # type: ignore[arg-type] # a CA key
    return crl if signed and crl.issuer == issuer.certificate.subject else None


def _entries(crl: x509.CertificateRevocationList) -> dict[int, datetime]:
    return {entry.serial_number: entry.revocation_date_utc for entry in crl}


def _crl(
    issuer: Issuer,
    revoked: Mapping[int, datetime],
    *,
    after: x509.CertificateRevocationList | None,
    days: int,
    now: datetime,
) -> bytes:
    """A list numbered after the old one; never dated before it."""
    number = 1
    this_update = now - CLOCK_SLACK
    if after is not None:
        number += after.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
        this_update = max(this_update, after.last_update_utc + timedelta(seconds=1))
    crl = issue_crl(
        issuer,
        number=number,
        revoked=revoked,
        this_update=this_update,
        next_update=now + timedelta(days=days),
    )
    return crl.public_bytes(serialization.Encoding.PEM)
