"""Golden cases: every one was computed by hand from the tables beside it."""

from __future__ import annotations

import tomllib
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from backends.revenue.calculation import calculate
from backends.revenue.consignment import consignment_of
from backends.revenue.reading import read_tables
from tests.samples import ITEM
from translators.canonical import ContentPiece, ItemDeclaration, Money, TaxLine, TaxReference

HERE = Path(__file__).parent
CASES = tomllib.loads((HERE / "golden.toml").read_text("utf-8"))["case"]
TABLES = {name: read_tables(HERE / "tables" / f"{name}.toml") for name in ("xa", "jp", "ch")}


def money(text: str) -> Money | None:
    amount, _, currency = text.partition(" ")
    return Money(amount=Decimal(amount), currency=currency) if text else None


def item_of(case: dict[str, Any]) -> ItemDeclaration:
    sender = msgspec.structs.replace(ITEM.sender, organisation=case.get("organisation"))
    scheme = case.get("scheme")
    return msgspec.structs.replace(
        ITEM,
        nature=case.get("nature", "sale"),
        function=case.get("function"),
        sender=sender,
        origin_country=case.get("origin"),
        destination_country=case.get("destination", "XA"),
        postage=money(case.get("postage", "")),
        declared_value=money(case.get("declared", "")),
        return_of=case.get("return_of"),
        tax_references=(TaxReference(scheme=scheme, number="IM0000000000"),) if scheme else (),
        pieces=tuple(
            ContentPiece(
                number=number,
                pieces=1,
                description="goods",
                hs=hs or None,
                origin_country=origin or None,
                amount=money(value),
            )
            for number, (hs, origin, value) in enumerate(case["lines"], 1)
        ),
    )


def shown(line: TaxLine) -> str:
    place = f"@{line.piece}" if line.piece else None
    parts = (line.type, str(line.amount.amount), line.relief, place)
    return " ".join(part for part in parts if part)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_golden(case: dict[str, Any]) -> None:
    consignment = consignment_of(item_of(case), case.get("on", date(2026, 5, 4)))
    assert consignment is not None
    bill = calculate(consignment, TABLES[case.get("table", "xa")])
    assert (bill.regime, str(bill.total.amount)) == (case["regime"], case["total"])
    assert [shown(line) for line in bill.taxes] == case["taxes"]
    assert list(bill.remarks) == case.get("remarks", [])
    if "customs_value" in case:
        assert bill.customs_value is not None
        assert str(bill.customs_value.amount) == case["customs_value"]
    if "rates" in case:
        assert [f"{r.source} {r.target} {r.rate}" for r in bill.rates] == case["rates"]
    for name in ("payable_by", "dutiable"):
        if name in case:
            assert getattr(bill, name) == case[name]
