"""Trade parties: persons and firms named inside messages (never parties of the network)."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from translators.canonical.scalars import (
    Code,
    Country,
    Identifier,
    Text17,
    Text35,
    Text70,
    Text140,
    Text512,
)


class Reference(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """An identifier with its type: EORI, VAT, passport, TIN, AEO, national identity number."""

    type: Code
    value: Identifier
    country: Country | None = None


class Address(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """A postal address; ``lines`` holds street and number as written."""

    lines: Annotated[tuple[Text140, ...], Meta(max_length=9)] = ()
    city: Text70 | None = None
    state: Text70 | None = None
    postcode: Text17 | None = None
    country: Country | None = None
    state_code: Code | None = None
    """ISO 3166-2, or the authority's own code of the state."""
    number: Text35 | None = None
    """House number, where it stands apart from the street."""
    po_box: Text70 | None = None


class Communication(
    Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """One more way to reach somebody: TE, EM, FX (UN/EDIFACT 3155) or the authority's own code."""

    type: Code
    identifier: Text512


class TradeParty(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """A person or firm: ``name`` in one piece, or ``first_name`` and ``last_name``."""

    name: Text140 | None = None
    first_name: Text70 | None = None
    last_name: Text70 | None = None
    organisation: Text140 | None = None
    person_type: Code | None = None
    """Natural person, legal person, association of persons."""
    address: Address | None = None
    contact_name: Text140 | None = None
    telephone: Text512 | None = None
    email: Text512 | None = None
    references: Annotated[tuple[Reference, ...], Meta(max_length=99)] = ()
    communications: Annotated[tuple[Communication, ...], Meta(max_length=9)] = ()
    """Beside ``telephone`` and ``email``."""


class Office(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """A customs office or authority, by code, with its name when known."""

    code: Text35
    name: Text140 | None = None
    country: Country | None = None
