"""The destinations of the configuration, opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from gateway.config.document import Config, DestinationSection
from gateway.core.ports import Clock, Destination
from gateway.egress.registry import Surroundings, Target, open_destination
from gateway.egress.tls import OwnPair
from gateway.pipeline.signing import SigningDesk
from translators.registry import Registry as Formats
from trust.authenticator import Authenticator
from trust.identity import PartyId
from trust.keys import PublicKey


def open_destinations(
    config: Config,
    *,
    formats: Formats,
    desk: SigningDesk,
    authenticator: Callable[[], Authenticator],
    own: Callable[[], OwnPair],
    clock: Clock,
) -> Iterator[tuple[DestinationSection, Destination]]:
    """Each destination with its section; none is connected yet."""

    def keys(party: PartyId) -> Mapping[str, PublicKey]:
        return authenticator().keys(party)

    surroundings = Surroundings(
        sender=PartyId(config.gateway.id),
        desk=desk,
        own=own,
        keys=keys,
        media_types=lambda format_id: formats.get(format_id).media_types,
        clock=clock,
    )
    for section in config.destination:
        settings = section.dispatch or config.dispatch
        address = section.address
        if section.transport == "folder":
            address = str(config.path(address))
        target = Target(
            id=section.id,
            transport=section.transport,
            address=address,
            receiver=PartyId(section.party),
            authority=None if section.ca is None else config.path(section.ca),
            receipt_required=section.receipt == "required",
            suffix=section.suffix,
            timeout=settings.timeout,
        )
        yield section, open_destination(target, surroundings)
