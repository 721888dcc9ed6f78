"""Notices: what a gateway itself says to a party about that party's messages."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from translators.canonical.provenance import Provenance
from translators.canonical.scalars import Identifier, Instant, InterchangeName, Text140, Text512


class FailureReason(
    Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """One reason for which a delivery failed: a fault code with its canonical path."""

    code: Text140
    path: Annotated[str, Meta(max_length=512)] = ""
    detail: Text512 | None = None


class DeliveryFailed(
    Struct,
    frozen=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    kw_only=True,
    tag_field="type",
    tag="DeliveryFailed",
):
    """A message was accepted but its destination can not take it as it is."""

    regards: Identifier
    """Message id of what could not be delivered."""
    interchange_id: InterchangeName
    failed_at: Instant
    destination: Identifier
    provenance: Provenance | None = None
    key: Identifier | None = None
    reasons: Annotated[tuple[FailureReason, ...], Meta(max_length=1000)] = ()
