"""Pre-loading referrals between customs and posts, and their answers (ICS2 Q01–Q03, R02, R03)."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from translators.canonical.goods import AttachedFile, Document, Pointer, Screening
from translators.canonical.items import ItemDeclaration
from translators.canonical.parties import Address, Office
from translators.canonical.provenance import Provenance
from translators.canonical.scalars import (
    Code,
    Identifier,
    Instant,
    Text35,
    Text512,
    Text2000,
)


class Question(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """One thing that the authority wants to know."""

    code: Code | None = None
    text: Text512 | None = None
    pointer: Pointer | None = None
    type: Code | None = None


class Information(
    Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """Something that is said in answer: a text, a code for it, or both (ICS2 R02, R03)."""

    text: Text2000 | None = None
    code: Code | None = None
    type: Code | None = None


class ReferralAnswer(
    Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """What is answered to a referral about one item."""

    item_id: Text35
    answered_at: Instant
    texts: Annotated[tuple[Text2000, ...], Meta(max_length=99)] = ()
    documents: Annotated[tuple[Document, ...], Meta(max_length=99)] = ()
    attachments: Annotated[tuple[AttachedFile, ...], Meta(max_length=9)] = ()
    screenings: Annotated[tuple[Screening, ...], Meta(max_length=99)] = ()
    amendment: ItemDeclaration | None = None
    information: Annotated[tuple[Information, ...], Meta(max_length=99)] = ()
    """What is said, each with its code where it has one; ``texts`` are the same without codes."""
    item_document_type: Code | None = None
    """Type of the transport document whose number ``item_id`` is, as N750 for post."""
    screened_at_address: Address | None = None
    """Where the screenings took place."""


class ReferralHop(
    Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """One station of a referral on its way to those who know the item, with its own clock."""

    party: Identifier
    role: Code | None = None
    """authority, declarant, origin-post, carrier."""
    on_behalf_of: Identifier | None = None
    received_at: Instant | None = None
    reply_before: Instant | None = None
    """When this station wants the answer; earlier than the station before it does."""
    answered_at: Instant | None = None
    """When it passed the answer back."""


class Referral(
    Struct,
    frozen=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    kw_only=True,
    tag_field="type",
    tag="Referral",
):
    """A pre-loading request, the end of one, or (with ``answers``) what is answered to it."""

    reference: Text35
    """The authority's referral reference, an..17; where there is none (do not load, assessment
    complete) the MRN."""
    kind: Code
    """RFI information, RFS screening, DNL do not load, RFA amendment, AC assessment complete."""
    issued_at: Instant
    """When the request was issued or, with answers, the answering message."""
    authority: Office
    provenance: Provenance | None = None
    regards: Identifier | None = None
    hop: Code | None = None
    """Which hop of the chain this is: to-declarant, to-origin, from-origin, from-declarant."""
    on_behalf_of: Identifier | None = None
    item_ids: Annotated[tuple[Text35, ...], Meta(max_length=9999)] = ()
    receptacle_ids: Annotated[tuple[Text35, ...], Meta(max_length=9999)] = ()
    mrn: Text35 | None = None
    lrn: Text35 | None = None
    reply_before: Instant | None = None
    completed_at: Instant | None = None
    screening_methods: Annotated[tuple[Code, ...], Meta(max_length=9)] = ()
    questions: Annotated[tuple[Question, ...], Meta(max_length=99)] = ()
    documents: Annotated[tuple[Document, ...], Meta(max_length=99)] = ()
    answers: Annotated[tuple[ReferralAnswer, ...], Meta(max_length=9999)] = ()
    remarks: Annotated[tuple[Text512, ...], Meta(max_length=99)] = ()
    representative: Identifier | None = None
    declarant: Identifier | None = None
    """Whom the authority asks, by EORI or the like: who filed the declaration."""
    carrier: Identifier | None = None
    house_document: Document | None = None
    """The item's transport document, where it is none of post."""
    master_document: Document | None = None
    transport_documents: Annotated[tuple[Document, ...], Meta(max_length=9999)] = ()
    """What must not be loaded, or is assessed, beside items and receptacles."""
    pointers: Annotated[tuple[Pointer, ...], Meta(max_length=99)] = ()
    """What in the declaration the request is about."""
    hops: Annotated[tuple[ReferralHop, ...], Meta(max_length=9)] = ()
    """Stations that the referral has passed, the authority's declarant first."""
