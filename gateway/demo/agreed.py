"""What the partner may see, said once more beside the configuration, so that it can be judged."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from translators.canonical import Message

AGREED: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "RiskIndicator": frozenset(
            {
                *("issuer", "indicator_id", "kind", "area", "level", "statement", "version"),
                *("function", "subjects", "valid_from", "valid_to", "handling"),
            }
        ),
        "RiskAssessment": frozenset(
            {"outcome", "assessed_at", "item_id", "level", "version", "indicators"}
        ),
    }
)
"""For each kind the fields that the agreements of ``network/gateway-lx.toml`` give the partner."""

OF_GATEWAYS = frozenset({"type", "provenance", "function"})
"""What a gateway itself says of every message: the partner's own gateway says ``function`` (the
first or a later one of its key) where it was not told."""

SHARED_OUTCOMES = frozenset({"hold", "do-not-load"})
"""Assessments that the route to the partner lets through."""


def trespasses(message: Message) -> tuple[str, ...]:
    """What a message that the partner got should not have shown it, in words; none is good."""
    kind = type(message).__name__
    agreed = AGREED.get(kind)
    if agreed is None:
        return (f"the partner got a {kind}, which no agreement gives it",)
    shown = msgspec.to_builtins(message).keys() - agreed - OF_GATEWAYS
    found = [f"the partner got {name} of a {kind}" for name in sorted(shown)]
    outcome = getattr(message, "outcome", None)
    if outcome is not None and outcome not in SHARED_OUTCOMES:
        found.append(f"the partner got a {kind} that says {outcome}")
    return tuple(found)
