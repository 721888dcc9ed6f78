"""The goods declaration of brokers, carriers and posts (WCO Data Model, import and export)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated

from msgspec import Meta, Struct

from translators.canonical.declared import (
    Amendment,
    Authorisation,
    DeclaredDocument,
    GoodsItem,
    Location,
    Statement,
    SupplyChainActor,
    TransportEquipment,
    TransportMeans,
    ValuationAdjustment,
)
from translators.canonical.goods import Money, TaxReference
from translators.canonical.parties import Office, TradeParty
from translators.canonical.provenance import Provenance
from translators.canonical.scalars import (
    Code,
    Country,
    Currency,
    Identifier,
    Instant,
    Quantity,
    Text35,
    Text70,
    Text140,
    Text256,
)


class GoodsDeclaration(
    Struct,
    frozen=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    kw_only=True,
    tag_field="type",
    tag="GoodsDeclaration",
):
    """Goods declared to customs for a procedure."""

    function: Code
    """original, amendment, cancellation, goods-presented."""
    type_code: Code
    """Kind of declaration, as IMA, IMD, EXA; of an amendment COR, of a cancellation INV, of an
    arrival GPR."""
    lrn: Text35
    """The declarant's own reference."""
    items: Annotated[tuple[GoodsItem, ...], Meta(max_length=999)] = ()
    provenance: Provenance | None = None
    mrn: Identifier | None = None
    accepted_at: Instant | None = None
    issued_at: Instant | None = None
    item_ids: Annotated[tuple[Text35, ...], Meta(max_length=999)] = ()
    """Postal items that this declaration covers."""
    declarant: TradeParty | None = None
    representative: TradeParty | None = None
    representation: Code | None = None
    importer: TradeParty | None = None
    exporter: TradeParty | None = None
    seller: TradeParty | None = None
    buyer: TradeParty | None = None
    consignor: TradeParty | None = None
    consignee: TradeParty | None = None
    carrier: TradeParty | None = None
    submitter: TradeParty | None = None
    actors: Annotated[tuple[SupplyChainActor, ...], Meta(max_length=99)] = ()
    authorisations: Annotated[tuple[Authorisation, ...], Meta(max_length=99)] = ()
    tax_references: Annotated[tuple[TaxReference, ...], Meta(max_length=99)] = ()
    office: Office | None = None
    exit_office: Office | None = None
    supervising_office: Office | None = None
    presentation_office: Office | None = None
    invoice_total: Money | None = None
    exchange_rate: Decimal | None = None
    exchange_currency: Currency | None = None
    goods_item_count: Quantity | None = None
    package_count: Quantity | None = None
    gross_weight: Decimal | None = None
    transaction_nature: Code | None = None
    specific_circumstances: Code | None = None
    trade_terms: Code | None = None
    trade_terms_place: Text140 | None = None
    ucr: Text35 | None = None
    trader_reference: Text35 | None = None
    export_country: Country | None = None
    destination_country: Country | None = None
    routing_countries: Annotated[tuple[Country, ...], Meta(max_length=99)] = ()
    border_transport: TransportMeans | None = None
    arrival_transport: TransportMeans | None = None
    departure_transport: TransportMeans | None = None
    containerised: Code | None = None
    goods_location: Location | None = None
    loading_location: Location | None = None
    warehouse: Location | None = None
    transport_equipment: Annotated[tuple[Identifier, ...], Meta(max_length=999)] = ()
    """Containers of which nothing but the number is known; ``containers`` has the others."""
    guarantees: Annotated[tuple[DeclaredDocument, ...], Meta(max_length=99)] = ()
    documents: Annotated[tuple[DeclaredDocument, ...], Meta(max_length=99)] = ()
    previous_documents: Annotated[tuple[DeclaredDocument, ...], Meta(max_length=999)] = ()
    statements: Annotated[tuple[Statement, ...], Meta(max_length=99)] = ()
    amendments: Annotated[tuple[Amendment, ...], Meta(max_length=99)] = ()
    freight_payment: Code | None = None
    containers: Annotated[tuple[TransportEquipment, ...], Meta(max_length=999)] = ()
    payer: TradeParty | None = None
    surety: TradeParty | None = None
    issue_place: Code | None = None
    """UN/LOCODE of where the document was issued (WCO D012)."""
    exit_at: Instant | None = None
    loading_list_count: Quantity | None = None
    authentication: Text256 | None = None
    authenticator: Text70 | None = None
    invoice_number: Identifier | None = None
    invoice_issued_at: Instant | None = None
    freight_charge: Money | None = None
    valuation_adjustments: Annotated[tuple[ValuationAdjustment, ...], Meta(max_length=99)] = ()
    trade_terms_location: Identifier | None = None
    """The place of the terms by code, such as a UN/LOCODE; ``trade_terms_place`` is its name."""
    trade_terms_description: Text140 | None = None
    trade_terms_relationship: Code | None = None
    destination_region: Code | None = None
    invoice_issued_on: date | None = None
    """The day, where no time of day is said; ``invoice_issued_at`` is an instant."""
