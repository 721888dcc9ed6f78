"""Minimisation withholds everything that no glob covers."""

from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from gateway.agreements import Minimiser
from translators.canonical import (
    Address,
    ContentPiece,
    ItemDeclaration,
    Money,
    Order,
    OrderLine,
    TradeParty,
)

ITEM = ItemDeclaration(
    item_id="EE471108151FR",
    mail_class="parcels",
    nature="gift",
    gross_weight=Decimal("0.5"),
    sender=TradeParty(name="Canary Sender", address=Address(country="FR", city="Lyon")),
    addressee=TradeParty(name="Canary Addressee", address=Address(country="LX")),
    pieces=(
        ContentPiece(number=1, pieces=2, description="wool socks", hs="611594"),
        ContentPiece(
            number=2, pieces=1, description="cap", amount=Money(amount=Decimal(9), currency="EUR")
        ),
    ),
)
NEEDED = ("item_id", "mail_class", "nature", "gross_weight")


def test_everything_may_be_seen_under_a_double_star() -> None:
    minimised = Minimiser(["**"]).minimise(ITEM)

    assert ITEM is minimised.message
    assert minimised.dropped == ()


def test_what_no_glob_covers_is_withheld_and_named() -> None:
    fields = (*NEEDED, "sender/address/country", "addressee/address", "pieces/*/number")
    minimiser = Minimiser([*fields, "pieces/*/pieces", "pieces/*/description"])

    minimised = minimiser.minimise(ITEM)

    assert b"Canary" not in msgspec.json.encode(minimised.message)
    assert {
        "/sender/name",
        "/sender/address/city",
        "/addressee/name",
        "/pieces/0/hs",
        "/pieces/1/amount/amount",
        "/pieces/1/amount/currency",
    } == set(minimised.dropped)


def test_globs_that_withhold_a_required_path_are_reported() -> None:
    assert Minimiser(
        ["item_id", "nature", "gross_weight", "sender", "addressee", "pieces"]
    ).missing("ItemDeclaration") == ("/mail_class",)


def test_half_of_an_amount_is_a_mistake() -> None:
    fields = [*NEEDED, "sender", "addressee", "pieces", "postage/amount"]

    assert Minimiser(fields).missing("ItemDeclaration") == ("/postage/currency",)


def test_a_part_of_which_something_is_seen_needs_its_type() -> None:
    fields = [*NEEDED, "sender", "addressee", "pieces", "documents/*/number"]

    assert Minimiser(fields).missing("ItemDeclaration") == ("/documents/*/type",)


def test_a_party_that_may_not_be_seen_at_all_leaves_an_empty_required_part() -> None:
    fields = [*NEEDED, "addressee", "pieces"]
    minimiser = Minimiser(fields)

    assert minimiser.missing("ItemDeclaration") == ()
    assert TradeParty() == minimiser.minimise(ITEM).message.sender  # type: ignore[union-attr]


def test_a_part_that_another_kind_requires_may_be_withheld() -> None:
    amount = Money(amount=Decimal(9), currency="EUR")
    order = Order(
        platform_id="shop.example",
        order_id="o-1",
        ordered_at=datetime(2026, 11, 20, tzinfo=UTC),
        seller=TradeParty(name="Canary Seller"),
        consignee=TradeParty(name="Canary Consignee"),
        lines=(OrderLine(number=1, description="cap", quantity=1, unit_price=amount),),
        total=amount,
    )
    minimiser = Minimiser(["platform_id", "order_id", "ordered_at", "lines"])

    assert minimiser.missing("Order") == ()
    assert minimiser.minimise(order).message.total is None  # type: ignore[union-attr]
