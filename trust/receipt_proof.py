"""Proving a kept receipt without the gateway that gave it: offline, years later, step by step."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec
from cryptography import x509

from trust import receipt
from trust.certificates import load_certificates
from trust.errors import TrustError
from trust.findings import Findings
from trust.keys import PublicKey, load_public_key, verifying_key
from trust.receipt import ReceiptClaims
from trust.signatures.compact import take_apart
from trust.signing_path import SigningPath, judge_revocation, prove_signer

MAX_BUNDLE_BYTES = 1024 * 1024


class ReceiptBundle(msgspec.Struct, frozen=True, kw_only=True):
    """A receipt as it is kept: the token, and the chain of the certificate of its key.

    ``certificates`` are PEM, leaf first. ``public_key`` (PEM) is for a gateway whose key has no
    certificate.
    """

    receipt: str
    certificates: tuple[str, ...] = ()
    public_key: str = ""
    version: Literal[1] = 1


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody holds to be what was sent."""

    digest: str
    size: int

    @staticmethod
    def of(content: bytes) -> Content:
        """Of bytes that are at hand."""
        return Content(digest=hashlib.sha256(content).hexdigest(), size=len(content))


class Trusted(msgspec.Struct, frozen=True, kw_only=True):
    """What the examiner believes, from elsewhere than the evidence.

    ``authorities`` may vouch for gateways; ``key`` is the gateway's own, for who has that;
    ``lists`` are revocation lists by the names of their files.
    """

    authorities: tuple[x509.Certificate, ...] = ()
    key: PublicKey | None = None
    lists: Mapping[str, bytes] = {}


def read_bundle(content: bytes) -> ReceiptBundle:
    """A bundle, or the token alone; raises ``receipt.invalid``."""
    if len(content) > MAX_BUNDLE_BYTES:
        raise TrustError("receipt.invalid", "the file is too large for a receipt")
    text = content.strip()
    try:
        if text.startswith(b"{"):
            return msgspec.json.decode(text, type=ReceiptBundle)
        return ReceiptBundle(receipt=text.decode("ascii"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise TrustError("receipt.invalid", "the file is neither a receipt nor a bundle") from error


def write_bundle(bundle: ReceiptBundle) -> bytes:
    """The bundle as it is kept."""
    return msgspec.json.format(msgspec.json.encode(bundle), indent=2) + b"\n"


def prove_receipt(
    bundle: ReceiptBundle,
    trusted: Trusted,
    found: Findings,
    *,
    content: Content | None = None,
    outcomes: bytes | None = None,
) -> ReceiptClaims | None:
    """Make and tell every step; what the receipt says, or ``None`` when its signature fails.

    Without authorities and key, the bundle's own certificate proves no more than that the parts
    fit each other, and the step ``authority`` says so.
    """
    try:
        presented = _presented(bundle)
        key = _key(bundle, presented, trusted)
        claims = receipt.verify(bundle.receipt, {key.kid: key})
    except TrustError as error:
        found.refuted("signature", error)
        return None
    found.proved(
        "signature",
        f"{claims.gateway}'s receipt no. {claims.record} is signed with the key {key.kid} "
        f"({key.algorithm.name})",
    )
    _prove_authority(claims, presented, trusted, found)
    _prove_content(claims, content, found)
    _prove_outcomes(claims, outcomes, found)
    return claims


def _presented(bundle: ReceiptBundle) -> tuple[x509.Certificate, ...]:
    pem = "\n".join(bundle.certificates)
    return tuple(load_certificates(pem.encode())) if pem else ()


def _key(
    bundle: ReceiptBundle, presented: Sequence[x509.Certificate], trusted: Trusted
) -> PublicKey:
    """The key that has to have signed, under the name that the receipt has for it.

    A key that the examiner has counts before whatever comes with the receipt.
    """
    header = take_apart(bundle.receipt.strip(), max_payload=receipt.MAX_CLAIMS_CHARACTERS).header
    kid, algorithm = str(header.get("kid", "")), str(header.get("alg", ""))
    if trusted.key is not None:
        return verifying_key(trusted.key.key.public_key, kid=kid, algorithm=algorithm)
    if presented:
        try:
            public = presented[0].public_key()
        except Exception as error:  # a key of a kind or curve that the parser does not know
            raise TrustError("certificate.profile", "its key cannot be read") from error
        return verifying_key(public, kid=kid, algorithm=algorithm)
    if bundle.public_key:
        loaded = load_public_key(bundle.public_key.encode())
        return verifying_key(loaded.public_key, kid=kid, algorithm=algorithm)
    raise TrustError(
        "receipt.invalid", "nothing says whose key signed it: name its certificate or its key"
    )


def _prove_authority(
    claims: ReceiptClaims,
    presented: Sequence[x509.Certificate],
    trusted: Trusted,
    found: Findings,
) -> None:
    step = "authority"
    if trusted.key is not None:
        found.proved(step, f"the key is the one that you have of {claims.gateway}")
        return
    if not trusted.authorities:
        found.unchecked(step, f"whether the key is {claims.gateway}'s: no authority was named")
        return

    def work() -> SigningPath:
        if not presented:
            raise TrustError("certificate.untrusted", "no certificate comes with it")
        path = prove_signer(presented, trusted.authorities, at=claims.received_at)
        if path.party != claims.gateway:
            raise TrustError("receipt.invalid", f"the certificate is that of {path.party}")
        return path

    path = found.prove(
        step,
        work,
        lambda path: (
            f"{_subject(path.chain[-1])} vouched for {path.party} at "
            f"{claims.received_at:%Y-%m-%d %H:%M:%S %Z}, by {len(path.chain)} certificates"
        ),
    )
    if path is None:
        return
    if not trusted.lists:
        found.unchecked("revocation", "no revocation list was given")
        return
    found.prove(
        "revocation",
        lambda: judge_revocation(path, trusted.lists, at=claims.received_at),
        lambda _: "no certificate of the path was revoked then",
    )


def _prove_content(claims: ReceiptClaims, content: Content | None, found: Findings) -> None:
    if content is None:
        found.unchecked("content", "the content was not given")
        return

    def work() -> None:
        if (content.digest, content.size) != (claims.digest, claims.size):
            raise TrustError(
                "receipt.invalid",
                f"it is of other bytes: {claims.size} with SHA-256 {claims.digest}, "
                f"not {content.size} with {content.digest}",
            )

    found.prove("content", work, lambda _: f"these {claims.size} bytes are what was received")


def _prove_outcomes(claims: ReceiptClaims, outcomes: bytes | None, found: Findings) -> None:
    if outcomes is None:
        found.unchecked("outcomes", "the list of outcomes was not given")
        return

    def work() -> None:
        if hashlib.sha256(outcomes).hexdigest() != claims.outcomes:
            raise TrustError("receipt.invalid", "the list of outcomes is not the receipt's")

    found.prove(
        "outcomes",
        work,
        lambda _: f"this list says so of {claims.accepted + claims.refused} messages",
    )


def _subject(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string()[:120]
