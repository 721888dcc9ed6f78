"""TLS towards receivers: version 1.3, our certificate, and one pinned authority per destination."""

from __future__ import annotations

import ssl
from pathlib import Path

import msgspec


class OwnPair(msgspec.Struct, frozen=True, kw_only=True):
    """``certificate`` is a PEM file with our chain, leaf first; ``key`` its unencrypted PEM key.

    ``revision`` tells one pair from the next, though their files may have the same names.
    """

    certificate: Path
    key: Path
    revision: str = ""


class ClientTls(msgspec.Struct, frozen=True, kw_only=True):
    """What we show and whom we believe.

    ``authority`` is a PEM file with the only authorities whose server certificates are believed
    (``None``: those of the system, for receivers on the open web).
    """

    own: OwnPair
    authority: Path | None


def client_context(tls: ClientTls) -> ssl.SSLContext:
    """A client context. Raises ``OSError`` or ``ssl.SSLError`` for files that do not fit."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks names and certificates
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    if tls.authority is None:
        context.load_default_certs()
    else:
        # The pinned authority is the end of the path, root or not (RFC 5280, 6.1).
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.load_verify_locations(cafile=tls.authority)
    context.load_cert_chain(tls.own.certificate, tls.own.key)
    return context
