"""The path from a certificate to a registered root (RFC 5280, 6), without revocation.

``cryptography``'s verifier builds it: bounded in depth, hardened against hostile graphs. Times
are left open: a path is built at a time within the certificate's own validity and carries the
span in which all of it holds, so that one answer serves until the registry changes, and an
expired certificate of a known authority is told from that of an unknown one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from itertools import pairwise

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.verification import Criticality, ExtensionPolicy, PolicyBuilder, Store

from trust.certificates import load_certificates
from trust.clock import clock_here, stated
from trust.errors import TrustError
from trust.members import Authority

MAX_INTERMEDIATES = 3


class Link(msgspec.Struct, frozen=True):
    """One step of a path: ``issuer`` (an ``issuer_id``) issued a certificate of that serial."""

    issuer: str
    serial: int


class Path(msgspec.Struct, frozen=True, kw_only=True):
    """A proven path below one registered authority; ``chain`` and ``links`` start at the leaf.

    ``chain`` ends with the root, ``links`` with what the root issued. ``identity`` is the SHA-256
    of the chain.
    """

    authority: str
    identity: bytes
    chain: tuple[x509.Certificate, ...]
    links: tuple[Link, ...]
    not_before: datetime
    not_after: datetime

    def judge_time(self, at: datetime) -> None:
        """Raise ``certificate.expired`` or ``.not-yet-valid`` outside the path's validity."""
        if at.replace(microsecond=0) > self.not_after:  # RFC 5280, 4.1.2.5: that second included
            raise TrustError(
                "certificate.expired", f"it ended at {stated(self.not_after)}; {clock_here(at)}"
            )
        if at < self.not_before:
            raise TrustError(
                "certificate.not-yet-valid",
                f"it begins at {stated(self.not_before)}; {clock_here(at)}",
            )


class Anchor(msgspec.Struct, frozen=True, kw_only=True):
    """One authority, ready to vouch: its roots, and the intermediates below them."""

    authority: str
    roots: Store
    intermediates: list[x509.Certificate]
    subjects: frozenset[bytes]


def anchor(authority: Authority) -> Anchor:
    """Read an authority's certificates; raises ``certificate.profile`` for what is none."""
    certificates = [load_certificates(pem.encode())[0] for pem in authority.certificates]
    roots = [c for c in certificates if c.issuer == c.subject]
    return Anchor(
        authority=authority.id,
        roots=Store(roots),
        intermediates=[c for c in certificates if c.issuer != c.subject],
        subjects=frozenset(c.subject.public_bytes() for c in certificates),
    )


def issuer_id(certificate: x509.Certificate) -> str:
    """A CA by its name and key, whichever of its certificates is at hand."""
    key = certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return hashlib.sha256(certificate.subject.public_bytes() + b"\0" + key).hexdigest()


def build_paths(
    leaf: x509.Certificate,
    anchors: Iterable[Anchor],
    *,
    now: datetime,
    server: x509.DNSName | x509.IPAddress | None = None,
    depth: int = MAX_INTERMEDIATES,
) -> tuple[Path, ...]:
    """A path for each authority that vouches for the leaf; raises ``certificate.untrusted``.

    The leaf is a client's, or that of the ``server`` of that name. A path has at most ``depth``
    intermediates. Whether ``now`` lies in a path's validity is for ``Path.judge_time`` to say.
    """
    try:
        start, end = leaf.not_valid_before_utc, leaf.not_valid_after_utc
        issuer = leaf.issuer.public_bytes()
    except Exception as error:  # hostile certificates raise many things
        raise TrustError("certificate.profile", "the certificate cannot be read") from error
    times = (min(max(now, start), end), start, end)
    chains = {
        candidate.authority: _chain(leaf, candidate, times, server, depth)
        for candidate in anchors
        if issuer in candidate.subjects
    }
    paths = tuple(_path(authority, chain) for authority, chain in chains.items() if chain)
    if not paths:
        raise TrustError("certificate.untrusted")
    return paths


def _path(authority: str, chain: list[x509.Certificate]) -> Path:
    return Path(
        authority=authority,
        identity=hashlib.sha256(
            b"".join(each.public_bytes(serialization.Encoding.DER) for each in chain)
        ).digest(),
        chain=tuple(chain),
        links=tuple(
            Link(issuer_id(above), below.serial_number) for below, above in pairwise(chain)
        ),
        not_before=max(certificate.not_valid_before_utc for certificate in chain),
        not_after=min(certificate.not_valid_after_utc for certificate in chain),
    )


def _chain(
    leaf: x509.Certificate,
    candidate: Anchor,
    times: Iterable[datetime],
    server: x509.DNSName | x509.IPAddress | None,
    depth: int,
) -> list[x509.Certificate]:
    """The chain from leaf to root at the first time at which there is one, or nothing."""
    for time in times:
        policy = (
            PolicyBuilder()
            .store(candidate.roots)
            .time(time)
            .max_chain_depth(depth)
            .extension_policies(
                ca_policy=ExtensionPolicy.webpki_defaults_ca(), ee_policy=_leaf_policy(server)
            )
        )
        try:
            if server is not None:
                return policy.build_server_verifier(server).verify(leaf, candidate.intermediates)
            return policy.build_client_verifier().verify(leaf, candidate.intermediates).chain
        except Exception:  # noqa: S112 - any exception means no
            continue
    return []


def _leaf_policy(server: object | None) -> ExtensionPolicy:
    """The default, but a client's pinned certificate may do without an alternative name."""
    if server is not None:
        return ExtensionPolicy.webpki_defaults_ee()
    return ExtensionPolicy.webpki_defaults_ee().may_be_present(
        x509.SubjectAlternativeName, Criticality.AGNOSTIC, None
    )
