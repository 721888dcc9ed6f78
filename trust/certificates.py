"""Certificates: reading them, the profile they must keep, and the party they name.

The profile is stricter than a path validator's (RFC 5280): an end-entity certificate for the
wanted purpose, with a key and a hash of today. The common name is never read.
"""

from __future__ import annotations

import hashlib
import re
from enum import Enum
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from trust.errors import TrustError
from trust.identity import PARTY_ID_PATTERN, PartyId
from trust.keys import MAX_RSA_BITS, MIN_RSA_BITS

PARTY_URN = "urn:luxor:party:"
MAX_CERTIFICATE_BYTES = 16_384
"""Names are held against constraints one by one: many of both take a verifier seconds."""

_PARTY = re.compile(rf"{PARTY_URN}({PARTY_ID_PATTERN})")
_CURVES = ("secp256r1", "secp384r1")
_HASHES = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
E_ = TypeVar("E_", bound=x509.ExtensionType)


class Purpose(Enum):
    """What a TLS certificate is for."""

    CLIENT = ExtendedKeyUsageOID.CLIENT_AUTH
    SERVER = ExtendedKeyUsageOID.SERVER_AUTH


_TLS_PURPOSES = (
    *(purpose.value for purpose in Purpose),
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
)


def load_certificate(der: bytes) -> x509.Certificate:
    """Read one DER certificate; raises ``certificate.profile`` for anything else."""
    if len(der) > MAX_CERTIFICATE_BYTES:
        raise TrustError("certificate.profile", "the certificate is too large")
    try:
        return x509.load_der_x509_certificate(der)
    except Exception as error:  # whatever a parser raises on hostile bytes means no
        raise TrustError("certificate.profile", "not a DER certificate") from error


def load_certificates(pem: bytes) -> list[x509.Certificate]:
    """Read every certificate of a PEM text; raises ``certificate.profile`` if there is none."""
    try:
        return x509.load_pem_x509_certificates(pem)
    except Exception as error:  # whatever a parser raises on foreign bytes means no
        raise TrustError("certificate.profile", "not a PEM certificate") from error


def pem_of(certificate: x509.Certificate) -> str:
    """The certificate as PEM text."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")


def fingerprint(der: bytes) -> str:
    """SHA-256 of the DER certificate in lower-case hexadecimal."""
    return hashlib.sha256(der).hexdigest()


def fingerprint_of(certificate: x509.Certificate) -> str:
    """The fingerprint of a certificate that was read."""
    return fingerprint(certificate.public_bytes(serialization.Encoding.DER))


def key_fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of the certificate's public key, the same in every certificate of that key.

    Raises ``certificate.profile`` for a key of a kind that the parser does not know.
    """
    try:
        key = certificate.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    except Exception as error:  # hostile certificates raise many things
        raise TrustError("certificate.profile", "its key cannot be read") from error
    return hashlib.sha256(key).hexdigest()


def check_profile(certificate: x509.Certificate, purpose: Purpose = Purpose.CLIENT) -> None:
    """Raise ``certificate.profile`` unless an end entity may use the certificate for TLS so."""
    try:
        broken = _broken_rule(certificate, purpose)
    except Exception as error:  # the extensions of hostile certificates raise many things
        raise TrustError("certificate.profile", "its extensions cannot be read") from error
    if broken:
        raise TrustError("certificate.profile", broken)


def party_of(certificate: x509.Certificate) -> PartyId | None:
    """The party that the certificate's one URI SAN of our own scheme names.

    ``None`` when there is no such name; raises ``party.ambiguous`` when there are several and
    ``certificate.profile`` when the name is no party id.
    """
    try:
        names = _extension(certificate, x509.SubjectAlternativeName)
        uris = names.get_values_for_type(x509.UniformResourceIdentifier) if names else []
    except Exception as error:  # the extensions of hostile certificates raise many things
        raise TrustError("certificate.profile", "its extensions cannot be read") from error
    ours = [uri for uri in uris if uri.startswith(PARTY_URN)]
    if not ours:
        return None
    if len(ours) > 1:
        raise TrustError("party.ambiguous", "the certificate names several parties")
    match = _PARTY.fullmatch(ours[0])
    if match is None:
        raise TrustError("certificate.profile", "its URI names no well-formed party id")
    return PartyId(match[1])


def check_signing(certificate: x509.Certificate) -> PartyId | None:
    """The party that a signing certificate names, if it names one.

    Raises ``certificate.profile`` unless it is an end entity's, its key usage includes digital
    signatures, and it has no extended key usage of TLS: no certificate serves as both.
    """
    try:
        broken = _broken_signing_rule(certificate)
    except Exception as error:  # the extensions of hostile certificates raise many things
        raise TrustError("certificate.profile", "its extensions cannot be read") from error
    if broken:
        raise TrustError("certificate.profile", broken)
    return party_of(certificate)


def is_authority(certificate: x509.Certificate) -> bool:
    """Whether the certificate may issue others (RFC 5280, 4.2.1.9 and 4.2.1.3)."""
    try:
        constraints = _extension(certificate, x509.BasicConstraints)
        usage = _extension(certificate, x509.KeyUsage)
    except Exception:
        return False
    return constraints is not None and constraints.ca and (usage is None or usage.key_cert_sign)


def signs_lists(certificate: x509.Certificate) -> bool:
    """RFC 5280, 4.2.1.3: cRLSign; without a key usage, whoever may issue."""
    try:
        usage = _extension(certificate, x509.KeyUsage)
    except Exception:
        return False
    return is_authority(certificate) if usage is None else usage.crl_sign


def _broken_rule(certificate: x509.Certificate, purpose: Purpose) -> str:
    """The first rule of the profile that the certificate breaks, or an empty text."""
    if certificate.version is not x509.Version.v3:
        return "it is not an X.509 version 3 certificate"
    match certificate.public_key():
        case ec.EllipticCurvePublicKey() as key if key.curve.name in _CURVES:
            pass
        case rsa.RSAPublicKey() as key if MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS:
            pass
        case _:  # an Ed25519 client certificate does not work everywhere TLS does
            return f"its key is not EC P-256 or P-384, or RSA of {MIN_RSA_BITS} bits or more"
    if not isinstance(certificate.signature_hash_algorithm, _HASHES):
        return "it is signed with a hash below SHA-256"
    constraints = _extension(certificate, x509.BasicConstraints)
    if constraints is not None and constraints.ca:
        return "it is the certificate of an authority"
    usage = _extension(certificate, x509.KeyUsage)
    if usage is not None and not (usage.digital_signature and not usage.key_cert_sign):
        return "its key usage is not that of a TLS end entity"
    purposes = _extension(certificate, x509.ExtendedKeyUsage)
    if purposes is not None and ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in purposes:
        return "its extended key usage is any"
    if purposes is None or purpose.value not in purposes:
        return f"its extended key usage does not include {purpose.name.lower()} authentication"
    return ""


def _broken_signing_rule(certificate: x509.Certificate) -> str:
    """The first rule that the certificate of a signing key breaks, or an empty text."""
    constraints = _extension(certificate, x509.BasicConstraints)
    if constraints is not None and constraints.ca:
        return "it is the certificate of an authority"
    usage = _extension(certificate, x509.KeyUsage)
    if usage is None or not usage.digital_signature or usage.key_cert_sign:
        return "its key usage is not that of a signing certificate"
    purposes = _extension(certificate, x509.ExtendedKeyUsage)
    if purposes is not None and any(value in purposes for value in _TLS_PURPOSES):
        return "it is a TLS certificate; a party signs with another key"
    return ""


def _extension(certificate: x509.Certificate, kind: type[E_]) -> E_ | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
