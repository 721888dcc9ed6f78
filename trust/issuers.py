"""The profile of the certificates above a leaf, stricter than what a path needs (RFC 5280, 4.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from trust.errors import TrustError

E_ = TypeVar("E_", bound=x509.ExtensionType)

_MUST_BE_CRITICAL: Final = (x509.NameConstraints.oid, x509.PolicyConstraints.oid)
"""RFC 5280, 4.2.1.10 and 4.2.1.11."""


def check_authorities(chain: Sequence[x509.Certificate]) -> None:
    """Raise ``certificate.profile`` unless each CA of the chain is as RFC 5280 wants CAs.

    ``chain`` is from leaf to root; the leaf is for ``check_profile``, all but its serial.
    """
    try:
        broken = _broken_rule(chain)
    except Exception as error:  # the extensions of hostile certificates raise many things
        raise TrustError("certificate.profile", "its issuers cannot be read") from error
    if broken:
        raise TrustError("certificate.profile", broken)


def _broken_rule(chain: Sequence[x509.Certificate]) -> str:
    *_, root = chain
    for certificate in chain:
        if certificate.serial_number <= 0 and certificate is not root:  # 4.1.2.2
            return "a serial number is not positive"
        if _find(certificate, x509.AuthorityKeyIdentifier) is None and certificate is not root:
            return "a certificate does not identify the key of its issuer"  # 4.2.1.1
        key = certificate.public_key()
        if isinstance(key, rsa.RSAPublicKey) and key.key_size % 8:
            return "the size of an RSA key is not a number of octets"
    for authority in chain[1:]:
        if _find(authority, x509.SubjectKeyIdentifier) is None:  # 4.2.1.2
            return "an authority's certificate does not identify its key"
        if any(not e.critical and e.oid in _MUST_BE_CRITICAL for e in authority.extensions):
            return "a constraint of an authority is not critical"
    return _broken_root_rule(root)


def _broken_root_rule(root: x509.Certificate) -> str:
    """CA/Browser Forum, Baseline Requirements, 7.1.2.1."""
    if root.issuer != root.subject:
        return ""
    if _find(root, x509.ExtendedKeyUsage) is not None:
        return "a root has an extended key usage"
    above = _find(root, x509.AuthorityKeyIdentifier)
    own = _find(root, x509.SubjectKeyIdentifier)
    if above is None or own is None:
        return ""
    if above.authority_cert_issuer or above.authority_cert_serial_number is not None:
        return "a root names another certificate as its issuer"
    return "" if above.key_identifier == own.digest else "a root names another key as its issuer's"


def _find(certificate: x509.Certificate, kind: type[E_]) -> E_ | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
