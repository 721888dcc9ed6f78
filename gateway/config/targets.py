"""What the destinations of the configuration are to those who deliver."""

from __future__ import annotations

from gateway.config.document import Config, DestinationSection
from gateway.egress.registry import Target
from trust.identity import PartyId


def target_of(config: Config, section: DestinationSection) -> Target:
    """One destination; nothing is opened."""
    settings = section.dispatch or config.dispatch
    address = section.address
    if section.transport == "folder":
        address = str(config.path(address))
    return Target(
        id=section.id,
        transport=section.transport,
        address=address,
        receiver=PartyId(section.party),
        authority=None if section.ca is None else config.path(section.ca),
        receipt_required=section.receipt == "required",
        suffix=section.suffix,
        timeout=settings.timeout,
    )
