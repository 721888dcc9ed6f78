"""What an item holds: lines of goods with weights, prices and identifiers that fit together."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from random import Random

from stdnum import ean

from gateway.demo.generator.catalogue import Good, currencies, goods
from translators.canonical import ContentPiece, Money, ProductId

GRAM = Decimal("0.001")
_LINES = (1, 1, 1, 2, 2, 3)  # how many lines items have


def money(euro: Decimal, currency: str) -> Money:
    """An amount of euro in another currency, in its minor units."""
    rate = currencies()[currency]
    unit = Decimal(1).scaleb(-rate.decimals)
    return Money(amount=(euro * rate.per_euro).quantize(unit, ROUND_HALF_UP), currency=currency)


def total(pieces: tuple[ContentPiece, ...], currency: str) -> Money:
    """The sum of the values of all lines."""
    amounts = [piece.amount.amount for piece in pieces if piece.amount is not None]
    return Money(amount=sum(amounts, Decimal(0)), currency=currency)


def merchandise(chance: Random, *, currency: str, remark: str = "") -> tuple[ContentPiece, ...]:
    """One to three lines of goods, each with code, origin, weight and value of all its pieces."""
    kinds = chance.sample(goods(), chance.choice(_LINES))
    return tuple(
        _line(number, kind, chance, currency=currency, remark=remark)
        for number, kind in enumerate(kinds, start=1)
    )


def papers(chance: Random, *, currency: str) -> tuple[ContentPiece, ...]:
    """Documents without a commercial value."""
    text = chance.choice(
        ("Contract documents", "Dossier administratif", "Diplôme, copie certifiée")
    )
    return (
        ContentPiece(
            number=1,
            pieces=chance.randrange(1, 4),
            description=f"{text}, no commercial value",
            net_weight=_between((Decimal("0.020"), Decimal("0.180")), chance),
            amount=money(Decimal(0), currency),
        ),
    )


def _line(number: int, kind: Good, chance: Random, *, currency: str, remark: str) -> ContentPiece:
    count = chance.randint(*kind.pieces)
    each = money(_between(kind.eur, chance), currency)
    return ContentPiece(
        number=number,
        pieces=count,
        description=remark + chance.choice(kind.texts),
        hs=kind.hs,
        origin_country=chance.choice(kind.origins),
        net_weight=_between(kind.kg, chance) * count,
        amount=Money(amount=each.amount * count, currency=currency),
        product_ids=(_gtin(chance),) if chance.random() < 0.3 else (),
    )


def _between(bounds: tuple[Decimal, Decimal], chance: Random) -> Decimal:
    low, high = (int(bound / GRAM) for bound in bounds)
    return chance.randint(low, high) * GRAM


def _gtin(chance: Random) -> ProductId:
    # GS1 General Specifications: prefixes 200 to 299 are for use inside a company, nobody's product
    digits = f"2{chance.randrange(10**11):011d}"
    return ProductId(type="GTIN", value=digits + ean.calc_check_digit(digits))
