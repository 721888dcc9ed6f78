"""The goods declaration of brokers, carriers and posts (WCO Data Model, import and export)."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from msgspec import Meta, Struct

from translators.canonical.goods import Money, Pointer, TaxReference
from translators.canonical.parties import Office, TradeParty
from translators.canonical.provenance import Provenance
from translators.canonical.scalars import (
    Code,
    CommodityCode,
    Country,
    Currency,
    Identifier,
    Instant,
    Ordinal,
    Quantity,
    Text17,
    Text35,
    Text140,
    Text512,
)


class DeclaredDocument(
    Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """A document or certificate as data elements 2/1 and 2/3 name it."""

    category: Code | None = None
    type: Code | None = None
    id: Identifier | None = None
    name: Text140 | None = None
    line: Quantity | None = None
    effective_at: Instant | None = None
    issuer: Text140 | None = None
    exemption: Code | None = None
    quantity: Decimal | None = None
    unit: Code | None = None
    amount: Money | None = None


class Statement(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """Additional information: a code, a text, or both."""

    code: Code | None = None
    type: Code | None = None
    text: Text512 | None = None
    pointers: Annotated[tuple[Pointer, ...], Meta(max_length=99)] = ()


class Authorisation(
    Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """An authorisation and who holds it."""

    category: Code
    holder_id: Identifier | None = None


class SupplyChainActor(
    Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """Another party in the chain, or a mutually recognised AEO, by identifier and role."""

    id: Identifier
    role: Code | None = None


class Amendment(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """What an amendment changes and why."""

    reason: Code
    pointers: Annotated[tuple[Pointer, ...], Meta(max_length=99)] = ()


class TransportMeans(
    Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """A means of transport at arrival, departure or the border."""

    id: Identifier | None = None
    id_type: Code | None = None
    type: Code | None = None
    mode: Code | None = None
    """WCO mode of transport; 5 is post."""
    nationality: Country | None = None
    name: Text140 | None = None


class Location(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """Where goods are, are loaded, unloaded or stored."""

    id: Identifier | None = None
    name: Text140 | None = None
    type: Code | None = None
    qualifier: Code | None = None
    country: Country | None = None
    lines: Annotated[tuple[Text140, ...], Meta(max_length=9)] = ()
    city: Text140 | None = None
    postcode: Text17 | None = None


class Packaging(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """Packages of one kind with their marks."""

    type: Code | None = None
    quantity: Quantity | None = None
    marks: Text512 | None = None
    number: Quantity | None = None


class Procedure(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """A customs procedure: requested and previous, or one additional code such as C07 or F48."""

    current: Code
    previous: Code | None = None


class Classification(
    Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """A code of the goods in one nomenclature, such as TSP, TRC, TRA, GN, CV."""

    code: Identifier
    type: Code | None = None


class ValuationAdjustment(
    Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """An addition to or deduction from the customs value."""

    type: Code
    amount: Money | None = None


class DutyTaxFee(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """A duty or tax as declared."""

    type: Code | None = None
    regime: Code | None = None
    quota: Identifier | None = None
    rate: Decimal | None = None
    basis_quantity: Decimal | None = None
    basis_unit: Code | None = None
    basis: Money | None = None
    payable: Money | None = None
    payment_method: Code | None = None
    payment: Money | None = None


class GoodsItem(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """One goods item of a declaration."""

    number: Ordinal
    description: Text512 | None = None
    hs: CommodityCode | None = None
    classifications: Annotated[tuple[Classification, ...], Meta(max_length=99)] = ()
    procedures: Annotated[tuple[Procedure, ...], Meta(max_length=99)] = ()
    transaction_nature: Code | None = None
    customs_value: Money | None = None
    statistical_value: Money | None = None
    invoice_amount: Money | None = None
    gross_weight: Decimal | None = None
    net_weight: Decimal | None = None
    supplementary_quantity: Decimal | None = None
    supplementary_unit: Code | None = None
    origin_country: Country | None = None
    preferential_origin: Country | None = None
    origin_type: Code | None = None
    export_country: Country | None = None
    destination_country: Country | None = None
    valuation_method: Code | None = None
    valuation_indicators: Text17 | None = None
    valuation_adjustments: Annotated[tuple[ValuationAdjustment, ...], Meta(max_length=99)] = ()
    quota: Identifier | None = None
    dangerous_goods: Code | None = None
    reference_number: Text35 | None = None
    """Unique consignment reference of this item."""
    transport_equipment: Annotated[tuple[Identifier, ...], Meta(max_length=99)] = ()
    packagings: Annotated[tuple[Packaging, ...], Meta(max_length=99)] = ()
    duties: Annotated[tuple[DutyTaxFee, ...], Meta(max_length=99)] = ()
    documents: Annotated[tuple[DeclaredDocument, ...], Meta(max_length=99)] = ()
    previous_documents: Annotated[tuple[DeclaredDocument, ...], Meta(max_length=99)] = ()
    statements: Annotated[tuple[Statement, ...], Meta(max_length=99)] = ()
    actors: Annotated[tuple[SupplyChainActor, ...], Meta(max_length=99)] = ()
    tax_references: Annotated[tuple[TaxReference, ...], Meta(max_length=99)] = ()
    seller: TradeParty | None = None
    buyer: TradeParty | None = None
    consignee: TradeParty | None = None
    consignor: TradeParty | None = None
    exporter: TradeParty | None = None


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
    """Kind of declaration, as IMA, IMD, EXA."""
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
    guarantees: Annotated[tuple[DeclaredDocument, ...], Meta(max_length=99)] = ()
    documents: Annotated[tuple[DeclaredDocument, ...], Meta(max_length=99)] = ()
    previous_documents: Annotated[tuple[DeclaredDocument, ...], Meta(max_length=999)] = ()
    statements: Annotated[tuple[Statement, ...], Meta(max_length=99)] = ()
    amendments: Annotated[tuple[Amendment, ...], Meta(max_length=99)] = ()
    freight_payment: Code | None = None
