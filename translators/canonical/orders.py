"""The order of an e-commerce platform: what was sold, by whom, to whom, paid how."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from msgspec import Meta, Struct

from translators.canonical.goods import Document, Money, ProductId, TaxReference
from translators.canonical.items import Extra
from translators.canonical.parties import TradeParty
from translators.canonical.provenance import Provenance
from translators.canonical.scalars import (
    Code,
    CommodityCode,
    Country,
    Identifier,
    Instant,
    Ordinal,
    Quantity,
    Text35,
    Text70,
    Text512,
    Url,
)


class OrderLine(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """One line of an order. ``unit_price`` is what was paid, ``listed_price`` what was asked."""

    number: Ordinal
    description: Text512
    quantity: Quantity
    unit_price: Money
    sku: Text70 | None = None
    product_ids: Annotated[tuple[ProductId, ...], Meta(max_length=9)] = ()
    url: Url | None = None
    image: Url | None = None
    hs: CommodityCode | None = None
    origin_country: Country | None = None
    listed_price: Money | None = None
    discount: Money | None = None
    net_weight: Decimal | None = None
    """Kilograms, of all pieces of this line."""
    seller_id: Identifier | None = None
    tax_collected: Money | None = None


class Payment(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """How an order was paid."""

    reference: Identifier
    method: Code
    amount: Money
    paid_at: Instant | None = None
    status: Code | None = None
    provider: Text70 | None = None


class Parcel(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """A parcel that an order went into, wholly (no ``lines``) or with the lines named."""

    tracking_number: Text35
    """S10 or the carrier's own number."""
    carrier: Text70 | None = None
    shipped_at: Instant | None = None
    lines: Annotated[tuple[Ordinal, ...], Meta(max_length=999)] = ()


class Order(
    Struct,
    frozen=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    kw_only=True,
    tag_field="type",
    tag="Order",
):
    """One order. ``parcels`` often comes later, by a second message with the same order id."""

    platform_id: Identifier
    order_id: Identifier
    ordered_at: Instant
    seller: TradeParty
    consignee: TradeParty
    lines: Annotated[tuple[OrderLine, ...], Meta(min_length=1, max_length=999)]
    provenance: Provenance | None = None
    function: Code | None = None
    """original, replacement, amendment or withdrawal (a cancelled order)."""
    status: Code | None = None
    """placed, shipped, cancelled, returned."""
    seller_id: Identifier | None = None
    buyer: TradeParty | None = None
    buyer_id: Identifier | None = None
    destination_country: Country | None = None
    discount: Money | None = None
    freight: Money | None = None
    insurance: Money | None = None
    total: Money | None = None
    payments: Annotated[tuple[Payment, ...], Meta(max_length=20)] = ()
    tax_references: Annotated[tuple[TaxReference, ...], Meta(max_length=9)] = ()
    tax_collected: Money | None = None
    incoterm: Code | None = None
    parcels: Annotated[tuple[Parcel, ...], Meta(max_length=99)] = ()
    cancelled_at: Instant | None = None
    return_of: Identifier | None = None
    """The order whose goods come back."""
    return_reason: Text512 | None = None
    invoice_number: Text35 | None = None
    documents: Annotated[tuple[Document, ...], Meta(max_length=99)] = ()
    extra: Extra = {}
