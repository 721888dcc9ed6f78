"""What customs answers: the decision on an item or declaration with taxes, errors and remarks."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated

from msgspec import Meta, Struct

from translators.canonical.declared import Amendment, DutyTaxFee, GoodsItem, Location, Statement
from translators.canonical.goods import Document, Money, Pointer
from translators.canonical.parties import Office
from translators.canonical.provenance import Provenance
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
    Text512,
    Text2000,
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
    technical: Text2000 | None = None
    """What the receiving system itself said, for those who mend it."""


class StatusEntry(
    Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """A status that the authority gives, with its time."""

    code: Code
    effective_at: Instant | None = None
    released_at: Instant | None = None
    pointers: Annotated[tuple[Pointer, ...], Meta(max_length=99)] = ()


class BankAccount(
    Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """Where to pay (WCO 14A): ``bank`` is the BIC, ``account`` the IBAN."""

    account: Identifier | None = None
    bank: Identifier | None = None


class ContactOffice(
    Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """An office that answers questions (WCO 35A)."""

    code: Text35 | None = None
    telephone: Text512 | None = None
    email: Text512 | None = None


class PaymentDue(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """What is to be paid for a declaration as a whole, and which guarantees it is taken from."""

    reference: Identifier | None = None
    assessed: Money | None = None
    amount: Money | None = None
    due_at: Instant | None = None
    guarantees: Annotated[tuple[Identifier, ...], Meta(max_length=99)] = ()
    due_on: date | None = None
    """The day, where no time of day is said."""


class AssessedItem(
    Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """Duties and taxes of one goods item as customs assessed them."""

    number: Ordinal
    duties: Annotated[tuple[DutyTaxFee, ...], Meta(max_length=99)] = ()


class DeclarationExtract(
    Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """What customs shows of a declaration, such as the values after its own amendment."""

    function: Code | None = None
    goods_location: Location | None = None
    items: Annotated[tuple[GoodsItem, ...], Meta(max_length=999)] = ()


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
    held-other-agency, detained, seized, returned, refused, abandoned; of a declaration also
    accepted, rejected, under-control, documents-required, amended, cleared, invalidated,
    request-answered, tax-liability, insufficient-balance, payment-reminder, exited, error."""
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
    accepted_at: Instant | None = None
    cancelled_at: Instant | None = None
    rejected_at: Instant | None = None
    statements: Annotated[tuple[Statement, ...], Meta(max_length=999)] = ()
    """Additional information with its codes, limit dates and pointers (WCO 03A)."""
    amendments: Annotated[tuple[Amendment, ...], Meta(max_length=999)] = ()
    """What customs changed in the declaration (WCO 06A)."""
    bank: BankAccount | None = None
    appeal_office: Office | None = None
    contact_offices: Annotated[tuple[ContactOffice, ...], Meta(max_length=99)] = ()
    payments: Annotated[tuple[PaymentDue, ...], Meta(max_length=99)] = ()
    items: Annotated[tuple[AssessedItem, ...], Meta(max_length=999)] = ()
    """What was assessed for each goods item; ``taxes`` is the same as one list, where known."""
    amended: DeclarationExtract | None = None
    declarant: Identifier | None = None
    representative: Identifier | None = None
    transport_document: Document | None = None
    """The transport document that it is about, where that is no item of post."""
