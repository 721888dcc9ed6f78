"""What is assessed: the goods, values and circumstances of a message, whatever its kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Literal

import msgspec

from backends.revenue.money import EXACT
from translators.canonical import (
    GoodsDeclaration,
    GoodsItem,
    ItemDeclaration,
    Message,
    Money,
    Order,
    OrderLine,
    TaxReference,
    TradeParty,
)

Nature = Literal["sale", "gift", "documents", "returned-goods", "other"]


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of goods; ``value`` is that of all pieces, before freight."""

    number: int
    hs: str | None = None
    origin: str | None = None
    value: Money | None = None


class Consignment(msgspec.Struct, frozen=True, kw_only=True):
    """What a message comes to for revenue, on the day on which it was accepted."""

    on: date
    lines: tuple[Line, ...]
    nature: Nature = "sale"
    origin: str | None = None
    destination: str | None = None
    private: bool = False
    """From one natural person to another."""
    total: Money | None = None
    """Declared value of the whole, for lines without one."""
    freight: tuple[Money, ...] = ()
    """Carriage and insurance."""
    discount: Money | None = None
    tax_references: tuple[TaxReference, ...] = ()
    return_of: str | None = None
    collected: Money | None = None
    """Tax taken at the sale."""
    payment_methods: frozenset[str] = frozenset()
    is_order: bool = False
    export: bool = False
    withdrawn: bool = False


def consignment_of(message: Message, on: date) -> Consignment | None:
    """The consignment of a kind that is assessed; ``None`` for every other kind."""
    extract = _EXTRACTORS.get(type(message))
    return extract(message, on) if extract else None


_NATURES: Mapping[str, Nature] = MappingProxyType(
    {
        "sale": "sale",
        "gift": "gift",
        "documents": "documents",
        "returned-goods": "returned-goods",
    }
)


def _item(item: ItemDeclaration, on: date) -> Consignment:
    return Consignment(
        on=on,
        lines=tuple(
            Line(number=p.number, hs=p.hs, origin=p.origin_country, value=p.amount)
            for p in item.pieces
        ),
        nature=_NATURES.get(item.nature, "other"),
        origin=item.origin_country or _country(item.sender),
        destination=item.destination_country or _country(item.addressee),
        private=_is_private(item.sender) and _is_private(item.addressee),
        total=item.declared_value,
        freight=(item.postage,) if item.postage else (),
        tax_references=item.tax_references,
        return_of=item.return_of,
        withdrawn=item.function == "withdrawal",
    )


def _order(order: Order, on: date) -> Consignment:
    collected = order.tax_collected or _sum([line.tax_collected for line in order.lines])
    return Consignment(
        on=on,
        lines=tuple(
            Line(
                number=line.number,
                hs=line.hs,
                origin=line.origin_country,
                value=_line_value(line),
            )
            for line in order.lines
        ),
        nature="returned-goods" if order.return_of or order.status == "returned" else "sale",
        origin=_country(order.seller),
        destination=order.destination_country or _country(order.consignee),
        freight=tuple(money for money in (order.freight, order.insurance) if money),
        discount=order.discount,
        tax_references=order.tax_references,
        return_of=order.return_of,
        collected=collected,
        is_order=True,
        withdrawn=order.function == "withdrawal" or order.status == "cancelled",
    )


def _line_value(line: OrderLine) -> Money:
    price = line.unit_price
    value = EXACT.multiply(price.amount, Decimal(line.quantity))
    if line.discount is not None and line.discount.currency == price.currency:
        value = max(EXACT.subtract(value, line.discount.amount), Decimal(0))
    return Money(amount=value, currency=price.currency)


def _sum(amounts: list[Money | None]) -> Money | None:
    """The sum, when there is something to add and it is in one currency."""
    found = [money for money in amounts if money is not None]
    if len({money.currency for money in found}) != 1:
        return None
    total = sum((money.amount for money in found), Decimal(0))
    return Money(amount=total, currency=found[0].currency)


GIFT_PROCEDURE = "C08"  # UCC DA annex B, additional procedure: between private persons
RETURN_PROCEDURE = "F01"  # the same: returned goods
EXPORT_TYPES = "EX"


def _declaration(declaration: GoodsDeclaration, on: date) -> Consignment:
    procedures = {p.current for item in declaration.items for p in item.procedures}
    nature: Nature = "sale"
    if GIFT_PROCEDURE in procedures:
        nature = "gift"
    elif RETURN_PROCEDURE in procedures:
        nature = "returned-goods"
    references = [*declaration.tax_references]
    references += [ref for item in declaration.items for ref in item.tax_references]
    previous = [*declaration.previous_documents]
    previous += [document for item in declaration.items for document in item.previous_documents]
    first = next(iter(declaration.items), None)
    return Consignment(
        on=on,
        lines=tuple(
            Line(number=item.number, hs=item.hs, origin=_origin(item), value=_declared(item))
            for item in declaration.items
        ),
        nature=nature,
        origin=declaration.export_country or (first.export_country if first else None),
        destination=declaration.destination_country
        or (first.destination_country if first else None),
        private=GIFT_PROCEDURE in procedures,  # that is what the code declares
        total=declaration.invoice_total,
        tax_references=tuple(dict.fromkeys(references)),
        return_of=next((document.id for document in previous if document.id), None),
        payment_methods=frozenset(
            method
            for item in declaration.items
            for duty in item.duties
            if (method := duty.payment_method)
        ),
        export=declaration.type_code.startswith(EXPORT_TYPES),
        withdrawn=declaration.function in ("withdrawal", "cancellation"),
    )


def _origin(item: GoodsItem) -> str | None:
    return item.preferential_origin or item.origin_country


def _declared(item: GoodsItem) -> Money | None:
    return item.customs_value or item.invoice_amount or item.statistical_value


_EXTRACTORS: Mapping[type[Any], Callable[[Any, date], Consignment]] = MappingProxyType(
    {ItemDeclaration: _item, Order: _order, GoodsDeclaration: _declaration}
)


def _country(party: TradeParty) -> str | None:
    return party.address.country if party.address else None


def _is_private(party: TradeParty) -> bool:
    return party.organisation is None and party.person_type not in ("legal", "legal-person", "2")
