"""What a person calls a message: the item, order or other id that it is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from translators.canonical import KINDS, Message

_FIELDS: dict[str, tuple[str, ...]] = {
    "ItemDeclaration": ("item_id",),
    "Order": ("order_id",),
    "GoodsDeclaration": ("lrn", "mrn"),
    "CustomsResponse": ("item_id", "mrn", "lrn", "customs_reference", "response_id"),
    "Referral": ("reference",),
    "RiskIndicator": ("indicator_id",),
    "RiskAssessment": ("item_id", "order_id", "mrn", "lrn", "assessment_id"),
    "RevenueAssessment": ("item_id", "order_id", "mrn", "lrn", "assessment_id"),
    "Despatch": ("despatch_id",),
    "TransportEvent": ("event_id", "despatch_id", "mrn"),
    "InspectionResult": ("item_id", "receptacle_id", "mrn", "inspection_id"),
    "AeoStatus": ("number",),
    "Attachment": ("attachment_id",),
    "DeliveryFailed": ("key", "regards"),
}
MAX_KEY = 70
"""Longer ones are no ids; they are cut, for people only."""


def key_of(raw: Mapping[str, Any], kind: str) -> str | None:
    """The key of a message that is still a plain mapping, whether or not it is valid."""
    for field in _FIELDS[kind]:
        value = raw.get(field)
        if isinstance(value, str) and value.strip():
            return value.strip()[:MAX_KEY]
    return None


def key_of_message(message: Message) -> str | None:
    """The key of a message of the model."""
    for field in _BY_TYPE[type(message)]:
        value: str | None = getattr(message, field)
        if value and (key := value.strip()):
            return key[:MAX_KEY]
    return None


_BY_TYPE = {KINDS[kind]: fields for kind, fields in _FIELDS.items()}
