from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from gateway.cli.summary import summary
from gateway.demo.generator import indicators, items, orders
from translators.canonical import (
    AeoStatus,
    CustomsResponse,
    DeliveryFailed,
    FailureReason,
    Message,
    Money,
    Office,
    Referral,
    RevenueAssessment,
    RiskAssessment,
)

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
EURO = Money(amount=Decimal("12.50"), currency="EUR")
OFFICE = Office(code="LU001")


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            CustomsResponse(
                decision="released-on-payment", decided_at=AT, total_fee=EURO, decision_reason="r"
            ),
            "released-on-payment, 12.50 EUR due: r",
        ),
        (CustomsResponse(decision="released", decided_at=AT), "released"),
        (
            RiskAssessment(outcome="hold", assessed_at=AT, level="high", indicators=("PT/1",)),
            "hold, high, matched PT/1",
        ),
        (RiskAssessment(outcome="clear", assessed_at=AT), "clear"),
        (
            RevenueAssessment(assessed_at=AT, total=EURO, regime="low-value"),
            "12.50 EUR due under low-value",
        ),
        (
            Referral(reference="R1", kind="RFI", issued_at=AT, authority=OFFICE, item_ids=("A",)),
            "RFI for 1 items",
        ),
        (
            DeliveryFailed(
                regards="m",
                interchange_id="i",
                failed_at=AT,
                destination="risk",
                reasons=(FailureReason(code="b"), FailureReason(code="a"), FailureReason(code="b")),
            ),
            "not delivered to risk: a, b",
        ),
        (AeoStatus(number="1", holder="h", authority=OFFICE, status="valid"), ""),
    ],
)
def test_a_message_is_told_in_one_line(message: Message, expected: str) -> None:
    assert summary(msgspec.json.encode(message)) == expected


def test_items_and_orders_are_told_without_names() -> None:
    sent = items("summary", 60, at=AT)
    placed = orders("summary", 20, sent, at=AT)
    messages: list[Message] = [*sent, *placed.placed, *placed.shipped]
    for message in messages:
        line = summary(msgspec.json.encode(message))
        assert line
        party = getattr(message, "addressee", None) or getattr(message, "consignee", None)
        assert party is not None
        for private in (party.name, party.last_name, party.email, party.telephone):
            assert private is None or private not in line


def test_an_indicator_is_told_without_its_subjects() -> None:
    made = indicators("summary", 10, items("summary", 100, at=AT), at=AT)
    assert {summary(msgspec.json.encode(one)).split(", ")[0] for one in made.messages} == {
        "entity",
        "routing",
        "commodity",
        "pattern",
        "document",
    }


@pytest.mark.parametrize("body", [None, b"", b"{}", b'{"type":"NotOfThisModel"}'])
def test_a_body_that_is_gone_or_of_another_model_is_not_told(body: bytes | None) -> None:
    assert summary(body) == ""
