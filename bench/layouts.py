"""What layouts cost, as ratios to bare baselines of the same run: `python -m bench.layouts`.

Baselines: lxml's parse of the same bytes; a reader written by hand for the same document, which
detects nothing; `iterparse` with the same walk. Microseconds for one message are the least of
several rounds, since other work on the machine only ever adds.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, ClassVar

import msgspec
from lxml import etree

from translators.canonical import Header, Interchange, ItemDeclaration, Message
from translators.faults import Note
from translators.layout import LayoutTranslator, packaged
from translators.layout.documents import DocumentWriter, Writers
from translators.layout.reading import DocumentReader
from translators.translator import Entry, encode
from translators.xml import Limits, Node

AT = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
ITEMS = 100
STREAMED = 10_000
ROUNDS = 40
NAMESPACE = "{urn:luxor:layout:upu.itmatt.1}"
OPTIONS: dict[str, Any] = {
    "resolve_entities": False,
    "no_network": True,
    "remove_comments": True,
    "remove_pis": True,
    "remove_blank_text": True,
}
PARTY = {
    "name": "Ana Muster",
    "address": {"lines": ["1 Example Road"], "city": "Basel", "postcode": "4000", "country": "CH"},
    "telephone": "+41 000000000",
    "email": "ana@example.org",
    "references": [{"type": "EORI", "value": "FR0000000000000"}],
}
PIECE = {
    "number": 1,
    "pieces": 2,
    "description": "cotton shirts",
    "hs": "610910",
    "origin_country": "FR",
    "net_weight": "0.4",
    "amount": {"amount": "40.50", "currency": "EUR"},
}
ITEM = {
    "item_id": "EE000000000FR",
    "mail_class": "parcels",
    "nature": "sale",
    "gross_weight": "1.25",
    "declared_value": {"amount": "81.00", "currency": "EUR"},
    "postage": {"amount": "12.40", "currency": "EUR"},
    "posting_date": "2026-11-20",
    "order_reference": "2026-000123",
    "tax_references": [{"scheme": "IOSS", "number": "IM0000000000"}],
    "sender": PARTY,
    "addressee": PARTY,
    "pieces": [PIECE, {**PIECE, "number": 2}],
}


def least(messages: int, *works: Callable[[], object], rounds: int = ROUNDS) -> list[float]:
    """Microseconds of CPU for one message, of the quickest round of each; rounds take turns, so
    that what slows the machine slows all of them."""
    best = [float("inf")] * len(works)
    for _ in range(rounds):
        for at, work in enumerate(works):
            began = time.process_time()
            work()
            best[at] = min(best[at], time.process_time() - began)
    return [one / messages * 1e6 for one in best]


def items(count: int) -> Interchange:
    """An interchange of so many items."""
    item = msgspec.convert(ITEM, ItemDeclaration, strict=False)
    header = Header(sender="FRA", recipient="JPB", control_reference="1", prepared_at=AT)
    return Interchange(header=header, messages=(item,) * count)


class ByHand:
    """The reader of one document, written by hand; it detects nothing."""

    _PLAIN: ClassVar[dict[str, str]] = {
        f"{NAMESPACE}{tag}": name
        for tag, name in {
            "item-id": "item_id",
            "posting-date": "posting_date",
            "gross-weight": "gross_weight",
            "order-ref": "order_reference",
            "number": "number",
            "pieces": "pieces",
            "description": "description",
            "hs": "hs",
            "origin-country": "origin_country",
            "net-weight": "net_weight",
            "name": "name",
            "telephone": "telephone",
            "email": "email",
        }.items()
    }
    _ADDRESS: ClassVar[dict[str, str]] = {
        f"{NAMESPACE}{tag}": tag for tag in ("city", "postcode", "country")
    }
    _MONEY: ClassVar[dict[str, str]] = {
        f"{NAMESPACE}{tag}": name
        for tag, name in {
            "declared-value": "declared_value",
            "postage": "postage",
            "amount": "amount",
        }.items()
    }
    _CODES: ClassVar[dict[str, tuple[str, dict[str, str]]]] = {
        f"{NAMESPACE}mail-class": ("mail_class", {"U": "letters", "C": "parcels", "E": "EMS"}),
        f"{NAMESPACE}nature-type": ("nature", {"11": "sale", "31": "gift"}),
    }
    _PARTIES = frozenset({f"{NAMESPACE}sender", f"{NAMESPACE}addressee"})
    _PIECE = f"{NAMESPACE}content-piece"
    _LINE = f"{NAMESPACE}address-line"
    _TAX = f"{NAMESPACE}tax-reference"
    _ITEM = f"{NAMESPACE}item"
    _CUT = len(NAMESPACE)

    def document(self, content: bytes) -> list[ItemDeclaration]:
        """Every item of a document."""
        root = etree.fromstring(content, etree.XMLParser(**OPTIONS))
        return [self.item(node) for node in root.iterchildren(self._ITEM)]

    def item(self, node: Node) -> ItemDeclaration:
        """One item."""
        return msgspec.convert(self._item(node), ItemDeclaration, strict=False)

    def _item(self, node: Node) -> dict[str, Any]:
        found: dict[str, Any] = {"pieces": []}
        plain, money, codes = self._PLAIN, self._MONEY, self._CODES
        for one in node:
            tag: Any = one.tag
            if tag in plain:
                found[plain[tag]] = one.text
            elif tag in money:
                found[money[tag]] = {"amount": one.text, "currency": one.get("currency")}
            elif tag in codes:
                name, table = codes[tag]
                found[name] = table[one.text or ""]
            elif tag in self._PARTIES:
                found[tag[self._CUT :]] = self._party(one)
            elif tag == self._PIECE:
                found["pieces"].append(self._piece(one))
            elif tag == self._TAX:
                taxes = found.setdefault("tax_references", [])
                taxes.append({"scheme": one.get("scheme"), "number": one.text})
        return found

    def _piece(self, node: Node) -> dict[str, Any]:
        found: dict[str, Any] = {}
        plain, money = self._PLAIN, self._MONEY
        for one in node:
            tag: Any = one.tag
            if tag in plain:
                found[plain[tag]] = one.text
            else:
                found[money[tag]] = {"amount": one.text, "currency": one.get("currency")}
        return found

    def _party(self, node: Node) -> dict[str, Any]:
        address: dict[str, Any] = {"lines": []}
        found: dict[str, Any] = {"address": address, "references": []}
        plain, places = self._PLAIN, self._ADDRESS
        for one in node:
            tag: Any = one.tag
            if tag in plain:
                found[plain[tag]] = one.text
            elif tag in places:
                address[places[tag]] = one.text
            elif tag == self._LINE:
                address["lines"].append(one.text)
            else:
                found["references"].append({"type": one.get("type"), "value": one.text})
        return found

    def stream(self, content: bytes) -> int:
        """How many items a document has, read one by one and freed."""
        events = etree.iterparse(
            io.BytesIO(content), events=("end",), tag=f"{NAMESPACE}item", **OPTIONS
        )
        number = 0
        for _, node in events:
            self.item(node)
            node.clear()
            number += 1
            above = node.getparent()
            while above is not None and (before := node.getprevious()) is not None:
                above.remove(before)
        return number


def by_reference(layout: LayoutTranslator, content: bytes) -> list[Any]:
    """What the reference reader makes of a document."""
    return list(DocumentReader(layout.plan, None, Limits()).read(io.BytesIO(content)))


def written_by_reference(
    layout: LayoutTranslator, writers: Writers, interchange: Interchange
) -> bytes:
    """What the reference writer makes of an interchange."""
    writer = DocumentWriter(layout.plan, writers, interchange.header, None)
    return b"".join(writer.write(interchange.messages))


def messages_of(layout: LayoutTranslator, content: bytes) -> Iterable[Message]:
    """The messages of a document, one by one."""
    for reading in layout.read(io.BytesIO(content)):
        if isinstance(reading, Entry) and reading.message is not None:
            yield reading.message


def tell(name: str, cost: float, base: float, what: str) -> None:
    """Print a line: microseconds, and how fast that is measured by a baseline."""
    print(f"  {name:<34} {cost:8.1f} µs   {base / cost:7.1%} of {what}")


def compare(layout: LayoutTranslator, interchange: Interchange, hand: ByHand | None = None) -> None:
    """Print how a layout reads and writes."""
    content = encode(layout, interchange)
    count = len(interchange.messages)
    print(f"{layout.id}: {count} messages, {len(content) // count} bytes each")
    parsed, read, by_hand = least(
        count,
        lambda: etree.fromstring(content, etree.XMLParser(**OPTIONS)),
        lambda: list(layout.read(io.BytesIO(content))),
        lambda: hand.document(content) if hand is not None else None,
    )
    tell("bare parse", parsed, parsed, "itself")
    tell("generated reader", read, parsed, "bare parse")
    if hand is not None:
        assert hand.document(content)[0] == next(iter(messages_of(layout, content)))
        tell("reader written by hand", by_hand, parsed, "bare parse")
        tell("generated reader", read, by_hand, "the reader written by hand")
    notes: list[Note] = []
    writers = Writers(layout.plan)
    writers.fast = {}
    slow, written, reported, slowly = least(
        count,
        lambda: by_reference(layout, content),
        lambda: encode(layout, interchange),
        lambda: encode(layout, interchange, notes.append),
        lambda: written_by_reference(layout, writers, interchange),
        rounds=5,
    )
    tell("reference reader", slow, read, "the generated reader")
    tell("generated writer", written, parsed, "bare parse")
    tell("generated writer with a report", reported, written, "the generated writer")
    tell("reference writer", slowly, written, "the generated writer")


def stream(layout: LayoutTranslator, other: LayoutTranslator, hand: ByHand) -> None:
    """Print how one format becomes another while it is read."""
    many, header = encode(layout, items(STREAMED)), items(1).header
    walk, through = least(
        STREAMED,
        lambda: hand.stream(many),
        lambda: sum(len(piece) for piece in other.write(header, messages_of(layout, many))),
        rounds=4,
    )
    print(f"stream of {STREAMED} items from {layout.id} to {other.id}")
    tell("iterparse with the walk by hand", walk, walk, "itself")
    tell("read and written by layouts", through, walk, "iterparse with the walk")


def main() -> None:
    """Print every figure."""
    layout, hand = packaged("upu.itmatt.1"), ByHand()
    compare(layout, items(ITEMS), hand)
    stream(layout, packaged("upu.cusitm.1"), hand)
    for name in ("gb.dms.declaration.2", "eu.ics2.f43.2"):
        compare(packaged(name), packaged(name).sample())


if __name__ == "__main__":
    main()
