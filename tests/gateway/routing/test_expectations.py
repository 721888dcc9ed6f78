"""What a delivery is expected to be answered by."""

import pytest

from gateway.core.records import Escalation, Expected
from gateway.routing import Endpoint, Expectation, Expectations
from translators.translator import FormatId
from trust.identity import PartyId

RISK = PartyId("customs-risk")
ENDPOINT = Endpoint(id="risk", party=RISK, format=FormatId("luxor.json.1"), transport="grpc")


def row(**changes: object) -> Expectation:
    fields: dict[str, object] = {
        "kinds": ("Item*",),
        "answers": ("RiskAssessment",),
        "within": 60.0,
        **changes,
    }
    return Expectation(**fields)  # type: ignore[arg-type] # a test's own mapping


@pytest.mark.parametrize(
    ("entry", "concerned"),
    [
        (row(destination="risk"), True),
        (row(party="customs-risk"), True),
        (row(destination="revenue"), False),
        (row(party="customs-revenue"), False),
        (row(destination="risk", kinds=("Order",)), False),
    ],
)
def test_by_destination_or_party_and_kind(entry: Expectation, *, concerned: bool) -> None:
    assert entry.concerns("ItemDeclaration", ENDPOINT) is concerned


def test_every_row_that_concerns_a_delivery_counts() -> None:
    expectations = Expectations(
        (
            row(destination="risk", escalate=Escalation.NOTICE),
            row(destination="revenue"),
            row(party="customs-risk", answers=("*",), within=5.0),
        )
    )

    assert expectations.of("ItemDeclaration", ENDPOINT) == (
        Expected(
            party=RISK,
            answers=("RiskAssessment",),
            within=60.0,
            escalate=Escalation.NOTICE,
        ),
        Expected(party=RISK, answers=("*",), within=5.0),
    )


def test_nothing_is_expected_unless_it_is_said() -> None:
    assert Expectations().of("ItemDeclaration", ENDPOINT) == ()
