"""Orders as an e-commerce platform would send them, for the items that fill them.

An order has the references, parties and goods of its items, so that both are found to be about
the same thing. Some orders are sent before they are shipped: their tracking numbers come in an
amendment.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

import msgspec

from gateway.demo.generator.content import money
from gateway.demo.generator.people import person
from translators.canonical import (
    ItemDeclaration,
    Money,
    Order,
    OrderLine,
    Parcel,
    Payment,
    TradeParty,
)

PLATFORM = "marketplace.example"
_METHODS = ("card", "wallet", "bank-transfer", "invoice", "instalments")
_LATER_OF = 4
"""Of so many orders one has its tracking numbers later."""


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """``placed`` come first; ``shipped`` amends some of them with the whole order again."""

    placed: tuple[Order, ...]
    shipped: tuple[Order, ...]


def orders(
    seed: int | str, count: int, items: Sequence[ItemDeclaration], *, at: datetime
) -> Orders:
    """Orders for the first ``count`` sales among ``items``, placed in the days before ``at``.

    Sales with the same order reference are parcels of one order. Raises ``ValueError`` when the
    items hold fewer sales.
    """
    fulfilled: dict[str, list[ItemDeclaration]] = {}
    for item in items:
        if item.nature == "sale" and item.order_reference is not None:
            fulfilled.setdefault(item.order_reference, []).append(item)
    if len(fulfilled) < count:
        raise ValueError(f"the items hold {len(fulfilled)} sales, which are fewer than {count}")
    whole = [
        _order(seed, number, reference, fulfilled[reference], at=at)
        for number, reference in enumerate(list(fulfilled)[:count])
    ]
    later = [order for number, order in enumerate(whole) if number % _LATER_OF == _LATER_OF - 1]
    return Orders(
        placed=tuple(_unshipped(order) if order in later else order for order in whole),
        shipped=tuple(msgspec.structs.replace(order, function="amendment") for order in later),
    )


def _unshipped(order: Order) -> Order:
    return msgspec.structs.replace(order, parcels=(), status="placed")


def _order(
    seed: int | str, number: int, reference: str, items: Sequence[ItemDeclaration], *, at: datetime
) -> Order:
    chance = Random(f"{seed}/order/{number}")  # noqa: S311 - made-up data, the same each time
    ordered = at - timedelta(days=chance.randrange(4, 12), minutes=chance.randrange(1440))
    lines, parcels = _lines(chance, items, shipped=ordered + timedelta(days=2))
    currency = lines[0].unit_price.currency
    goods = sum((line.unit_price.amount * line.quantity for line in lines), Decimal(0))
    freight = money(Decimal(chance.randrange(0, 1500)) / 100, currency)
    discount = money(Decimal(5), currency) if chance.random() < 0.25 else None
    if discount is not None and discount.amount > goods:
        discount = None
    paid = goods + freight.amount - (discount.amount if discount is not None else 0)
    first = items[0]
    return Order(
        platform_id=PLATFORM,
        order_id=reference,
        ordered_at=ordered,
        function="original",
        status="shipped",
        seller=first.sender,
        seller_id=f"S-{chance.randrange(10**5):05d}",
        consignee=first.addressee,
        buyer=_buyer(chance, first),
        buyer_id=f"B-{chance.randrange(10**6):06d}",
        destination_country=_country(first),
        lines=lines,
        discount=discount,
        freight=freight,
        total=Money(amount=paid, currency=currency),
        payments=_payments(chance, paid, currency, ordered),
        tax_references=first.tax_references,
        incoterm=chance.choice(("DAP", "DDP")),
        invoice_number=first.invoice_number,
        parcels=parcels,
    )


def _lines(
    chance: Random, items: Iterable[ItemDeclaration], *, shipped: datetime
) -> tuple[tuple[OrderLine, ...], tuple[Parcel, ...]]:
    """One line for each kind of goods, and the parcels with the lines that they hold."""
    lines: list[OrderLine] = []
    parcels: list[Parcel] = []
    for item in items:
        held = []
        for piece in item.pieces:
            assert piece.amount is not None
            price = Money(amount=piece.amount.amount / piece.pieces, currency=piece.amount.currency)
            held.append(len(lines) + 1)
            lines.append(
                OrderLine(
                    number=held[-1],
                    description=piece.description,
                    quantity=piece.pieces,
                    unit_price=price,
                    listed_price=_listed(chance, price),
                    sku=f"SKU-{chance.randrange(10**7):07d}",
                    product_ids=piece.product_ids,
                    url=f"https://{PLATFORM}/p/{chance.randrange(10**9)}",
                    hs=piece.hs,
                    origin_country=piece.origin_country,
                    net_weight=piece.net_weight,
                )
            )
        parcels.append(
            Parcel(
                tracking_number=item.item_id,
                carrier=f"Post of {item.item_id[-2:]}",
                shipped_at=shipped,
                lines=tuple(held),
            )
        )
    if len(parcels) == 1:  # a parcel without lines holds the whole order
        parcels = [msgspec.structs.replace(parcels[0], lines=())]
    return tuple(lines), tuple(parcels)


def _listed(chance: Random, price: Money) -> Money | None:
    """What was asked before a reduction, for some lines."""
    if chance.random() < 0.7:
        return None
    return Money(amount=price.amount * 2, currency=price.currency)


def _buyer(chance: Random, item: ItemDeclaration) -> TradeParty:
    """Somebody else than the addressee, now and then."""
    country = _country(item)
    if country is None or chance.random() < 0.85:
        return item.addressee
    return person(country, chance)


def _payments(chance: Random, paid: Decimal, currency: str, at: datetime) -> tuple[Payment, ...]:
    """One payment, or a voucher and the rest."""
    method = chance.choice(_METHODS)
    voucher = money(Decimal(10), currency).amount
    parts = [(method, paid)]
    if paid > 2 * voucher and chance.random() < 0.2:
        parts = [("voucher", voucher), (method, paid - voucher)]
    return tuple(
        Payment(
            reference=f"PAY-{chance.randrange(10**10):010d}",
            method=name,
            amount=Money(amount=amount, currency=currency),
            paid_at=at + timedelta(minutes=2),
            status="captured",
            provider="payments.example",
        )
        for name, amount in parts
    )


def _country(item: ItemDeclaration) -> str | None:
    return None if item.addressee.address is None else item.addressee.address.country
