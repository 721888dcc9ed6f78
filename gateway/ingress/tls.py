"""TLS of the listeners: version 1.3, a client certificate of a registered authority, required."""

from __future__ import annotations

import ssl
from pathlib import Path

import msgspec

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
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    # A registered issuing authority is trusted as it stands, also without its root (RFC 5280, 6.1).
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | _NO_CHECK_TIME
    context.load_cert_chain(tls.certificate, tls.key)
    if tls.authorities:
        context.load_verify_locations(cadata=tls.authorities)
    return context
