from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from gateway.demo.generator import Orders, items, orders
from gateway.regimes import Universal
from translators.canonical import ItemDeclaration, Order
from translators.gate import convert

AT = datetime(2026, 11, 23, 8, tzinfo=UTC)


@pytest.fixture(scope="module")
def sent() -> list[ItemDeclaration]:
    return items("orders", 100, at=AT)


@pytest.fixture(scope="module")
def made(sent: list[ItemDeclaration]) -> Orders:
    return orders("orders", 40, sent, at=AT)


def test_the_same_seed_gives_the_same_orders(made: Orders) -> None:
    again = orders("orders", 40, items("orders", 100, at=AT), at=AT)
    assert msgspec.json.encode(made) == msgspec.json.encode(again)


def test_every_order_is_valid(made: Orders) -> None:
    regime = Universal()
    for order in (*made.placed, *made.shipped):
        raw = msgspec.json.decode(msgspec.json.encode(order))
        assert convert(raw, "Order") == (order, ())
        assert {fault.code for fault in regime.check(order)} <= {"vat.rule"}


def test_there_are_as_many_orders_as_were_asked_for_each_with_its_own_id(made: Orders) -> None:
    assert len({order.order_id for order in made.placed}) == len(made.placed) == 40


def test_some_orders_learn_their_tracking_numbers_from_an_amendment(made: Orders) -> None:
    unshipped = {order.order_id: order for order in made.placed if not order.parcels}
    assert len(unshipped) == 10
    assert [order.order_id for order in made.shipped] == list(unshipped)
    for order in made.shipped:
        before = msgspec.structs.replace(order, parcels=(), status="placed", function="original")
        assert order.function == "amendment"
        assert order.parcels
        assert unshipped[order.order_id] == before


def test_one_order_fills_two_parcels_which_name_their_lines(made: Orders) -> None:
    (order,) = [order for order in made.placed if len(order.parcels) == 2]
    held = [number for parcel in order.parcels for number in parcel.lines]
    assert sorted(held) == [line.number for line in order.lines]


def test_orders_and_items_name_each_other(made: Orders, sent: list[ItemDeclaration]) -> None:
    by_id = {item.item_id: item for item in sent}
    for order in (*made.placed, *made.shipped):
        for parcel in order.parcels:
            item = by_id[parcel.tracking_number]
            assert item.order_reference == order.order_id
            assert (item.sender, item.addressee) == (order.seller, order.consignee)


def test_what_was_paid_is_what_the_order_costs(made: Orders) -> None:
    for order in made.placed:
        assert order.total is not None
        assert order.total.amount == cost(order)
        assert order.total.amount == sum(payment.amount.amount for payment in order.payments)


def cost(order: Order) -> Decimal:
    goods = sum((line.unit_price.amount * line.quantity for line in order.lines), Decimal(0))
    freight = order.freight.amount if order.freight is not None else Decimal(0)
    discount = order.discount.amount if order.discount is not None else Decimal(0)
    return goods + freight - discount


def test_orders_have_tax_numbers_discounts_and_several_payments(made: Orders) -> None:
    assert any(order.tax_references for order in made.placed)
    assert any(order.discount is not None for order in made.placed)
    assert any(len(order.payments) > 1 for order in made.placed)


def test_too_few_sales_are_said_and_not_made_up() -> None:
    with pytest.raises(ValueError, match="fewer than 40"):
        orders("orders", 40, items("orders", 10, at=AT), at=AT)
