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
        "revocation.unavailable": "an issuer's revocation list is missing, unusable or out of date",
        "party.unknown": "the registry has no such party",
        "party.suspended": "the party is registered and suspended",
        "party.ambiguous": "the certificate could stand for more than one party",
        "signature.missing": "this party must sign what it sends, and no signature came",
        "signature.malformed": "the signature is not a detached JWS of the required profile",
        "signature.key-unknown": "the party has no registered key of that name",
        "signature.key-expired": "the key is outside the time in which it may sign",
        "signature.invalid": "the signature does not match the content",
        "signature.stale": "the time of signing is too far from now",
        "signature.audience": "the signature was made for another receiver",
        "signature.interchange": "the signature was made for another interchange id",
        "signature.format": "the signature was made for another format",
        "signature.algorithm": "the algorithm is not the registered one, or cannot be used here",
        "permission.format": "the party may not send this format",
        "permission.kind": "the party may not send this kind of message",
        "permission.country": "the party may not send messages for this country",
        "permission.on-behalf-of": "the party may not act for that other party",
        "receipt.invalid": "the token is not a receipt, or its signature does not match",
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
