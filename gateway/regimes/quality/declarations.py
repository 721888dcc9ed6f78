"""The findings about a goods declaration."""

from __future__ import annotations

from typing import Any

from gateway.regimes.quality.addresses import Finding
from gateway.regimes.quality.figures import VALUE_SUM, WEIGHT_SUM, total
from gateway.regimes.quality.tools import Tools

_PARTIES = ("consignor", "consignee", "exporter", "importer", "seller", "buyer")
_SALE = "1"
"""First digit of the nature of transaction: a sale (Regulation (EU) 2020/1197, Annex V)."""


def declaration_findings(tools: Tools, declaration: Any, *, whole: bool) -> list[Finding]:
    """Everything that is found; ``whole`` is false for a draft, of which nothing is missing."""
    found: list[Finding] = []
    for index, item in enumerate(declaration.items):
        path = f"/items/{index}"
        nature = item.transaction_nature or declaration.transaction_nature or ""
        tools.goods(item, path, found, sold=whole and nature.startswith(_SALE))
        if item.gross_weight is not None and tools.figures.outweighs(
            (item.net_weight,), item.gross_weight
        ):
            found.append((WEIGHT_SUM, f"{path}/gross_weight"))
    if declaration.gross_weight is not None and tools.figures.outweighs(
        [item.gross_weight for item in declaration.items], declaration.gross_weight
    ):
        found.append((WEIGHT_SUM, "/gross_weight"))
    _values(tools, declaration, found)
    tools.parties(declaration, _PARTIES, found, required=False)
    tools.same(declaration, "consignor", "consignee", found)
    return found


def _values(tools: Tools, declaration: Any, found: list[Finding]) -> None:
    amounts = [item.invoice_amount for item in declaration.items]
    tools.worthless(amounts, "/items/{}/invoice_amount/amount", found)
    invoice, lines = declaration.invoice_total, total(amounts)
    if invoice is None or invoice.amount is None or lines is None:
        return
    if tools.figures.differs((invoice.amount, invoice.currency), lines, len(amounts)):
        found.append((VALUE_SUM, "/invoice_total/amount"))
