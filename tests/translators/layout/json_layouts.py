"""Layouts of JSON for tests, and documents of them."""

from __future__ import annotations

import io
import json
from typing import Any

import msgspec

from tests.translators.layout.layouts import compiled, plain
from translators.faults import Fault
from translators.layout import LayoutTranslator
from translators.layout.json_fast import JsonFast
from translators.layout.json_reading import JsonDocumentReader
from translators.translator import Entry
from translators.xml import Limits

ORDERS = """
layout = "x.orders.1"
title = "Orders"
carries = "Order"
syntax = "json"
numbers = "string"
[document]
head = "header ! : head"
"data/orders" = "messages *! : order"
"data/count" = "= count messages"
[head]
from = "sender ! : text 35"
[order]
shop = "platform_id !"
ref = "order_id ! : text 20"
at = "ordered_at ! : instant"
seller = "seller ! : party"
buyer = "consignee ! : party"
currency = "lines[].unit_price.currency ! : currency"
rows = "lines *3! : row"
rowCount = "= count lines"
"ids[kind=ioss]/value" = "tax_references[scheme=IOSS].number"
"ids[kind=vat]/value" = "tax_references[scheme=VAT].number"
tags = "extra : pairs"
status = "status : code status"
gift = "return_reason : code gift"
step = "function ! : choice"
sub = "incoterm : text 3"
method = "invoice_number : code method number"
total = "total : money"
version = "= 2"
"'$type'" = "= order"
[choice.order.function]
original = { step = "1" }
amendment = { step = "2", sub = "COR" }
[party]
name = "name : text 20, default Unknown"
"address/lines" = "address.lines *3 : text 70"
"address/town" = "address.city ! : text 70"
[row]
no = "number ! : int 6, else position"
text = "description ! : text 30"
qty = "quantity ! : int 9"
price = "unit_price.amount ! : decimal 12.2"
grams = "net_weight : mass g 6 number"
"weight/unit" = "= g"
home = "^destination_country : country"
[money]
amount = "amount ! : decimal 12.2"
currency = "currency ! : currency"
[codes.status]
N = "placed"
S = "shipped"
SENT = "shipped"
read-only = ["SENT"]
[codes.gift]
true = "gift"
false = "sale"
[codes.method]
10 = "card"
20 = "cash"
"""

ITEM: dict[str, Any] = {
    "shop": "s", "ref": "R-1", "at": "2026-11-20T10:00:00Z",
    "seller": {"name": "A", "address": {"lines": ["1 Lane", "Yard"], "town": "Lyon"}},
    "buyer": {"name": "B", "address": {"town": "York"}},
    "currency": "EUR",
    "rows": [
        {"no": 1, "text": "socks", "qty": 2, "price": "12.50", "grams": 600, "home": "LU"},
        {"no": 2, "text": "cards", "qty": 1, "price": "3", "weight": {"unit": "g"}, "home": "LU"},
    ],
    "rowCount": 2,
    "ids": [{"kind": "ioss", "value": "IM1"}, {"kind": "vat", "value": "FR1"}],
    "tags": {"a": "b", "c/d": "e"},
    "status": "S", "gift": True, "step": "2", "sub": "COR", "method": 10,
    "total": {"amount": "28.00", "currency": "EUR"},
    "version": 2, "$type": "order",
}  # fmt: skip
"""A good order, with every line of the layout."""

SMALL = """
layout = "x.small.1"
title = "Small"
carries = "Order"
syntax = "json"
[document]
{document}
[o]
shop = "platform_id !"
ref = "order_id !"
at = "ordered_at ! : instant"
seller = "seller ! : p"
buyer = "consignee ! : p"
rows = "lines *! : r"
{lines}
[p]
name = "name"
[r]
no = "number ! : int 3"
text = "description !"
qty = "quantity ! : int 3"
price = "unit_price ! : m"
{row}
[m]
amount = "amount ! : decimal 9.2"
currency = "currency ! : currency"
{more}
"""
ARRAY = '"." = "messages * : o"'
ORDER: dict[str, Any] = {
    "shop": "s", "ref": "R", "at": "2026-11-20T10:00:00Z", "seller": {"name": "A"},
    "buyer": {"name": "B"},
    "rows": [{"no": 1, "text": "x", "qty": 1, "price": {"amount": 1, "currency": "EUR"}}],
}  # fmt: skip


def small(
    lines: str = "", *, row: str = "", more: str = "", document: str = ARRAY, header: str = ""
) -> LayoutTranslator:
    """A small layout with more lines in its groups."""
    text = SMALL.format(document=document, lines=lines, row=row, more=more)
    return compiled(text.replace("[document]", f"{header}\n[document]"))


def document(*items: dict[str, Any], **around: Any) -> bytes:
    """A document of :data:`ORDERS`."""
    return json.dumps({"data": {"orders": list(items)}, **around}).encode()


def row(**members: Any) -> dict[str, Any]:
    """An order of :data:`SMALL` whose only line has more members."""
    return {**ORDER, "rows": [{**ORDER["rows"][0], **members}]}


def readings(layout: LayoutTranslator, content: bytes) -> list[Any]:
    """Every reading, without the means to locate."""
    return [plain(reading) for reading in layout.read(io.BytesIO(content))]


def by_reference(layout: LayoutTranslator, content: bytes) -> list[Any]:
    """What the reference reader alone reads."""
    fast = JsonFast(layout.plan)
    fast.readers = {}
    reader = JsonDocumentReader(layout.plan, fast, Limits(), explain=False)
    return [plain(reading) for reading in reader.read(io.BytesIO(content))]


def faults(layout: LayoutTranslator, content: bytes) -> list[tuple[str, str, str | None]]:
    """Code, canonical path and place in the document of every fault."""
    found: list[Fault] = []
    for reading in layout.read(io.BytesIO(content)):
        if isinstance(reading, Entry):
            found += reading.faults
        elif isinstance(reading, Fault):
            found.append(reading)
    return [(fault.code, fault.path, fault.source_path) for fault in found]


def dumped(value: Any) -> bytes:
    """JSON with decimals as numbers."""
    return msgspec.json.Encoder(decimal_format="number").encode(value)
