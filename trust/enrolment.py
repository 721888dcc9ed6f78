"""From a certificate signing request to a certificate: what is asked, and what may be given.

A request (PKCS #10, RFC 2986) proves that its sender has the private key, and says which public
key it is. Nothing else of it counts: whose certificate it becomes, for which hosts and for how
long, is said by the one who issues. What asks for powers that no party gets is refused, because
whoever wrote it expects another certificate than the one that would come.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Literal

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID
from msgspec import Meta

from trust.authority import (
    NOWHERE,
    Issuer,
    Pointers,
    SigningPublicKey,
    Validity,
    issue_signing,
    issue_tls,
    subject_names,
)
from trust.certificates import PARTY_URN, check_profile, check_signing
from trust.errors import TrustError
from trust.identity import PartyId
from trust.keys import MAX_RSA_BITS, MIN_RSA_BITS, PrivateKey

CertificatePurpose = Literal["tls", "signing"]
KeyFamily = Literal["P-256", "P-384", "RSA", "Ed25519"]
MAX_REQUEST_BYTES = 65_536

MAX_HOST = 253

_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_BEGIN = b"-----BEGIN CERTIFICATE REQUEST-----"
_BEGIN_OLD = b"-----BEGIN NEW CERTIFICATE REQUEST-----"
_CURVES: Mapping[str, KeyFamily] = MappingProxyType({"secp256r1": "P-256", "secp384r1": "P-384"})
_HASHES = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
REASONS: Mapping[str, x509.ReasonFlags] = MappingProxyType(
    {
        "unspecified": x509.ReasonFlags.unspecified,
        "key-compromise": x509.ReasonFlags.key_compromise,
        "affiliation-changed": x509.ReasonFlags.affiliation_changed,
        "superseded": x509.ReasonFlags.superseded,
        "cessation-of-operation": x509.ReasonFlags.cessation_of_operation,
        "privilege-withdrawn": x509.ReasonFlags.privilege_withdrawn,
    }
)
"""Why a party's certificate is revoked (RFC 5280, 5.3.1). A hold is not among them: whoever is to
be kept out for a while is suspended in the registry."""


class KeyRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which keys are certified for what. An Ed25519 key is never one for TLS (it fails on gRPC)."""

    tls: tuple[Literal["P-256", "P-384", "RSA"], ...] = ("P-256", "P-384", "RSA")
    signing: tuple[KeyFamily, ...] = ("P-256", "P-384", "RSA", "Ed25519")
    rsa_bits: Annotated[int, Meta(ge=MIN_RSA_BITS, le=MAX_RSA_BITS)] = 3072
    """The least number of bits of an RSA key."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request that was proved: its key, and the names that it would like."""

    key: SigningPublicKey
    key_id: str
    names: tuple[str, ...] = ()
    """Hosts, as the request wrote them. They are a wish."""


def check_host(host: str) -> None:
    """Raise ``certificate.profile`` unless it is one host: a DNS name or an address.

    No wildcards (a certificate names who is meant), and names of other scripts as A-labels
    (RFC 5280, 7.2).
    """
    if len(host) <= MAX_HOST and _HOST.fullmatch(host):
        return
    try:
        ipaddress.ip_address(host)
    except ValueError as error:
        raise TrustError("certificate.profile", f"{host!r} is no host") from error


def key_id(key: SigningPublicKey) -> str:
    """SHA-256 of the public key (SubjectPublicKeyInfo, DER), in lower-case hexadecimal."""
    der = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return hashlib.sha256(der).hexdigest()


def key_id_of(certificate: x509.Certificate) -> str:
    """The ``key_id`` of the key in a certificate; raises ``certificate.profile`` without one."""
    try:
        key = certificate.public_key()
    except Exception as error:  # a key of a kind or curve that the parser does not know
        raise TrustError("certificate.profile", "its key cannot be read") from error
    if not isinstance(key, SigningPublicKey):
        raise TrustError("certificate.profile", "its key is of a kind that is not used here")
    return key_id(key)


def hosts_of(named: x509.Certificate | x509.CertificateSigningRequest) -> tuple[str, ...]:
    """The hosts among its alternative names, DNS names before addresses."""
    for extension in named.extensions:
        if isinstance(extension.value, x509.SubjectAlternativeName):
            names = extension.value
            addresses = names.get_values_for_type(x509.IPAddress)
            return (*names.get_values_for_type(x509.DNSName), *map(str, addresses))
    return ()


def read_request(
    content: bytes, *, party: PartyId, purpose: CertificatePurpose, rules: KeyRules
) -> Request:
    """Read and prove a request, PEM or DER; raises ``certificate.profile`` with the reason.

    On return its signature holds (proof of possession, RFC 2986, 3), its key is fit for the
    purpose, and it asks to be no authority and no other party.
    """
    csr = _parse(content)
    try:
        broken = _broken_rule(csr, party, purpose, rules)
        if broken:
            raise TrustError("certificate.profile", f"the request is refused: {broken}")
        key = csr.public_key()
        assert isinstance(key, SigningPublicKey)  # _broken_rule has looked
        return Request(key=key, key_id=key_id(key), names=hosts_of(csr))
    except TrustError:
        raise
    except Exception as error:  # hostile requests raise many things, and each means no
        raise TrustError("certificate.profile", "the request cannot be read") from error


def check_key(key: object, purpose: CertificatePurpose, rules: KeyRules) -> str:
    """Why a certificate for this purpose cannot have the key, or an empty text."""
    allowed: tuple[KeyFamily, ...] = rules.tls if purpose == "tls" else rules.signing
    match key:
        case ec.EllipticCurvePublicKey():
            good = _CURVES.get(key.curve.name) in allowed
        case rsa.RSAPublicKey():
            good = "RSA" in allowed and rules.rsa_bits <= key.key_size <= MAX_RSA_BITS
        case ed25519.Ed25519PublicKey():
            good = "Ed25519" in allowed
        case _:
            good = False
    if good:
        return ""
    kinds = [f"RSA of {rules.rsa_bits} bits or more" if k == "RSA" else k for k in allowed]
    return f"a key for {purpose} is one of: {', '.join(kinds)}"


def issue(
    request: Request,
    *,
    issuer: Issuer,
    party: PartyId,
    purpose: CertificatePurpose,
    validity: Validity,
    hosts: Sequence[str] = (),
    pointers: Pointers = NOWHERE,
) -> x509.Certificate:
    """The certificate. It passes the profile by which gateways judge it, or nothing is issued.

    ``validity`` is cut to the issuer's own end: a path holds no longer than its authority.
    """
    end = min(validity.not_after, issuer.certificate.not_valid_after_utc)
    if end <= validity.not_before:
        raise TrustError("certificate.expired", "the issuing authority has expired")
    if purpose == "signing" and hosts:
        raise TrustError("certificate.profile", "a signing certificate is for no host")
    for host in hosts:
        check_host(host)
    within = Validity(validity.not_before, end)
    if purpose == "signing":
        certificate = issue_signing(
            request.key, issuer=issuer, name=party, party=party, validity=within, pointers=pointers
        )
        check_signing(certificate)
        return certificate
    if isinstance(request.key, ed25519.Ed25519PublicKey):
        raise TrustError("certificate.profile", "a TLS certificate has an EC or RSA key")
    certificate = issue_tls(
        request.key,
        issuer=issuer,
        name=party,
        party=party,
        validity=within,
        hosts=hosts,
        pointers=pointers,
    )
    check_profile(certificate)
    return certificate


def make_request(key: PrivateKey, *, party: PartyId, hosts: Iterable[str] = ()) -> bytes:
    """What a party sends to its authority, as PEM: its public key, signed with the private one.

    Raises ``certificate.profile`` for a host that is none.
    """
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, party)])
    named = tuple(hosts)
    for host in named:
        check_host(host)
    builder = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(subject)
        .add_extension(subject_names(party, named), critical=False)
    )
    hash_ = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(key, hash_).public_bytes(serialization.Encoding.PEM)


def _parse(content: bytes) -> x509.CertificateSigningRequest:
    if len(content) > MAX_REQUEST_BYTES:
        raise TrustError("certificate.profile", "the request is too large")
    blocks = content.count(_BEGIN) + content.count(_BEGIN_OLD)
    if blocks > 1:
        raise TrustError("certificate.profile", "there is more than one request in the file")
    try:
        if blocks:
            return x509.load_pem_x509_csr(content)
        return x509.load_der_x509_csr(content)
    except Exception as error:  # whatever a parser raises on foreign bytes means no
        raise TrustError("certificate.profile", "not a certificate signing request") from error


def _broken_rule(
    csr: x509.CertificateSigningRequest,
    party: PartyId,
    purpose: CertificatePurpose,
    rules: KeyRules,
) -> str:
    """The first rule that the request breaks, or an empty text."""
    key = csr.public_key()
    if unfit := check_key(key, purpose, rules):
        return unfit
    hash_ = csr.signature_hash_algorithm
    if not isinstance(hash_, _HASHES) and not isinstance(key, ed25519.Ed25519PublicKey):
        return "it is signed with a hash below SHA-256"
    if not csr.is_signature_valid:
        return "its signature does not hold, so that nothing shows who has the key"
    for extension in csr.extensions:
        match extension.value:
            case x509.BasicConstraints(ca=True):
                return "it asks to be an authority"
            case x509.KeyUsage() as usage if usage.key_cert_sign or usage.crl_sign:
                return "it asks for the key usage of an authority"
            case x509.SubjectAlternativeName() as names:
                uris = names.get_values_for_type(x509.UniformResourceIdentifier)
                ours = [uri for uri in uris if uri.startswith(PARTY_URN)]
                if any(uri != f"{PARTY_URN}{party}" for uri in ours):
                    return f"it names another party than {party!r}"
    return ""
