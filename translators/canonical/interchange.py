"""The interchange: one thing sent, holding a header and one or more messages."""

from __future__ import annotations

from typing import get_args

from msgspec import Struct

from translators.canonical.controls import AeoStatus, Attachment, InspectionResult
from translators.canonical.declarations import GoodsDeclaration
from translators.canonical.items import ItemDeclaration
from translators.canonical.notices import DeliveryFailed
from translators.canonical.orders import Order
from translators.canonical.parties import TradeParty
from translators.canonical.referrals import Referral
from translators.canonical.responses import CustomsResponse
from translators.canonical.revenue import RevenueAssessment
from translators.canonical.risk import RiskAssessment, RiskIndicator
from translators.canonical.scalars import (
    Code,
    Country,
    Instant,
    Text17,
    Text35,
    Text70,
    Text300,
)
from translators.canonical.transport import Despatch, TransportEvent

Message = (
    ItemDeclaration
    | Order
    | GoodsDeclaration
    | CustomsResponse
    | Referral
    | RiskIndicator
    | RiskAssessment
    | RevenueAssessment
    | Despatch
    | TransportEvent
    | InspectionResult
    | AeoStatus
    | Attachment
    | DeliveryFailed
)

KINDS: dict[str, type[Message]] = {kind.__name__: kind for kind in get_args(Message)}
"""Message kinds by name; the name is the tag in JSON."""


class Header(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """What a document says about itself. Claims of the sender, never trusted as identity."""

    sender: Text35 | None = None
    recipient: Text35 | None = None
    control_reference: Text70 | None = None
    """The sender's own reference, unique per sender."""
    prepared_at: Instant | None = None
    test: bool = False
    model_version: Text17 | None = None
    type_name: Text35 | None = None
    message_id: Text300 | None = None
    correlation_id: Text300 | None = None
    responsible_country: Code | None = None
    """Country of the agency that is responsible for the format (WCO metadata)."""
    responsible_agency: Text70 | None = None
    customisation: Text17 | None = None
    """The agency's own variant of the model, and its version."""
    customisation_version: Text17 | None = None
    reply_to: Text300 | None = None
    """Message id of what this answers."""
    campaign: Text300 | None = None
    """Campaign of conformance tests that this belongs to."""
    issued_at: Instant | None = None
    """When the document was issued, where that is not when it was sent."""
    addressed_country: Country | None = None
    """Country whose authority this is for, where the recipient is another system."""
    declarant: TradeParty | None = None
    """Who declares all that the document holds."""
    representative: TradeParty | None = None


class Interchange(
    Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """A header and its messages, whole; large ones are streamed and never held like this."""

    header: Header = Header()
    messages: tuple[Message, ...] = ()


def kind_of(message: Message) -> str:
    """The kind's name, such as ``ItemDeclaration``."""
    return type(message).__name__
