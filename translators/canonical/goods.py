"""Goods and money: what messages of several kinds share."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated

from msgspec import Meta, Struct

from translators.canonical.scalars import (
    Code,
    CommodityCode,
    Country,
    Currency,
    Identifier,
    Instant,
    Ordinal,
    Quantity,
    Sha256,
    Text17,
    Text35,
    Text140,
    Text256,
    Text512,
    Url,
)


class Money(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """An amount in an ISO 4217 currency."""

    amount: Decimal
    currency: Currency


class ProductId(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """A product identifier: ``GTIN``, ``manufacturer`` or ``merchant``."""

    type: Code
    value: Identifier


class TaxReference(
    Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """A registration under a tax scheme: IOSS, VOEC, GST and the like."""

    scheme: Code
    number: Identifier


class Document(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """A supporting document: licence, certificate, invoice."""

    type: Code
    number: Identifier
    name: Text140 | None = None
    issued_on: date | None = None
    issuer: Text140 | None = None
    url: Url | None = None


class ContentPiece(
    Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """One kind of goods in an item, as on the CN 22 and CN 23."""

    number: Ordinal
    pieces: Quantity
    description: Text512
    hs: CommodityCode | None = None
    origin_country: Country | None = None
    net_weight: Decimal | None = None
    """Kilograms."""
    amount: Money | None = None
    """Value of all pieces of this line."""
    product_ids: Annotated[tuple[ProductId, ...], Meta(max_length=9)] = ()
    url: Url | None = None
    cus_code: Text17 | None = None
    """Customs Union and Statistics number of a chemical."""


class AttachedFile(
    Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """Bytes that support something: either here in ``content`` (base64) or by ``reference``."""

    media_type: Text140
    digest: Sha256 | None = None
    """SHA-256 in lower-case hexadecimal."""
    size: Quantity | None = None
    name: Text256 | None = None
    content: bytes | None = None
    reference: Url | None = None
    description: Text256 | None = None


class Screening(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """The result of one screening, as in ICS2 R03."""

    method: Code
    outcome: Code
    screened_at: Instant
    screener: Text140 | None = None
    facility: Text140 | None = None
    remark: Text512 | None = None
    screener_id: Identifier | None = None
    screener_type: Code | None = None
    """Natural person, legal person, association of persons, in the authority's code."""


class Pointer(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """Where in another message something is: a canonical path, or the sender's own pointer."""

    path: Annotated[str, Meta(max_length=512)] | None = None
    section: Text35 | None = None
    tag: Text35 | None = None
    sequence: Quantity | None = None
    kind: Code | None = None
    """Kind of message that ``path`` leads into when that is the pointer's own, as
    CustomsResponse; absent: the message that is spoken of."""
