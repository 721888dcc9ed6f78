"""Why a whole submission is refused before its content is understood, and the gRPC status of it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import grpc

from translators.wire.exchange.v1 import exchange_pb2

PROBLEM_METADATA = "luxor-problem-bin"
"""Trailing metadata that holds the ``Problem`` of a call that failed (exchange.proto)."""


class Problem(Exception):
    """A submission that cannot be taken; ``code`` is a key of :data:`STATUSES`."""

    def __init__(self, code: str, detail: str = "") -> None:
        self.code = code
        self.detail = detail
        super().__init__(f"{code}: {detail}")

    @property
    def status(self) -> grpc.StatusCode:
        """The status that ends a unary call."""
        return STATUSES[self.code][0]

    def message(self) -> exchange_pb2.Problem:
        """On the wire."""
        return exchange_pb2.Problem(
            code=self.code, title=STATUSES[self.code][1], detail=self.detail
        )


_DENIED = grpc.StatusCode.PERMISSION_DENIED
_UNPROVED = grpc.StatusCode.UNAUTHENTICATED
_WRONG = grpc.StatusCode.INVALID_ARGUMENT

STATUSES: Mapping[str, tuple[grpc.StatusCode, str]] = MappingProxyType(
    {
        "interchange.id-missing": (_WRONG, "The interchange has no id"),
        "interchange.id-invalid": (_WRONG, "The interchange id has a wrong form"),
        "interchange.conflict": (
            grpc.StatusCode.ALREADY_EXISTS,
            "This interchange id was accepted with other bytes",
        ),
        "interchange.not-found": (grpc.StatusCode.NOT_FOUND, "No such interchange of yours"),
        "body.empty": (_WRONG, "The interchange is empty"),
        "body.oversize": (grpc.StatusCode.RESOURCE_EXHAUSTED, "The interchange is too large"),
        "format.unknown": (_WRONG, "This format is not spoken here"),
        "request.invalid": (_WRONG, "The request cannot be understood"),
        "request.method": (grpc.StatusCode.UNIMPLEMENTED, "This call is not offered here"),
        "certificate.missing": (_UNPROVED, "There is no client certificate"),
        "certificate.untrusted": (_DENIED, "No registered authority vouches for the certificate"),
        "certificate.expired": (_DENIED, "The certificate has expired"),
        "certificate.not-yet-valid": (_DENIED, "The certificate is not valid yet"),
        "certificate.revoked": (_DENIED, "The certificate is revoked"),
        "certificate.profile": (_DENIED, "The certificate breaks the required profile"),
        "tls.version": (_DENIED, "TLS 1.3 is required"),
        "revocation.unavailable": (
            grpc.StatusCode.UNAVAILABLE,
            "Whether the certificate is revoked cannot be told now",
        ),
        "party.unknown": (_DENIED, "The registry has no such party"),
        "party.suspended": (_DENIED, "The party is suspended"),
        "party.ambiguous": (_DENIED, "The certificate could stand for several parties"),
        "permission.read": (_DENIED, "Only the gateway delivers and asks here"),
        "signature.missing": (_UNPROVED, "The signature is missing"),
        "signature.malformed": (_UNPROVED, "The signature is malformed"),
        "signature.key-unknown": (_UNPROVED, "The signing key is not registered"),
        "signature.key-expired": (_UNPROVED, "The signing key is outside its validity"),
        "signature.invalid": (_UNPROVED, "The signature does not match the content"),
        "signature.stale": (_UNPROVED, "The time of signing is too far from now"),
        "signature.audience": (_UNPROVED, "The signature was made for another receiver"),
        "signature.interchange": (_UNPROVED, "The signature was made for another interchange"),
        "signature.format": (_UNPROVED, "The signature was made for another format"),
        "signature.algorithm": (_UNPROVED, "The signature algorithm is not the registered one"),
        "overload": (grpc.StatusCode.UNAVAILABLE, "Too much is waiting; try again"),
        "internal": (grpc.StatusCode.INTERNAL, "Something went wrong here; try again"),
    }
)
"""Status and title by code. The codes are those that the gateway itself documents."""
