"""Pre-loading referrals between customs and posts, and their answers (ICS2 Q01–Q03, R02, R03)."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from translators.canonical.goods import AttachedFile, Document, Pointer, Screening
from translators.canonical.items import ItemDeclaration
from translators.canonical.parties import Office
from translators.canonical.provenance import Provenance
from translators.canonical.scalars import (
    Code,
    Identifier,
    Instant,
    Text17,
    Text35,
    Text512,
    Text2000,
)


class Question(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """One thing that the authority wants to know."""

    code: Code | None = None
    text: Text512 | None = None
    pointer: Pointer | None = None


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

    reference: Text17
    """The authority's referral reference, an..17."""
    kind: Code
    """RFI information, RFS screening, DNL do not load, RFA amendment, AC assessment complete."""
    issued_at: Instant
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
