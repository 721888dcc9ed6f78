"""Normalisation: what follows from the message itself, filled in. Pure and idempotent.

Nothing that a sender said is changed; only what it left out and what its other fields imply.
"""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.routing.subjects import S10
from translators.canonical import (
    Information,
    ItemDeclaration,
    Message,
    Order,
    Referral,
    ReferralAnswer,
    TradeParty,
)

MAX_INFORMATION = 99
"""What the model allows of one answer."""


def normalise(message: Message) -> Message:
    """The message with countries of origin and destination where they follow, texts of answers
    in one list, no provenance."""
    changes: dict[str, Any] = {}
    if message.provenance is not None:
        changes["provenance"] = None
    if isinstance(message, ItemDeclaration):
        if message.origin_country is None:
            changes["origin_country"] = _country(message.sender) or _s10_country(message.item_id)
        if message.destination_country is None:
            changes["destination_country"] = _country(message.addressee)
    elif isinstance(message, Order) and message.destination_country is None:
        changes["destination_country"] = _country(message.consignee)
    elif isinstance(message, Referral) and any(answer.texts for answer in message.answers):
        changes["answers"] = tuple(_informed(answer) for answer in message.answers)
    changes = {name: value for name, value in changes.items() if value or name == "provenance"}
    return msgspec.structs.replace(message, **changes) if changes else message


DERIVED = ("origin_country", "destination_country")
"""Fields that :func:`normalise` fills in."""


def implied(message: Message) -> frozenset[str]:
    """Pointers of derived fields that say nothing but what follows from the other fields."""
    filled = [name for name in DERIVED if getattr(message, name, None) is not None]
    if not filled:
        return frozenset()
    without: dict[str, Any] = dict.fromkeys(filled)
    again = normalise(msgspec.structs.replace(message, **without))
    return frozenset(
        f"/{name}" for name in filled if getattr(again, name) == getattr(message, name)
    )


def _informed(answer: ReferralAnswer) -> ReferralAnswer:
    """Texts without codes beside those with codes: formats for answers know one list."""
    joined = answer.information + tuple(Information(text=text) for text in answer.texts)
    if len(joined) > MAX_INFORMATION:
        return answer
    return msgspec.structs.replace(answer, texts=(), information=joined)


def _country(party: TradeParty) -> str | None:
    return party.address.country if party.address is not None else None


def _s10_country(item_id: str) -> str | None:
    return item_id[-2:] if S10.fullmatch(item_id) else None
