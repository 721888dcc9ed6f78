"""What a message is about: the key within its sender and kind, by which versions are told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

import msgspec

from translators.canonical import (
    AeoStatus,
    CustomsResponse,
    Despatch,
    GoodsDeclaration,
    ItemDeclaration,
    Message,
    Order,
    RevenueAssessment,
    RiskAssessment,
    RiskIndicator,
)


def _answer_key(message: Any) -> str | None:
    regards: str | None = message.regards
    return regards


_KEYS: Mapping[type[Any], Callable[[Any], str | None]] = MappingProxyType(
    {
        ItemDeclaration: lambda m: m.item_id,
        Order: lambda m: f"{m.platform_id}/{m.order_id}",
        GoodsDeclaration: lambda m: m.lrn,
        RiskIndicator: lambda m: f"{m.issuer}/{m.indicator_id}",
        RiskAssessment: _answer_key,
        RevenueAssessment: _answer_key,
        CustomsResponse: _answer_key,
        Despatch: lambda m: m.despatch_id,
        AeoStatus: lambda m: m.number,
    }
)


def key_of(message: Message, message_id: str) -> str:
    """The key of a message; kinds without versions are about themselves."""
    find = _KEYS.get(type(message))
    return (find(message) if find else None) or message_id


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The last version that was applied for a sender, kind and key."""

    version: int | None
    accepted_at: datetime


def is_stale(
    head: Head | None, *, version: int | None, accepted_at: datetime, life: timedelta
) -> bool:
    """Whether a later version was applied already.

    An S10 may be used again (UPU S10: unique for twelve months), and its versions then start
    anew: what was accepted longer than ``life`` after the head is another item.
    """
    if head is None or version is None or head.version is None:
        return False
    return version < head.version and accepted_at - head.accepted_at < life
