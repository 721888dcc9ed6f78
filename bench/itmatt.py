"""The document of the measurements, `upu.itmatt.1`, and what reads and writes it by hand.

An item has 41 typed leaves and 1.57 KB of XML. The reader and the writer know this one document;
they detect nothing.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

import msgspec
from lxml import etree
from lxml.builder import ElementMaker  # type: ignore[import-not-found] # lxml-stubs lack it

from translators.canonical import Header, Interchange, ItemDeclaration
from translators.canonical.goods import ContentPiece
from translators.canonical.parties import TradeParty
from translators.xml import Node

AT: Final = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
URI: Final = "urn:luxor:layout:upu.itmatt.1"
NAMESPACE: Final = f"{{{URI}}}"
OPTIONS: Final[dict[str, Any]] = {
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


def items(count: int) -> Interchange:
    """An interchange of so many items."""
    item = msgspec.convert(ITEM, ItemDeclaration, strict=False)
    header = Header(sender="FRA", recipient="JPB", control_reference="1", prepared_at=AT)
    return Interchange(header=header, messages=(item,) * count)


class Reader:
    """Reads the document."""

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


class Builder:
    """Writes the document by ``lxml.builder``."""

    _MAKE: ClassVar = ElementMaker(namespace=URI, nsmap={None: URI})
    _CLASSES: ClassVar[dict[str, str]] = {"letters": "U", "parcels": "C", "EMS": "E"}
    _NATURES: ClassVar[dict[str, str]] = {"sale": "11", "gift": "31"}

    def document(self, interchange: Interchange) -> bytes:
        """A whole document; the interchange has the fields of `ITEM`."""
        make, header = self._MAKE, interchange.header
        assert header.prepared_at is not None
        root = make.itmatt(
            make.interchange(
                make("from", header.sender or ""),
                make.to(header.recipient or ""),
                make("control-ref", header.control_reference or ""),
                make.prepared(f"{header.prepared_at:%Y-%m-%dT%H:%M:%SZ}"),
                make.test("true" if header.test else "false"),
            ),
            *(self._item(one) for one in interchange.messages if isinstance(one, ItemDeclaration)),
        )
        return etree.tostring(root, xml_declaration=True, encoding="UTF-8")

    def _item(self, item: ItemDeclaration) -> Node:
        make = self._MAKE
        assert item.declared_value is not None
        assert item.postage is not None
        made: Node = make.item(
            make("item-id", item.item_id),
            make("mail-class", self._CLASSES[item.mail_class]),
            make("nature-type", self._NATURES[item.nature]),
            make("posting-date", f"{item.posting_date}"),
            make("gross-weight", f"{item.gross_weight}"),
            make(
                "declared-value",
                f"{item.declared_value.amount}",
                currency=item.declared_value.currency,
            ),
            make("postage", f"{item.postage.amount}", currency=item.postage.currency),
            make("order-ref", item.order_reference or ""),
            *(make("tax-reference", one.number, scheme=one.scheme) for one in item.tax_references),
            self._party("sender", item.sender),
            self._party("addressee", item.addressee),
            *(self._piece(piece) for piece in item.pieces),
        )
        return made

    def _party(self, tag: str, party: TradeParty) -> Node:
        make, address = self._MAKE, party.address
        assert address is not None
        made: Node = make(
            tag,
            make.name(party.name or ""),
            *(make("address-line", line) for line in address.lines),
            make.city(address.city or ""),
            make.postcode(address.postcode or ""),
            make.country(address.country),
            make.telephone(party.telephone or ""),
            make.email(party.email or ""),
            *(make.reference(one.value, type=one.type) for one in party.references),
        )
        return made

    def _piece(self, piece: ContentPiece) -> Node:
        make = self._MAKE
        assert piece.amount is not None
        made: Node = make(
            "content-piece",
            make.number(f"{piece.number}"),
            make.pieces(f"{piece.pieces}"),
            make.description(piece.description),
            make.hs(piece.hs or ""),
            make("origin-country", piece.origin_country or ""),
            make("net-weight", f"{piece.net_weight}"),
            make.amount(f"{piece.amount.amount}", currency=piece.amount.currency),
        )
        return made
