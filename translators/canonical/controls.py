"""Controls: what an inspection found, and the status of authorised economic operators."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated

from msgspec import Meta, Struct

from translators.canonical.consignments import ControlSubject
from translators.canonical.declared import Statement
from translators.canonical.goods import AttachedFile, Money, Pointer
from translators.canonical.parties import Address, Office
from translators.canonical.provenance import Provenance
from translators.canonical.scalars import (
    Code,
    CommodityCode,
    Country,
    Identifier,
    Instant,
    Quantity,
    Text35,
    Text140,
    Text512,
    Text2000,
)


class Finding(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """One thing that an inspection found, against what was declared."""

    type: Code
    text: Text512 | None = None
    piece: Quantity | None = None
    found_hs: CommodityCode | None = None
    found_quantity: Decimal | None = None
    found_weight: Decimal | None = None
    found_value: Money | None = None
    pointers: Annotated[tuple[Pointer, ...], Meta(max_length=99)] = ()


class ControlResult(
    Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """The result of one control of some part of a consignment (ICS2 IE4S03)."""

    type: Code
    code: Code
    ended_at: Instant
    subject: ControlSubject | None = None
    statements: Annotated[tuple[Statement, ...], Meta(max_length=99)] = ()
    description: Text512 | None = None
    files: Annotated[tuple[AttachedFile, ...], Meta(max_length=9)] = ()


class InspectionResult(
    Struct,
    frozen=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    kw_only=True,
    tag_field="type",
    tag="InspectionResult",
):
    """The result of a control or of image analysis of an item or receptacle."""

    outcome: Code
    """conform, not-conform, prohibited, inconclusive."""
    inspected_at: Instant
    provenance: Provenance | None = None
    inspection_id: Identifier | None = None
    regards: Identifier | None = None
    item_id: Text35 | None = None
    receptacle_id: Text35 | None = None
    mrn: Text35 | None = None
    method: Code | None = None
    """documentary, physical, x-ray, trace-detection, canine."""
    office: Office | None = None
    findings: Annotated[tuple[Finding, ...], Meta(max_length=99)] = ()
    images: Annotated[tuple[AttachedFile, ...], Meta(max_length=99)] = ()
    remark: Text2000 | None = None
    function: Code | None = None
    """Original or a change, in the authority's code."""
    issued_at: Instant | None = None
    reason: Text512 | None = None
    reason_code: Code | None = None
    triggers: Annotated[tuple[Code, ...], Meta(max_length=9)] = ()
    """What made the control happen, in the authority's code."""
    results: Annotated[tuple[ControlResult, ...], Meta(max_length=99999)] = ()


class AeoStatus(
    Struct,
    frozen=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    kw_only=True,
    tag_field="type",
    tag="AeoStatus",
):
    """The status of an authorised economic operator, for mutual recognition."""

    number: Identifier
    """Trader identification number, as in mutual recognition arrangements."""
    holder: Text140
    authority: Office
    status: Code
    """valid, suspended, revoked."""
    provenance: Provenance | None = None
    function: Code | None = None
    aeo_type: Code | None = None
    """AEOC, AEOS, AEOF, or the authority's own."""
    address: Address | None = None
    country: Country | None = None
    recognised_by: Annotated[tuple[Country, ...], Meta(max_length=99)] = ()
    valid_from: date | None = None
    valid_to: date | None = None
    roles: Annotated[tuple[Code, ...], Meta(max_length=9)] = ()
    reference: Text35 | None = None


class Attachment(
    Struct,
    frozen=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    kw_only=True,
    tag_field="type",
    tag="Attachment",
):
    """A file that belongs to another message and arrives with or after it."""

    attachment_id: Identifier
    file: AttachedFile
    provenance: Provenance | None = None
    supports: Identifier | None = None
    """Message id, referral reference or interchange id of what it supports."""
    item_id: Text35 | None = None
    order_id: Identifier | None = None
    referral_reference: Text35 | None = None
    document_type: Code | None = None
    description: Text512 | None = None
