"""Laws of the calculation, orders, declarations, and what bounds it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.revenue.calculation import MAX_LINES, Bill, calculate
from backends.revenue.consignment import Consignment, Line, consignment_of
from backends.revenue.money import round_to, share
from backends.revenue.reading import read_tables
from tests.samples import ORDER
from translators.canonical import (
    DeclaredDocument,
    DutyTaxFee,
    GoodsDeclaration,
    GoodsItem,
    Money,
    Order,
    OrderLine,
    Procedure,
    TaxReference,
)

TABLES = read_tables(Path(__file__).parent / "tables" / "xa.toml")
DAY = date(2026, 5, 4)
IOSS = (TaxReference(scheme="IOSS", number="IM0000000000"),)


def eur(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="EUR")


def order(*prices: str, **changes: Any) -> Order:
    lines = tuple(
        OrderLine(number=n, description="goods", quantity=1, unit_price=eur(price), hs="610910")
        for n, price in enumerate(prices, 1)
    )
    return msgspec.structs.replace(ORDER, lines=lines, destination_country="XA", **changes)


def declaration(*items: GoodsItem, **changes: Any) -> GoodsDeclaration:
    sample = GoodsDeclaration(
        function="original", type_code="IMA", lrn="L-1", items=items, destination_country="XA"
    )
    return msgspec.structs.replace(sample, **changes)


def bill_of(message: Any, on: date = DAY) -> Bill:
    consignment = consignment_of(message, on)
    assert consignment is not None
    return calculate(consignment, TABLES)


def amounts(bill: Bill) -> list[str]:
    return [f"{line.type} {line.amount.amount}" for line in bill.taxes]


def test_an_order_whose_tax_was_taken_owes_nothing() -> None:
    bill = bill_of(order("24.50", tax_references=IOSS, tax_collected=eur("4.90")))
    assert amounts(bill) == ["duty 0.00", "VAT 4.90", "collected-at-sale -4.90"]
    assert (bill.total, bill.collected, bill.payable_by) == (eur("0.00"), eur("4.90"), "platform")
    assert bill.remarks == ()


def test_an_order_whose_tax_was_taken_in_part_owes_the_rest() -> None:
    bill = bill_of(order("24.50", tax_references=IOSS, tax_collected=eur("3.90")))
    assert bill.total == eur("1.00")
    assert bill.remarks == ("1.00 EUR less than due was taken at the sale",)


def test_too_much_taken_is_said_and_not_paid_back_here() -> None:
    bill = bill_of(order("24.50", tax_references=IOSS, tax_collected=eur("6.00")))
    assert bill.total == eur("0.00")
    assert bill.remarks == ("1.10 EUR more than due was taken at the sale",)


def test_an_order_under_a_scheme_that_says_nothing_of_tax_owes_all() -> None:
    bill = bill_of(order("24.50", tax_references=IOSS))
    assert (bill.total, bill.collected) == (eur("4.90"), eur("0.00"))


def test_tax_taken_without_a_scheme_is_not_credited() -> None:
    bill = bill_of(order("24.50", tax_collected=eur("4.90")))
    assert (bill.total, bill.payable_by) == (eur("4.90"), "addressee")
    assert bill.remarks == ("tax was taken at the sale without a scheme that holds here",)


def test_tax_taken_on_the_lines_is_added_up() -> None:
    message = order("20.00", "30.00", tax_references=IOSS)
    lines = tuple(
        msgspec.structs.replace(line, tax_collected=eur("5.00")) for line in message.lines
    )
    assert bill_of(msgspec.structs.replace(message, lines=lines)).collected == eur("10.00")


def test_discount_and_freight_of_an_order_are_shared_over_its_lines() -> None:
    bill = bill_of(order("100.00", "50.00", discount=eur("30.00"), freight=eur("6.00")))
    assert bill.regime == "low-value"
    assert amounts(bill) == ["duty 0.00", "VAT 16.80", "VAT 8.40"]


def test_quantity_and_line_discount_make_the_value_of_a_line() -> None:
    line = OrderLine(
        number=1, description="goods", quantity=3, unit_price=eur("10.00"), discount=eur("5.00")
    )
    bill = bill_of(msgspec.structs.replace(order("1"), lines=(line,)))
    assert bill.customs_value == eur("25.00")


@pytest.mark.parametrize("changes", [{"status": "cancelled"}, {"function": "withdrawal"}])
def test_a_cancelled_order_owes_nothing(changes: dict[str, str]) -> None:
    assert bill_of(order("24.50", **changes)).regime == "withdrawn"


def test_a_returned_order_is_free() -> None:
    assert bill_of(order("500", return_of="A-1000")).regime == "returned-goods"


def goods(value: str = "200.00", **changes: Any) -> GoodsItem:
    return msgspec.structs.replace(
        GoodsItem(number=1, hs="610910", origin_country="CN", customs_value=eur(value)), **changes
    )


def test_a_declaration_is_assessed_by_its_customs_values() -> None:
    assert bill_of(declaration(goods())).total == eur("66.50")


def test_deferred_payment_goes_to_the_account_without_a_fee() -> None:
    item = goods(duties=(DutyTaxFee(payment_method="E"),))
    bill = bill_of(declaration(item))
    assert (bill.payable_by, bill.total) == ("account", eur("64.00"))


def test_the_procedure_says_that_it_is_a_gift() -> None:
    assert (
        bill_of(declaration(goods("45", procedures=(Procedure(current="C08"),)))).regime == "gift"
    )


def test_the_scheme_of_a_declaration_may_stand_under_its_role() -> None:
    reference = TaxReference(scheme="FR5", number="IM0000000000")
    assert bill_of(declaration(goods("100"), tax_references=(reference,))).regime == "ioss"


def test_returned_goods_of_a_declaration_name_a_previous_document() -> None:
    item = goods(
        procedures=(Procedure(current="F01"),), previous_documents=(DeclaredDocument(id="26XA1"),)
    )
    assert bill_of(declaration(item)).regime == "returned-goods"


def test_an_export_declaration_owes_nothing() -> None:
    assert bill_of(declaration(goods(), type_code="EXA")).regime == "export"


def test_a_declaration_without_goods_cannot_be_assessed() -> None:
    assert bill_of(declaration()).regime == "not-assessed"


def test_a_value_that_no_message_could_carry_is_not_assessed() -> None:
    assert bill_of(declaration(goods("9999999999999999"))).regime == "not-assessed"


def test_very_many_lines_are_added_up() -> None:
    items = tuple(goods("1.00", number=n) for n in range(1, 1000))
    bill = bill_of(declaration(*items))
    assert len(bill.taxes) <= MAX_LINES
    assert bill.total == eur("322.18")  # 999 times 0.10 and 0.22, and 2.50
    assert bill.taxes[0].description == "sum of 999 lines, each rounded"


values = st.decimals(min_value=0, max_value=2000, places=2)
lines = st.lists(
    st.builds(
        Line,
        number=st.integers(1, 99),
        hs=st.sampled_from([None, "610910", "610990", "490199", "010121"]),
        origin=st.sampled_from(["CN", "XB"]),
        value=st.builds(
            Money, amount=values, currency=st.sampled_from(["EUR", "USD", "JPY", "XAF"])
        ),
    ),
    min_size=1,
    max_size=6,
)
consignments = st.builds(
    Consignment,
    on=st.sampled_from([DAY, date(2028, 2, 29), date(2020, 1, 1)]),
    lines=lines.map(tuple),
    nature=st.sampled_from(["sale", "gift", "documents", "returned-goods", "other"]),
    private=st.booleans(),
    destination=st.sampled_from([None, "XA", "US"]),
    freight=st.lists(st.builds(Money, amount=values, currency=st.just("EUR")), max_size=2).map(
        tuple
    ),
    tax_references=st.sampled_from([(), IOSS]),
    return_of=st.sampled_from([None, "X"]),
    collected=st.none() | st.builds(Money, amount=values, currency=st.just("EUR")),
    is_order=st.booleans(),
    withdrawn=st.booleans(),
)


@given(consignments)
def test_the_total_is_the_sum_of_the_lines_and_never_negative(consignment: Consignment) -> None:
    bill = calculate(consignment, TABLES)
    assert bill.total.amount == sum((line.amount.amount for line in bill.taxes), Decimal(0))
    assert bill.total.amount >= 0


@given(consignments)
def test_every_line_is_explained_and_rounded(consignment: Consignment) -> None:
    for line in calculate(consignment, TABLES).taxes:
        assert line.amount.amount == round_to(line.amount.amount, Decimal("0.01"))
        if line.rate is not None and line.relief is None:
            assert line.basis is not None
            exact = line.basis.amount * line.rate / 100
            assert abs(line.amount.amount - exact) <= Decimal("0.005")
        assert line.rate is not None or line.relief or line.description


@given(consignments)
def test_calculating_again_gives_the_same(consignment: Consignment) -> None:
    assert calculate(consignment, TABLES) == calculate(consignment, TABLES)


@given(values, st.lists(values, min_size=1, max_size=9))
def test_shares_add_up_to_the_whole(total: Decimal, weights: list[Decimal]) -> None:
    parts = share(total, weights, Decimal("0.01"))
    assert sum(parts) == total
    assert all(part >= 0 for part in parts)


@pytest.mark.parametrize(
    ("amount", "unit", "expected"),
    [
        ("0.005", "0.01", "0.01"),
        ("-0.005", "0.01", "-0.01"),
        ("2.5", "1", "3"),
        ("8.175", "0.05", "8.20"),
        ("8.124999", "0.05", "8.10"),
    ],
)
def test_halves_go_away_from_zero(amount: str, unit: str, expected: str) -> None:
    assert round_to(Decimal(amount), Decimal(unit)) == Decimal(expected)
