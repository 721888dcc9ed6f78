"""What customs answers: the decision on an item or declaration with taxes, errors and remarks."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from msgspec import Meta, Struct

from translators.canonical.goods import Document, Money, Pointer
from translators.canonical.parties import Office
from translators.canonical.provenance import Provenance
from translators.canonical.scalars import (
    Code,
    CommodityCode,
    Country,
    Identifier,
    Instant,
    Quantity,
    Text17,
    Text35,
    Text140,
    Text512,
)


class TaxLine(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """One duty or tax with its arithmetic: ``basis`` × ``rate`` = ``amount`` where that applies."""

    type: Code
    """duty, VAT, excise, handling-fee, … or the authority's own code."""
    amount: Money
    rate: Decimal | None = None
    """Per cent of the basis."""
    basis: Money | None = None
    description: Text512 | None = None
    hs: CommodityCode | None = None
    piece: Quantity | None = None
    """Number of the content piece or goods item that it is for; absent: the whole."""
    relief: Code | None = None
    """Why nothing or less is due: de-minimis, gift, prepaid-ioss, returned-goods, …"""
    payment_method: Code | None = None


class ResponseError(
    Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """One error that the authority found, with where."""

    code: Text17
    description: Text512 | None = None
    pointers: Annotated[tuple[Pointer, ...], Meta(max_length=99)] = ()


class StatusEntry(
    Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """A status that the authority gives, with its time."""

    code: Code
    effective_at: Instant | None = None
    released_at: Instant | None = None
    pointers: Annotated[tuple[Pointer, ...], Meta(max_length=99)] = ()


class CustomsResponse(
    Struct,
    frozen=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    kw_only=True,
    tag_field="type",
    tag="CustomsResponse",
):
    """The one answer of customs about an item or a declaration; a later one supersedes it."""

    decision: Code
    """data-received, not-routable, data-late, pending, released, released-on-payment, held,
    held-other-agency, detained, seized, returned, refused, abandoned."""
    decided_at: Instant
    provenance: Provenance | None = None
    regards: Identifier | None = None
    """Message id of what is answered."""
    item_id: Text35 | None = None
    function: Code | None = None
    function_code: Code | None = None
    """WCO response function, as 01 accepted, 08 released."""
    type_code: Code | None = None
    customs_reference: Text35 | None = None
    lrn: Text35 | None = None
    mrn: Text35 | None = None
    response_id: Identifier | None = None
    version: Quantity | None = None
    decision_reason: Text512 | None = None
    dutiable: bool | None = None
    office: Office | None = None
    total_fee: Money | None = None
    taxes: Annotated[tuple[TaxLine, ...], Meta(max_length=999)] = ()
    limit_at: Instant | None = None
    destination_country: Country | None = None
    statuses: Annotated[tuple[StatusEntry, ...], Meta(max_length=99)] = ()
    errors: Annotated[tuple[ResponseError, ...], Meta(max_length=999)] = ()
    documents: Annotated[tuple[Document, ...], Meta(max_length=99)] = ()
    remarks: Annotated[tuple[Text512, ...], Meta(max_length=99)] = ()
    contact: Text140 | None = None
