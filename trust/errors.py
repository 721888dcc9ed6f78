"""The one exception of this package, and the table of its codes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

CODES: Mapping[str, str] = MappingProxyType(
    {
        "certificate.untrusted": "no registered authority vouches for this certificate",
        "certificate.expired": "the certificate, or an authority above it, has expired",
        "certificate.not-yet-valid": "the certificate is not valid yet",
        "certificate.revoked": "its issuer has revoked the certificate, or one above it",
        "certificate.profile": "the certificate breaks the profile that this network requires",
        "revocation.unavailable": "no evidence in force shows that the certificate was not revoked",
        "party.unknown": "the registry has no such party",
        "party.suspended": "the party is registered and suspended",
        "party.ambiguous": "the certificate could stand for more than one party",
        "party.identification": "the registration does not let the party identify itself this way",
        "signature.missing": "this party must sign what it sends, and no signature came",
        "signature.malformed": "the signature is not one of the required profile",
        "signature.key-unknown": "the party has no registered key of that name",
        "signature.key-expired": "the key is outside the time in which it may sign",
        "signature.invalid": "the signature does not match the content",
        "signature.stale": "the time of signing is too far from now",
        "signature.audience": "the signature was made for another receiver",
        "signature.interchange": "the signature was made for another interchange id",
        "signature.format": "the signature was made for another format",
        "signature.principal": "the signature was made in another party's name, or in no other's",
        "signature.algorithm": "the algorithm is not the registered one, or cannot be used here",
        "signature.component": "the signature does not cover what it must, or not as it must",
        "signature.digest": "Content-Digest is not that of the content",
        "signature.replayed": "this signature was used before",
        "permission.format": "the party may not send this format",
        "permission.kind": "the party may not send this kind of message",
        "permission.country": "the party may not send messages for this country",
        "permission.on-behalf-of": "the party may not act for that other party",
        "permission.receive": "the party may not receive this message",
        "delegation.invalid": "the token is no delegation, or its signature does not match",
        "successor.invalid": "the token does not announce a key, or its signatures do not match",
        "receipt.invalid": "the token is not a receipt, or its signature does not match",
        "evidence.invalid": "the package of evidence is incomplete, or was changed",
    }
)
"""Every code that ``TrustError`` can carry, and what it means."""


class TrustError(Exception):
    """A proof that failed. The same proof may hold later (time, lists and registry change).

    ``code`` is a key of ``CODES``; ``detail`` is a sentence for the person at the other end,
    which repeats nothing that this person did not send.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        if code not in CODES:
            raise KeyError(code)
        self.code = code
        self.detail = detail or CODES[code]
        super().__init__(f"{code}: {self.detail}")
