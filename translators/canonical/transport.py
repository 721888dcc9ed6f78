"""Despatches, receptacles and transport events: where items travel and how they are bundled."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from msgspec import Meta, Struct

from translators.canonical.items import Extra
from translators.canonical.provenance import Provenance
from translators.canonical.scalars import (
    Code,
    Country,
    Identifier,
    Instant,
    Ordinal,
    Quantity,
    Text35,
    Text140,
    Text512,
)


class Receptacle(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """A bag, tray or container of items, by its S9 identifier (29 characters)."""

    receptacle_id: Text35
    type: Code | None = None
    gross_weight: Decimal | None = None
    """Kilograms."""
    item_ids: Annotated[tuple[Text35, ...], Meta(max_length=9999)] = ()


class TransportLeg(
    Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """One leg of a journey."""

    number: Ordinal
    mode: Code | None = None
    carrier: Text35 | None = None
    conveyance: Text35 | None = None
    """Flight or voyage number."""
    from_place: Text35 | None = None
    to_place: Text35 | None = None
    departs_at: Instant | None = None
    arrives_at: Instant | None = None


class Despatch(
    Struct,
    frozen=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    kw_only=True,
    tag_field="type",
    tag="Despatch",
):
    """Items in receptacles in a despatch, with the legs that carry them (PREDES)."""

    despatch_id: Text35
    origin_office: Text35
    """IMPC code."""
    destination_office: Text35
    provenance: Provenance | None = None
    function: Code | None = None
    mail_class: Code | None = None
    mail_category: Code | None = None
    mail_subclass: Code | None = None
    year: Quantity | None = None
    closed_at: Instant | None = None
    gross_weight: Decimal | None = None
    receptacles: Annotated[tuple[Receptacle, ...], Meta(max_length=9999)] = ()
    legs: Annotated[tuple[TransportLeg, ...], Meta(max_length=20)] = ()
    extra: Extra = {}


class TransportEvent(
    Struct,
    frozen=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    kw_only=True,
    tag_field="type",
    tag="TransportEvent",
):
    """Something that happened to items, receptacles or a consignment (EMSEVT, RESDIT, arrival)."""

    event: Code
    """posted, despatched, loaded, arrived, presented-to-customs, released, delivered, …"""
    occurred_at: Instant
    provenance: Provenance | None = None
    event_id: Identifier | None = None
    item_ids: Annotated[tuple[Text35, ...], Meta(max_length=9999)] = ()
    receptacle_ids: Annotated[tuple[Text35, ...], Meta(max_length=9999)] = ()
    despatch_id: Text35 | None = None
    mrn: Text35 | None = None
    office: Text35 | None = None
    place: Text140 | None = None
    country: Country | None = None
    carrier: Text35 | None = None
    conveyance: Text35 | None = None
    reason: Code | None = None
    remark: Text512 | None = None
    extra: Extra = {}
