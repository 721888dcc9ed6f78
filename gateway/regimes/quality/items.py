"""The findings about an item that a post declares."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from gateway.regimes.quality.addresses import Finding
from gateway.regimes.quality.figures import (
    VALUE_ONE,
    VALUE_SUM,
    VALUE_WEIGHT,
    VALUE_ZERO,
    WEIGHT_SUM,
    total,
)
from gateway.regimes.quality.tools import Tools

_WORTHLESS = frozenset({"documents"})
"""Natures whose items need not be worth anything."""
_PARTIES = ("sender", "addressee")
_FIRST = "/pieces/0/amount/amount"


def item_findings(tools: Tools, item: Any, *, whole: bool) -> list[Finding]:
    """Everything that is found; ``whole`` is false for a draft, of which nothing is missing."""
    found: list[Finding] = []
    sold = whole and item.nature == "sale"
    for index, piece in enumerate(item.pieces):
        tools.goods(piece, f"/pieces/{index}", found, sold=sold)
    if item.nature not in _WORTHLESS:
        _values(tools, item, found)
    weight = item.gross_weight
    if weight is not None and tools.figures.outweighs(
        [piece.net_weight for piece in item.pieces], weight
    ):
        found.append((WEIGHT_SUM, "/gross_weight"))
    tools.parties(item, _PARTIES, found, required=whole)
    tools.same(item, *_PARTIES, found)
    return found


def _values(tools: Tools, item: Any, found: list[Finding]) -> None:
    amounts = [piece.amount for piece in item.pieces]
    tools.worthless(amounts, "/pieces/{}/amount/amount", found)
    lines = total(amounts)
    declared = item.declared_value
    if declared is not None and declared.amount is not None and declared.currency is not None:
        path = "/declared_value/amount"
        value: tuple[Decimal, str] = (declared.amount, declared.currency)
        if lines is None and not declared.amount:
            found.append((VALUE_ZERO, path))
        if lines is not None and tools.figures.differs(value, lines, len(amounts)):
            found.append((VALUE_SUM, path))
    elif lines is not None:
        path, value = _FIRST, lines
    else:
        return
    if value[0] == 1:
        found.append((VALUE_ONE, path))
    if item.gross_weight is not None and tools.figures.implausible(*value, item.gross_weight):
        found.append((VALUE_WEIGHT, path))
