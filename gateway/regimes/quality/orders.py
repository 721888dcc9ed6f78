"""The findings about an order of a platform."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from gateway.regimes.quality.addresses import LOCALITY, Finding
from gateway.regimes.quality.figures import VALUE_ONE, VALUE_SUM
from gateway.regimes.quality.tools import Tools

_PARTIES = ("seller", "consignee")
_ZERO = Decimal(0)


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
    asked, currency = order.total.amount, order.total.currency
    goods = line_taxes = _ZERO
    for line in order.lines:
        price, discount, tax = line.unit_price, line.discount, line.tax_collected
        if not _all_in(currency, (price, discount, tax)):
            return False
        goods += price.amount * line.quantity
        if discount is not None:
            goods -= discount.amount
        if tax is not None:
            line_taxes += tax.amount
    further = (order.discount, order.freight, order.insurance, order.tax_collected)
    if not _all_in(currency, further):
        return False
    discount, freight, insurance, order_tax = map(_amount, further)
    allowed = tools.figures.allowed(asked, len(order.lines))
    goods -= discount + asked
    return all(
        abs(goods + tax + carriage) > allowed
        for tax in (_ZERO, order_tax, line_taxes)
        for carriage in (_ZERO, freight, freight + insurance)
    )


def _all_in(currency: str, amounts: Iterable[Any]) -> bool:
    """Whether all amounts that are there are in one currency."""
    return {money.currency for money in amounts if money is not None} <= {currency}


def _amount(money: Any) -> Decimal:
    return _ZERO if money is None else money.amount
