"""One line on what a message says, for operators. Never a name, an address or a description."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from translators.canonical import (
    CustomsResponse,
    DeliveryFailed,
    ItemDeclaration,
    Message,
    Money,
    Order,
    Referral,
    RevenueAssessment,
    RiskAssessment,
    RiskIndicator,
    kind_of,
)

_decoder = msgspec.json.Decoder(Message)


def summary(body: bytes | None) -> str:
    """What the canonical body of a message says in short; empty when there is nothing to say."""
    if body is None:
        return ""
    try:
        message = _decoder.decode(body)
    except msgspec.DecodeError:
        return ""  # of a later model: the rest of the history is told all the same
    tell = _TELL.get(kind_of(message))
    return "" if tell is None else tell(message)


def _item(item: ItemDeclaration) -> str:
    value = f", {_money(item.declared_value)}" if item.declared_value is not None else ""
    count = len(item.pieces)
    return f"{item.nature}, {item.gross_weight} kg, {count} kind{'s' * (count > 1)} of goods{value}"


def _order(order: Order) -> str:
    parts = [f"{len(order.lines)} line{'s' * (len(order.lines) > 1)}"]
    if order.total is not None:
        parts.append(_money(order.total))
    numbers = [parcel.tracking_number for parcel in order.parcels]
    parts.append(f"in {', '.join(numbers)}" if numbers else "no parcel yet")
    return ", ".join(parts)


def _response(response: CustomsResponse) -> str:
    fee = f", {_money(response.total_fee)} due" if response.total_fee is not None else ""
    reason = f": {response.decision_reason}" if response.decision_reason else ""
    return f"{response.decision}{fee}{reason}"


def _risk(assessment: RiskAssessment) -> str:
    level = f", {assessment.level}" if assessment.level else ""
    hits = f", matched {', '.join(assessment.indicators)}" if assessment.indicators else ""
    return f"{assessment.outcome}{level}{hits}"


def _revenue(assessment: RevenueAssessment) -> str:
    regime = f" under {assessment.regime}" if assessment.regime else ""
    return f"{_money(assessment.total)} due{regime}"


def _indicator(indicator: RiskIndicator) -> str:
    return f"{indicator.kind}, {indicator.area}, {indicator.level}"


def _referral(referral: Referral) -> str:
    answers = f", {len(referral.answers)} answers" if referral.answers else ""
    return f"{referral.kind} for {len(referral.item_ids)} items{answers}"


def _failure(failure: DeliveryFailed) -> str:
    codes = sorted({reason.code for reason in failure.reasons})
    return f"not delivered to {failure.destination}: {', '.join(codes)}"


def _money(money: Money) -> str:
    return f"{money.amount} {money.currency}"


_TELL: Mapping[str, Callable[[Any], str]] = MappingProxyType(
    {
        ItemDeclaration.__name__: _item,
        Order.__name__: _order,
        CustomsResponse.__name__: _response,
        RiskAssessment.__name__: _risk,
        RevenueAssessment.__name__: _revenue,
        RiskIndicator.__name__: _indicator,
        Referral.__name__: _referral,
        DeliveryFailed.__name__: _failure,
    }
)
