"""Parts of a goods declaration, from a document to a whole goods item (WCO Data Model).

Docstrings give the WCO data element or class number where it says more than the name.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated

from msgspec import Meta, Struct

from translators.canonical.goods import Money, Pointer, TaxReference
from translators.canonical.parties import Office, TradeParty
from translators.canonical.scalars import (
    Code,
    CommodityCode,
    Country,
    Identifier,
    Instant,
    Ordinal,
    Quantity,
    Text17,
    Text35,
    Text140,
    Text256,
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
    issuer_role: Code | None = None
    reference: Identifier | None = None
    """Of a guarantee: its own reference beside the number (WCO 100)."""
    access_code: Code | None = None
    office: Office | None = None
    """Of a guarantee: the office that holds it (WCO 14C)."""
    effective_on: date | None = None
    """The day, where no time of day is said; ``effective_at`` is an instant."""


class Statement(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """Additional information: a code, a text, or both."""

    code: Code | None = None
    type: Code | None = None
    text: Text512 | None = None
    pointers: Annotated[tuple[Pointer, ...], Meta(max_length=99)] = ()
    """One chain from the outermost section (WCO 97A)."""
    limit_at: Instant | None = None
    """Until when something is to be done (WCO 264)."""
    limit_on: date | None = None
    """The last day of it, where no time of day is said."""


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
    """One chain from the outermost section (WCO 97A)."""


class TransportMeans(
    Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """A means of transport at arrival, departure or the border."""

    id: Identifier | None = None
    id_type: Code | None = None
    type: Code | None = None
    mode: Code | None = None
    """maritime, rail, road, air, mail, … (UN/ECE Recommendation 19)."""
    nationality: Country | None = None
    name: Text140 | None = None


class Location(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """Where goods are, are loaded, unloaded or stored."""

    id: Identifier | None = None
    name: Text256 | None = None
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
    material: Text256 | None = None
    length: Decimal | None = None
    width: Decimal | None = None
    height: Decimal | None = None
    volume: Decimal | None = None


class Seal(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """A seal on transport equipment (WCO 44B)."""

    number: Quantity | None = None
    id: Identifier | None = None


class TransportEquipment(
    Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """A container or the like with its seals (WCO 31B)."""

    number: Quantity | None = None
    id: Identifier | None = None
    seals: Annotated[tuple[Seal, ...], Meta(max_length=999)] = ()


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
    """A duty or tax as declared or as customs assessed it (WCO 50A)."""

    type: Code | None = None
    regime: Code | None = None
    quota: Identifier | None = None
    rate: Decimal | None = None
    basis_quantity: Decimal | None = None
    basis_unit: Code | None = None
    basis: Money | None = None
    payable: Money | None = None
    """Tax assessed (WCO 120)."""
    payment_method: Code | None = None
    payment: Money | None = None
    """What is to be paid (WCO 378)."""
    deduction: Money | None = None
    """What is taken off (WCO 111)."""


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
    preferential_origin: Code | None = None
    """A country, or an authority's code for a group of countries."""
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
    trader_reference: Text35 | None = None
    destination_region: Code | None = None
