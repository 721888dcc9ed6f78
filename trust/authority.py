"""A small certification authority: certificates and revocation lists as values.

Nothing is stored: keys, names and times come in, signed objects go out. Serial numbers are random
(RFC 5280, 4.1.2.2; 20 octets at most), everything else is as given.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Literal

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from trust.certificates import PARTY_URN, Purpose
from trust.errors import TrustError
from trust.identity import PartyId
from trust.keys import PrivateKey, load_private_key

KeyKind = Literal["P-256", "P-384", "RSA-2048", "RSA-3072", "Ed25519"]
KIND_ALGORITHMS: Mapping[KeyKind, str] = MappingProxyType(
    {
        "P-256": "ES256",
        "P-384": "ES384",
        "RSA-2048": "PS256",
        "RSA-3072": "PS256",
        "Ed25519": "Ed25519",
    }
)
"""The JWS algorithm with which a new key of each kind signs."""
TlsKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
SigningPublicKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey


class Validity(msgspec.Struct, frozen=True):
    """From when to when, both with a time zone."""

    not_before: datetime
    not_after: datetime


class Issuer(msgspec.Struct, frozen=True):
    """A CA: its certificate and the key that signs for it."""

    certificate: x509.Certificate
    key: TlsKey


class Pointers(msgspec.Struct, frozen=True, kw_only=True):
    """Where a certificate says that its issuer's list, answers and certificate are; ``""``: not.

    For software that looks there (RFC 5280, 4.2.1.13 and 4.2.2.1). A gateway never does: it asks
    only where its own registry says.
    """

    crl: str = ""
    ocsp: str = ""
    issuer: str = ""


NOWHERE = Pointers()


def generate_key(kind: KeyKind) -> PrivateKey:
    """A new private key from the system's randomness."""
    match kind:
        case "P-256":
            return ec.generate_private_key(ec.SECP256R1())
        case "P-384":
            return ec.generate_private_key(ec.SECP384R1())
        case "RSA-2048":
            return rsa.generate_private_key(public_exponent=65537, key_size=2048)
        case "RSA-3072":
            return rsa.generate_private_key(public_exponent=65537, key_size=3072)
        case "Ed25519":
            return ed25519.Ed25519PrivateKey.generate()


def generate_tls_key(kind: KeyKind) -> TlsKey:
    """A new private key for a certificate; raises ``certificate.profile`` for Ed25519."""
    return tls_key(generate_key(kind))


def load_tls_key(pem: bytes) -> TlsKey:
    """Read the private key of a certificate; raises ``TrustError`` for an unfit one."""
    return tls_key(load_private_key(pem))


def tls_key(key: PrivateKey) -> TlsKey:
    """The key, if a TLS certificate may have it."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        raise TrustError("certificate.profile", "a TLS certificate has an EC or RSA key")
    return key


def private_key_pem(key: PrivateKey) -> bytes:
    """The key as unencrypted PKCS #8 PEM, to be kept where only its owner reads."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def issue_root(key: TlsKey, *, name: str, validity: Validity, intermediates: int = 1) -> Issuer:
    """A self-signed root with room for ``intermediates`` CAs below one another."""
    subject = _name(name)
    return Issuer(_authority(key, subject, subject, key, validity, path_length=intermediates), key)


def issue_intermediate(
    key: TlsKey,
    *,
    issuer: Issuer,
    name: str,
    validity: Validity,
    pointers: Pointers = NOWHERE,
) -> Issuer:
    """A CA below ``issuer`` that issues to end entities only."""
    above = issuer.certificate.subject
    certificate = _authority(
        key, _name(name), above, issuer.key, validity, path_length=0, pointers=pointers
    )
    return Issuer(certificate, key)


def issue_tls(
    key: TlsKey | ec.EllipticCurvePublicKey | rsa.RSAPublicKey,
    *,
    issuer: Issuer,
    name: str,
    party: PartyId | None,
    validity: Validity,
    hosts: Sequence[str] = (),
    purposes: Iterable[Purpose] = (Purpose.CLIENT, Purpose.SERVER),
    uris: Iterable[str] = (),
    pointers: Pointers = NOWHERE,
) -> x509.Certificate:
    """A TLS certificate that names its party by URI and its hosts by DNS name or address.

    Of ``key`` either half does. ``uris`` are further URIs; ``party=None`` makes a certificate
    that names nobody.
    """
    names = subject_names(party, hosts, uris)
    public = key if isinstance(key, SigningPublicKey) else key.public_key()
    builder = _pointing(_end_entity(public, issuer, name, names, validity), pointers)
    return builder.add_extension(
        x509.ExtendedKeyUsage([purpose.value for purpose in purposes]), critical=False
    ).sign(issuer.key, hashes.SHA256())


def issue_signing(
    key: SigningPublicKey,
    *,
    issuer: Issuer,
    name: str,
    party: PartyId,
    validity: Validity,
    pointers: Pointers = NOWHERE,
) -> x509.Certificate:
    """A certificate of the key with which a party signs messages.

    It has no extended key usage, so that it is no TLS certificate for anybody who asks for one
    (``trust.certificates.check_profile``).
    """
    builder = _end_entity(key, issuer, name, subject_names(party, ()), validity)
    return _pointing(builder, pointers).sign(issuer.key, hashes.SHA256())


def issue_responder(
    key: TlsKey, *, issuer: Issuer, name: str, validity: Validity
) -> x509.Certificate:
    """The certificate of whoever answers OCSP for the issuer (RFC 6960, 4.2.2.2).

    Nobody asks about the responder itself (``id-pkix-ocsp-nocheck``, 4.2.2.2.1), so its time
    should be short.
    """
    names = x509.SubjectAlternativeName([])
    return (
        _end_entity(key.public_key(), issuer, name, names, validity)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), critical=False)
        .add_extension(x509.OCSPNoCheck(), critical=False)
        .sign(issuer.key, hashes.SHA256())
    )


def request_authority(key: TlsKey, *, name: str) -> x509.CertificateSigningRequest:
    """What a root that is kept elsewhere signs, so that the key may issue to end entities."""
    return (
        x509.CertificateSigningRequestBuilder()
        .subject_name(_name(name))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .sign(key, hashes.SHA256())
    )


def subject_names(
    party: PartyId | None, hosts: Iterable[str], uris: Iterable[str] = ()
) -> x509.SubjectAlternativeName:
    """The names of an end entity: its party's URI, other URIs, hosts."""
    ours = [] if party is None else [f"{PARTY_URN}{party}"]
    names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(u) for u in [*ours, *uris]]
    return x509.SubjectAlternativeName([*names, *(_host(host) for host in hosts)])


def issue_crl(
    issuer: Issuer,
    *,
    number: int,
    revoked: Mapping[int, datetime],
    this_update: datetime,
    next_update: datetime,
    reasons: Mapping[int, x509.ReasonFlags] = MappingProxyType({}),
) -> x509.CertificateRevocationList:
    """The issuer's complete list: when each serial was revoked, and why where that is known.

    Numbers only ever grow. Without a reason there is no entry extension (RFC 5280, 5.3.1).
    """
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(this_update)
        .next_update(next_update)
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(_authority_key(issuer.key), critical=False)
    )
    for serial, since in sorted(revoked.items()):
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(since)
        reason = reasons.get(serial, x509.ReasonFlags.unspecified)
        if reason is not x509.ReasonFlags.unspecified:
            entry = entry.add_extension(x509.CRLReason(reason), critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(issuer.key, hashes.SHA256())


def _end_entity(
    key: SigningPublicKey,
    issuer: Issuer,
    name: str,
    names: x509.SubjectAlternativeName,
    validity: Validity,
) -> x509.CertificateBuilder:
    """What every certificate below the CAs has: it issues nothing, its key signs."""
    builder = _builder(key, _name(name), issuer.certificate.subject, issuer.key, validity)
    builder = builder.add_extension(
        x509.BasicConstraints(ca=False, path_length=None), critical=True
    ).add_extension(_usage(signs=True), critical=True)
    return builder.add_extension(names, critical=False) if list(names) else builder


def _authority(
    key: TlsKey,
    subject: x509.Name,
    above: x509.Name,
    signing: TlsKey,
    validity: Validity,
    *,
    path_length: int,
    pointers: Pointers = NOWHERE,
) -> x509.Certificate:
    builder = _pointing(_builder(key.public_key(), subject, above, signing, validity), pointers)
    builder = builder.add_extension(
        x509.BasicConstraints(ca=True, path_length=path_length), critical=True
    )
    return builder.add_extension(_usage(signs=False), critical=True).sign(signing, hashes.SHA256())


def _builder(
    key: SigningPublicKey,
    subject: x509.Name,
    above: x509.Name,
    signing: TlsKey,
    validity: Validity,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(above)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(validity.not_before)
        .not_valid_after(validity.not_after)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(_authority_key(signing), critical=False)
    )


def _pointing(builder: x509.CertificateBuilder, pointers: Pointers) -> x509.CertificateBuilder:
    places = [
        x509.AccessDescription(method, x509.UniformResourceIdentifier(url))
        for method, url in (
            (AuthorityInformationAccessOID.OCSP, pointers.ocsp),
            (AuthorityInformationAccessOID.CA_ISSUERS, pointers.issuer),
        )
        if url
    ]
    if places:
        builder = builder.add_extension(x509.AuthorityInformationAccess(places), critical=False)
    if pointers.crl:
        place = x509.DistributionPoint(
            full_name=[x509.UniformResourceIdentifier(pointers.crl)],
            relative_name=None,
            reasons=None,
            crl_issuer=None,
        )
        builder = builder.add_extension(x509.CRLDistributionPoints([place]), critical=False)
    return builder


def _authority_key(key: TlsKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())


def _usage(*, signs: bool) -> x509.KeyUsage:
    """RFC 5280, 4.2.1.3: an end entity signs data, a CA signs certificates and lists."""
    return x509.KeyUsage(
        digital_signature=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=not signs,
        crl_sign=not signs,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common: str) -> x509.Name:
    """For people who look at it; no program reads it."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
