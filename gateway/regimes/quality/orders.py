"""The findings about an order of a platform."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from gateway.regimes.quality.addresses import LOCALITY, Finding
from gateway.regimes.quality.figures import VALUE_ONE, VALUE_SUM, total
from gateway.regimes.quality.tools import Tools

_PARTIES = ("seller", "consignee")


def order_findings(tools: Tools, order: Any, *, whole: bool) -> list[Finding]:
    """Everything that is found; ``whole`` is false for a draft, of which nothing is missing."""
    found: list[Finding] = []
    for index, line in enumerate(order.lines):
        tools.goods(line, f"/lines/{index}", found, sold=whole)
    tools.worthless((line.unit_price for line in order.lines), "/lines/{}/unit_price/amount", found)
    if order.total is not None and order.total.amount is not None:
        if order.total.amount == 1:
            found.append((VALUE_ONE, "/total/amount"))
        if whole and _differs(tools, order):
            found.append((VALUE_SUM, "/total/amount"))
    tools.parties(order, _PARTIES, found, required=False)
    if whole and order.consignee.address is None:
        found.append((LOCALITY, "/consignee/address"))
    tools.same(order, *_PARTIES, found)
    return found


def _differs(tools: Tools, order: Any) -> bool:
    """Platforms count carriage and tax in or not: any of these sums will do."""
    lines = order.lines
    used = (
        *(line.unit_price for line in lines),
        *(line.discount for line in lines),
        *(line.tax_collected for line in lines),
        *(order.discount, order.freight, order.insurance, order.tax_collected),
    )
    if total((money for money in used if money is not None), order.total.currency) is None:
        return False
    goods = sum((line.unit_price.amount * line.quantity for line in lines), Decimal(0))
    goods -= _sum(line.discount for line in lines) + _sum((order.discount,))
    asked = (order.total.amount, order.total.currency)
    taxes = {Decimal(0), _sum((order.tax_collected,)), _sum(line.tax_collected for line in lines)}
    carriages = {Decimal(0), _sum((order.freight,)), _sum((order.freight, order.insurance))}
    return all(
        tools.figures.differs(asked, (goods + tax + carriage, asked[1]), len(lines))
        for tax in taxes
        for carriage in carriages
    )


def _sum(amounts: Iterable[Any]) -> Decimal:
    return sum((money.amount for money in amounts if money is not None), Decimal(0))
