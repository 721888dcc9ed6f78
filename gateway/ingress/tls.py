"""TLS of the listeners: version 1.3, a client certificate of a registered authority, or none."""

from __future__ import annotations

import ssl
from pathlib import Path

import msgspec
from cryptography import x509

from trust.certificates import load_certificates
from trust.errors import TrustError

# X509_V_FLAG_NO_CHECK_TIME (OpenSSL, x509_vfy.h). Validity is judged per request, so that the
# owner of an expired certificate gets an answer instead of a dead handshake.
_NO_CHECK_TIME = 0x200000


class ServerTls(msgspec.Struct, frozen=True, kw_only=True):
    """What a listener presents and whom it lets in.

    ``certificate`` is a PEM file with the chain, leaf first; ``key`` its unencrypted PEM key;
    ``authorities`` the PEM text of every authority that vouches for some party. Which authority
    may vouch for which party is judged later, per request.
    """

    certificate: Path
    key: Path
    authorities: str


def https_context(tls: ServerTls) -> ssl.SSLContext:
    """A server context. Raises ``OSError`` or ``ssl.SSLError`` for files that do not fit."""
    context = open_context(tls)
    context.verify_mode = ssl.CERT_REQUIRED
    # A registered issuing authority is trusted as it stands, also without its root (RFC 5280, 6.1).
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | _NO_CHECK_TIME
    if tls.authorities:
        context.load_verify_locations(cadata=tls.authorities)
    return context


def open_context(tls: ServerTls) -> ssl.SSLContext:
    """A server context that asks nobody for a certificate. Raises as ``https_context`` does."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(tls.certificate, tls.key)
    return context


def server_names(tls: ServerTls) -> frozenset[str]:
    """The hosts that the certificate of a listener names, in lower case (RFC 5280, 4.2.1.6).

    Names with a wildcard are left out: what was signed names one host. Raises ``OSError``;
    a file without a certificate has no names.
    """
    try:
        leaf = load_certificates(tls.certificate.read_bytes())[0]
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (TrustError, x509.ExtensionNotFound):
        return frozenset()
    hosts = {name.lower() for name in names.get_values_for_type(x509.DNSName) if "*" not in name}
    for address in names.get_values_for_type(x509.IPAddress):
        hosts.add(f"[{address}]" if getattr(address, "version", 4) == 6 else str(address))
    return frozenset(hosts)
