"""Small messages that tests vary. Every person and firm is made up."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from translators.canonical import (
    Address,
    ContentPiece,
    ItemDeclaration,
    Money,
    Order,
    OrderLine,
    Parcel,
    RiskAssessment,
    TradeParty,
)

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

SENDER = TradeParty(
    name="Atelier Exemple",
    address=Address(lines=("12 rue des Essais",), city="Lyon", postcode="69001", country="FR"),
)
ADDRESSEE = TradeParty(
    name="Muster Beispiel",
    address=Address(lines=("3 um Beispill",), city="Luxembourg", postcode="1234", country="LU"),
)
ITEM = ItemDeclaration(
    item_id="EE471108151FR",
    mail_class="parcels",
    nature="sale",
    gross_weight=Decimal("0.750"),
    sender=SENDER,
    addressee=ADDRESSEE,
    pieces=(
        ContentPiece(
            number=1,
            pieces=2,
            description="woollen socks, knitted",
            hs="611594",
            origin_country="FR",
            net_weight=Decimal("0.6"),
            amount=Money(amount=Decimal("24.50"), currency="EUR"),
        ),
    ),
)
ORDER = Order(
    platform_id="shop.example",
    order_id="A-1001",
    ordered_at=NOW,
    seller=SENDER,
    consignee=ADDRESSEE,
    lines=(
        OrderLine(
            number=1,
            description="woollen socks, knitted",
            quantity=2,
            unit_price=Money(amount=Decimal("12.25"), currency="EUR"),
        ),
    ),
    parcels=(Parcel(tracking_number="EE471108151FR"),),
)
ASSESSMENT = RiskAssessment(outcome="clear", assessed_at=NOW, item_id="EE471108151FR")


def item(**changes: Any) -> ItemDeclaration:
    """An item that differs from the sample in these fields."""
    return msgspec.structs.replace(ITEM, **changes)


def s10(serial: int, *, service: str = "EE", country: str = "FR") -> str:
    """A valid S10 identifier with this serial number (UPU S10)."""
    digits = f"{serial:08d}"
    total = sum(int(d) * w for d, w in zip(digits, (8, 6, 4, 2, 3, 5, 9, 7), strict=True))
    check = {10: 0, 11: 5}.get(11 - total % 11, 11 - total % 11)
    return f"{service}{digits}{check}{country}"
