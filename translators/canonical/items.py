"""The item declaration: what a post knows of one item (UPU M33 ITMATT, M43 CUSITM; ICS2 F43)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated

from msgspec import Meta, Struct

from translators.canonical.declared import Statement, SupplyChainActor
from translators.canonical.goods import AttachedFile, ContentPiece, Document, Money, TaxReference
from translators.canonical.parties import TradeParty
from translators.canonical.provenance import Provenance
from translators.canonical.scalars import Code, Country, Identifier, Text35, Text140, Text512

Extra = Annotated[dict[Identifier, Text512], Meta(max_length=99)]
"""Free extension of a sender: kept and passed on where the format can."""


class ItemDeclaration(
    Struct,
    frozen=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    kw_only=True,
    tag_field="type",
    tag="ItemDeclaration",
):
    """One postal item with its sender, addressee and content."""

    item_id: Text35
    """S10 identifier, or another when ``item_id_type`` says so."""
    mail_class: Code
    """letters, parcels or EMS (UPU code list 116: U, C, E)."""
    nature: Code
    """Nature of transaction: sale, gift, commercial-sample, documents, returned-goods, …"""
    gross_weight: Decimal
    """Kilograms."""
    sender: TradeParty
    addressee: TradeParty
    pieces: Annotated[tuple[ContentPiece, ...], Meta(min_length=1, max_length=999)]
    provenance: Provenance | None = None
    item_id_type: Code | None = None
    local_id: Text35 | None = None
    function: Code | None = None
    """original, replacement, amendment or withdrawal."""
    customs_reference: Text35 | None = None
    postal_reference: Text35 | None = None
    mail_category: Code | None = None
    handling_class: Code | None = None
    origin_operator: Text35 | None = None
    destination_operator: Text35 | None = None
    origin_country: Country | None = None
    destination_country: Country | None = None
    posting_date: date | None = None
    transport_date: date | None = None
    transport_mode: Code | None = None
    declared_value: Money | None = None
    postage: Money | None = None
    insured_value: Money | None = None
    order_reference: Text35 | None = None
    tax_references: Annotated[tuple[TaxReference, ...], Meta(max_length=9)] = ()
    invoice_number: Text35 | None = None
    return_of: Identifier | None = None
    """The earlier item that this one brings back."""
    representative: TradeParty | None = None
    documents: Annotated[tuple[Document, ...], Meta(max_length=99)] = ()
    attachments: Annotated[tuple[AttachedFile, ...], Meta(max_length=9)] = ()
    lrn: Text35 | None = None
    mrn: Text35 | None = None
    referral_reference: Text35 | None = None
    remark: Text512 | None = None
    contact: Text140 | None = None
    extra: Extra = {}
    item_document_type: Code | None = None
    """Type of the transport document whose number ``item_id`` is, as N750 for post."""
    ucr: Text35 | None = None
    """Unique consignment reference (WCO)."""
    statements: Annotated[tuple[Statement, ...], Meta(max_length=99)] = ()
    supply_chain_actors: Annotated[tuple[SupplyChainActor, ...], Meta(max_length=9)] = ()
