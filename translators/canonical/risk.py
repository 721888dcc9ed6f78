"""Risk: indicators that administrations share, and the assessments of a risk back end."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from msgspec import Meta, Struct

from translators.canonical.consignments import ControlSubject, DoNotLoad
from translators.canonical.declared import Statement, TransportMeans
from translators.canonical.goods import Document, Pointer, Screening
from translators.canonical.parties import Address, Reference, TradeParty
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
    Text2000,
)


class RouteSubject(
    Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """A route that an indicator speaks of; what is absent matches anything."""

    origin: Country | None = None
    destination: Country | None = None
    via: Annotated[tuple[Country, ...], Meta(max_length=9)] = ()
    operator: Text35 | None = None


class RiskSubject(
    Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """What an indicator is about: every field that is set must match (aliases: any of them)."""

    references: Annotated[tuple[Reference, ...], Meta(max_length=99)] = ()
    names: Annotated[tuple[Text140, ...], Meta(max_length=99)] = ()
    """The name and its aliases, each as written."""
    addresses: Annotated[tuple[Address, ...], Meta(max_length=99)] = ()
    hs_prefixes: Annotated[tuple[CommodityCode, ...], Meta(max_length=99)] = ()
    keywords: Annotated[tuple[Text140, ...], Meta(max_length=99)] = ()
    routes: Annotated[tuple[RouteSubject, ...], Meta(max_length=99)] = ()
    item_ids: Annotated[tuple[Text35, ...], Meta(max_length=999)] = ()
    documents: Annotated[tuple[Document, ...], Meta(max_length=99)] = ()
    role: Code | None = None
    """Which trade party names and references are looked for in: sender, addressee, any."""


class Feedback(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """What an indicator brought: how often it matched and what was found."""

    hits: Quantity = 0
    confirmed: Quantity = 0
    false: Quantity = 0
    remark: Text512 | None = None


class RouteStop(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """A country on a route, with its place in the order where that is known."""

    country: Country
    sequence: Quantity | None = None


class PartyOfInterest(
    Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """A trade party that is looked for, in a role or in any."""

    party: TradeParty | None = None
    role: Code | None = None


class RiskParameters(
    Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """A combination that is looked for: what is set must be met together (ICS2 IE4Q07)."""

    combination_id: Text35
    valid_from: Instant
    valid_to: Instant
    routing: Annotated[tuple[RouteStop, ...], Meta(max_length=99)] = ()
    """Of the consignment."""
    means: TransportMeans | None = None
    """The active means of transport at the border."""
    conveyance: Text17 | None = None
    """Flight, voyage or trip number."""
    means_routing: Annotated[tuple[RouteStop, ...], Meta(max_length=99)] = ()
    marks: Annotated[tuple[Text512, ...], Meta(max_length=99)] = ()
    containers: Annotated[tuple[Text35, ...], Meta(max_length=99)] = ()
    parties: Annotated[tuple[PartyOfInterest, ...], Meta(max_length=99)] = ()
    master_documents: Annotated[tuple[Document, ...], Meta(max_length=9)] = ()
    house_documents: Annotated[tuple[Document, ...], Meta(max_length=9)] = ()
    passive_means: Annotated[tuple[TransportMeans, ...], Meta(max_length=9)] = ()


class RiskIndicator(
    Struct,
    frozen=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    kw_only=True,
    tag_field="type",
    tag="RiskIndicator",
):
    """A shared statement that something deserves attention, from one administration to another."""

    issuer: Identifier
    indicator_id: Identifier
    kind: Code
    """entity, routing, commodity, pattern, document."""
    area: Code
    """Risk area: security, revenue, IPR, narcotics, health, …"""
    level: Code
    """low, medium, high, critical."""
    statement: Text2000
    provenance: Provenance | None = None
    version: Quantity | None = None
    function: Code | None = None
    """original, replacement, or withdrawal (a revocation, which reaches everyone who got it)."""
    subjects: Annotated[tuple[RiskSubject, ...], Meta(max_length=99)] = ()
    evidence: Text512 | None = None
    valid_from: Instant | None = None
    valid_to: Instant | None = None
    handling: Code | None = None
    """Who may see it and whether it may be passed on: own-use, no-onward, release-with-consent."""
    caused_by_message: Identifier | None = None
    caused_by_item: Text35 | None = None
    feedback: Feedback | None = None
    issued_at: Instant | None = None
    parameters: Annotated[tuple[RiskParameters, ...], Meta(max_length=999)] = ()
    """Combinations that are looked for, each with its validity."""


class RiskResult(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """One result of risk analysis, as in ICS2 IE4S02."""

    type: Code | None = None
    area: Code
    level: Code
    criterion: Identifier | None = None
    """The rule or indicator that spoke."""
    code: Code | None = None
    text: Text512 | None = None
    score: Decimal | None = None
    completed_at: Instant | None = None
    pointers: Annotated[tuple[Pointer, ...], Meta(max_length=99)] = ()


class ControlRecommendation(
    Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """A control that the analysis recommends."""

    type: Code
    place: Code | None = None
    text: Text512 | None = None
    pointers: Annotated[tuple[Pointer, ...], Meta(max_length=99)] = ()


class RiskAnalysis(
    Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """The results of one analysis that was asked for, where an assessment has several."""

    request_reference: Text35
    category: Code
    """What is analysed, as security or safety, in the authority's code."""
    results: Annotated[tuple[RiskResult, ...], Meta(max_length=99999)] = ()


class RecommendedControl(
    Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """A control that the analysis recommends: where, and of what (ICS2 IE4S01, IE4S02)."""

    place: Code
    subject: ControlSubject | None = None
    statements: Annotated[tuple[Statement, ...], Meta(max_length=99)] = ()


class ReferralRequest(
    Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """A referral that the analysis wants to be made (ICS2 IE4S01)."""

    reference: Text35
    type: Code
    """What is wanted: information, screening, an amendment, in the authority's code."""
    screening_methods: Annotated[tuple[Code, ...], Meta(max_length=9)] = ()
    house_document: Document | None = None
    master_document: Document | None = None
    documents: Annotated[tuple[Document, ...], Meta(max_length=99)] = ()
    statements: Annotated[tuple[Statement, ...], Meta(max_length=99)] = ()
    pointer: Pointer | None = None


class RiskAssessment(
    Struct,
    frozen=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    kw_only=True,
    tag_field="type",
    tag="RiskAssessment",
):
    """What a risk back end concludes about an item, order or declaration version."""

    outcome: Code
    """clear, hold, refer, do-not-load; hit: a first answer that there is a risk."""
    assessed_at: Instant
    provenance: Provenance | None = None
    assessment_id: Identifier | None = None
    regards: Identifier | None = None
    """Message id of what was assessed."""
    item_id: Text35 | None = None
    order_id: Identifier | None = None
    lrn: Text35 | None = None
    mrn: Text35 | None = None
    version: Quantity | None = None
    """Counts the assessments of the same message; a higher one supersedes."""
    level: Code | None = None
    score: Decimal | None = None
    results: Annotated[tuple[RiskResult, ...], Meta(max_length=99999)] = ()
    recommendations: Annotated[tuple[ControlRecommendation, ...], Meta(max_length=99)] = ()
    indicators: Annotated[tuple[Identifier, ...], Meta(max_length=999)] = ()
    """Indicators that matched, as issuer/indicator-id."""
    screenings: Annotated[tuple[Screening, ...], Meta(max_length=99)] = ()
    referral_reference: Text35 | None = None
    profile_version: Text35 | None = None
    reason: Text512 | None = None
    stage: Code | None = None
    """screening: by an administration that is involved; nothing: by the responsible one."""
    function: Code | None = None
    """Original or a change, in the authority's code."""
    request_reference: Text35 | None = None
    """What asked for the analysis that ``results`` are of."""
    category: Code | None = None
    """What is analysed, as security or safety, in the authority's code."""
    responsible_country: Country | None = None
    involved_country: Country | None = None
    analyst: TradeParty | None = None
    """Who can be asked about it."""
    analyses: Annotated[tuple[RiskAnalysis, ...], Meta(max_length=9)] = ()
    recommended_controls: Annotated[tuple[RecommendedControl, ...], Meta(max_length=99999)] = ()
    do_not_load: DoNotLoad | None = None
    referrals: Annotated[tuple[ReferralRequest, ...], Meta(max_length=9)] = ()
