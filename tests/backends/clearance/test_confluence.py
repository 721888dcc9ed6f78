"""In whatever order an item and the words about it come, the last decision is the same."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from backends.clearance.desk import ClearanceDesk
from tests.backends.clearance.test_desk import SETTINGS, WORDING
from tests.backends.workbench import Workbench
from tests.samples import ITEM, NOW
from translators.canonical import (
    CustomsResponse,
    InspectionResult,
    Money,
    RevenueAssessment,
    RiskAssessment,
)

Event = tuple[str, str, Any]


def risk(outcomes: list[str]) -> list[Event]:
    return [
        (
            f"r-{n}",
            "customs-risk",
            RiskAssessment(
                outcome=outcome, assessed_at=NOW + timedelta(minutes=n), regards="m-1", version=n
            ),
        )
        for n, outcome in enumerate(outcomes)
    ]


def revenue(total: int | None) -> list[Event]:
    if total is None:
        return []
    money = Money(amount=Decimal(total), currency="EUR")
    return [
        ("t-1", "customs-revenue", RevenueAssessment(assessed_at=NOW, total=money, regards="m-1"))
    ]


def inspection(outcome: str | None) -> list[Event]:
    if outcome is None:
        return []
    result = InspectionResult(
        outcome=outcome, inspected_at=NOW + timedelta(seconds=90), item_id=ITEM.item_id
    )
    return [("c-1", "customs-inspection", result)]


def agency(decisions: list[str]) -> list[Event]:
    return [
        (
            f"g-{n}",
            "agency-health",
            CustomsResponse(
                decision=decision, decided_at=NOW + timedelta(minutes=n), item_id=ITEM.item_id
            ),
        )
        for n, decision in enumerate(decisions)
    ]


events = st.builds(
    lambda *parts: [("m-1", "post-a", ITEM), *(event for part in parts for event in part)],
    st.lists(st.sampled_from(["clear", "refer", "hold", "do-not-load"]), max_size=3).map(risk),
    st.sampled_from([None, 0, 7]).map(revenue),
    st.sampled_from([None, "conform", "not-conform", "inconclusive"]).map(inspection),
    st.lists(st.sampled_from(["held", "released", "refused"]), max_size=2).map(agency),
)


@settings(max_examples=80, deadline=None)
@given(events, st.data())
def test_the_order_of_arrival_does_not_count(happened: list[Event], data: st.DataObject) -> None:
    assert _last(happened) == _last(data.draw(st.permutations(happened)))


def _last(happened: list[Event]) -> str:
    bench = Workbench(ClearanceDesk(SETTINGS, WORDING))
    for message_id, party, message in happened:
        bench.deliver(message, message_id, version=None, party=party)
    bench.now = NOW + timedelta(hours=1)
    bench.work()
    answers = bench.answers()
    versions = [answer.version for answer in answers]
    assert versions == list(range(1, len(answers) + 1))
    return str(answers[-1].decision)
