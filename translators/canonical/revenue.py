"""Revenue: what is due on an item or order, explained line by line."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated

from msgspec import Meta, Struct

from translators.canonical.goods import Money, TaxReference
from translators.canonical.provenance import Provenance
from translators.canonical.responses import TaxLine
from translators.canonical.scalars import (
    Code,
    Country,
    Currency,
    Identifier,
    Instant,
    Quantity,
    Text35,
    Text512,
)


class ExchangeRate(
    Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """A rate that was used: one unit of ``source`` is ``rate`` units of ``target``."""

    source: Currency
    target: Currency
    rate: Decimal
    valid_on: date | None = None


class RevenueAssessment(
    Struct,
    frozen=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    kw_only=True,
    tag_field="type",
    tag="RevenueAssessment",
):
    """Duty and tax computed from dated tables; nothing due is said with its relief."""

    assessed_at: Instant
    total: Money
    provenance: Provenance | None = None
    assessment_id: Identifier | None = None
    regards: Identifier | None = None
    item_id: Text35 | None = None
    order_id: Identifier | None = None
    lrn: Text35 | None = None
    mrn: Text35 | None = None
    version: Quantity | None = None
    """Counts the assessments of the same message; a higher one supersedes."""
    jurisdiction: Country | None = None
    regime: Code | None = None
    """standard, low-value, gift, ioss, returned-goods, …"""
    table_version: Text35 | None = None
    customs_value: Money | None = None
    dutiable: bool | None = None
    payable_by: Code | None = None
    """addressee, sender, platform, account."""
    collected: Money | None = None
    """Already collected at the sale."""
    taxes: Annotated[tuple[TaxLine, ...], Meta(max_length=999)] = ()
    tax_references: Annotated[tuple[TaxReference, ...], Meta(max_length=9)] = ()
    exchange_rates: Annotated[tuple[ExchangeRate, ...], Meta(max_length=20)] = ()
    reason: Text512 | None = None
