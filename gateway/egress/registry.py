"""Transports by name: what a destination of the configuration becomes.

A further transport is one module beside this one and one line in ``TRANSPORTS``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType

import msgspec

from gateway.core.ports import Clock, Destination
from gateway.egress.correspondent import Correspondent
from gateway.egress.folder import FolderDestination
from gateway.egress.grpc import GrpcDestination, GrpcDestinationSettings
from gateway.egress.https import HttpsDestination, HttpsDestinationSettings
from gateway.egress.tls import ClientTls, OwnPair
from gateway.pipeline.signing import SigningDesk
from translators.translator import FormatId
from trust.identity import PartyId
from trust.keys import PublicKey

FALLBACK_TYPE = "application/octet-stream"
_SUFFIXES = {"json": ".json", "xml": ".xml", "x-ndjson": ".ndjson"}
FALLBACK_SUFFIX = ".bin"


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """One destination of the configuration.

    ``address`` is a URL (https), ``host:port`` (grpc) or a folder. ``authority`` pins the issuer
    of the receiver's server certificate. ``suffix`` ends file names, with its dot; by default it
    follows from the format. ``timeout`` is in seconds.
    """

    id: str
    transport: str
    address: str
    receiver: PartyId
    authority: Path | None = None
    receipt_required: bool = True
    suffix: str | None = None
    timeout: float = 15.0


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What every destination of a gateway shares.

    ``own`` gives our certificate and key as they are now, ``keys`` a party's registered
    signing keys as they are now; ``media_types`` those of a format, the written one first.
    """

    sender: PartyId
    desk: SigningDesk
    own: Callable[[], OwnPair]
    keys: Callable[[PartyId], Mapping[str, PublicKey]]
    media_types: Callable[[FormatId], tuple[str, ...]]
    clock: Clock

    def correspondent(self, receiver: PartyId) -> Correspondent:
        """The receiving party with our side of the exchange."""
        return Correspondent(
            sender=self.sender,
            receiver=receiver,
            desk=self.desk,
            keys=lambda: self.keys(receiver),
            clock=self.clock,
        )

    def tls(self, authority: Path | None) -> ClientTls:
        """Our certificate of now towards a receiver."""
        return ClientTls(own=self.own(), authority=authority)

    def media_type(self, format_id: FormatId) -> str:
        """The media type that is written for a format."""
        return next(iter(self.media_types(format_id)), FALLBACK_TYPE)

    def suffix(self, format_id: FormatId) -> str:
        """The ending of file names of a format, from its media type (``…+json``, ``…/xml``)."""
        ending = self.media_type(format_id).rpartition("/")[2].rpartition("+")[2]
        return _SUFFIXES.get(ending, FALLBACK_SUFFIX)


Factory = Callable[[Target, Surroundings], Destination]


def _https(target: Target, surroundings: Surroundings) -> Destination:
    return HttpsDestination(
        id=target.id,
        url=target.address,
        tls=partial(surroundings.tls, target.authority),
        correspondent=surroundings.correspondent(target.receiver),
        receipt_required=target.receipt_required,
        media_type=surroundings.media_type,
        settings=HttpsDestinationSettings(timeout=target.timeout),
    )


def _grpc(target: Target, surroundings: Surroundings) -> Destination:
    return GrpcDestination(
        id=target.id,
        address=target.address,
        tls=partial(surroundings.tls, target.authority),
        correspondent=surroundings.correspondent(target.receiver),
        settings=GrpcDestinationSettings(timeout=target.timeout),
    )


def _folder(target: Target, surroundings: Surroundings) -> Destination:
    suffix = target.suffix
    return FolderDestination(
        id=target.id,
        folder=Path(target.address),
        suffix=surroundings.suffix if suffix is None else lambda _: suffix,
    )


TRANSPORTS: Mapping[str, Factory] = MappingProxyType(
    {"https": _https, "grpc": _grpc, "folder": _folder}
)
"""Every transport that the configuration may name."""


def open_destination(target: Target, surroundings: Surroundings) -> Destination:
    """The destination, not connected yet; raises ``KeyError`` for an unknown transport."""
    return TRANSPORTS[target.transport](target, surroundings)
