"""The decision table: total, without dead rows, and severe where it must be."""

from __future__ import annotations

from itertools import product

import pytest

from backends.clearance.table import (
    TABLE,
    Agency,
    Inspection,
    Revenue,
    Risk,
    Situation,
    decide,
)

EVERYTHING = [
    Situation(
        withdrawn=withdrawn,
        overdue=overdue,
        risk=risk,
        revenue=revenue,
        inspection=inspection,
        agency=agency,
    )
    for withdrawn, overdue, risk, revenue, inspection, agency in product(
        (False, True), (False, True), Risk, Revenue, Inspection, Agency
    )
]


def test_every_situation_has_a_row() -> None:
    assert all(decide(situation) in TABLE for situation in EVERYTHING)


def test_every_row_is_the_row_of_some_situation() -> None:
    assert {id(decide(situation)) for situation in EVERYTHING} == {id(row) for row in TABLE}


def test_nothing_is_released_against_an_objection() -> None:
    released = [s for s in EVERYTHING if (decide(s).decision or "").startswith("released")]
    assert released
    for situation in released:
        assert situation.agency is Agency.NONE
        assert situation.risk is Risk.CLEAR or situation.inspection is Inspection.CONFORM
        assert situation.risk not in (Risk.DO_NOT_LOAD, Risk.MISSING)
        assert situation.revenue not in (Revenue.MISSING, Revenue.NOT_ASSESSED)
        assert not situation.withdrawn


def test_what_is_overdue_is_never_left_unanswered() -> None:
    assert all(decide(s).decision is not None for s in EVERYTHING if s.overdue)


def test_only_something_missing_is_waited_for() -> None:
    for situation in EVERYTHING:
        if decide(situation).decision is None:
            assert Risk.MISSING is situation.risk or Revenue.MISSING is situation.revenue


@pytest.mark.parametrize(
    ("situation", "decision"),
    [
        (Situation(), None),
        (Situation(overdue=True), "pending"),
        (Situation(risk=Risk.CLEAR), None),
        (Situation(risk=Risk.CLEAR, overdue=True), "pending"),
        (Situation(risk=Risk.CLEAR, revenue=Revenue.NOTHING), "released"),
        (Situation(risk=Risk.CLEAR, revenue=Revenue.SETTLED), "released"),
        (Situation(risk=Risk.CLEAR, revenue=Revenue.DUE), "released-on-payment"),
        (Situation(risk=Risk.CLEAR, revenue=Revenue.NOT_ASSESSED), "pending"),
        (Situation(risk=Risk.REFER, revenue=Revenue.NOTHING), "pending"),
        (Situation(risk=Risk.OTHER, revenue=Revenue.NOTHING), "pending"),
        (Situation(risk=Risk.HOLD), "held"),
        (Situation(risk=Risk.DO_NOT_LOAD), "held"),
        (Situation(risk=Risk.DO_NOT_LOAD, inspection=Inspection.CONFORM), "held"),
        (
            Situation(risk=Risk.HOLD, revenue=Revenue.NOTHING, inspection=Inspection.CONFORM),
            "released",
        ),
        (Situation(risk=Risk.HOLD, inspection=Inspection.CONFORM), None),
        (Situation(inspection=Inspection.PROHIBITED, agency=Agency.REFUSED), "seized"),
        (Situation(inspection=Inspection.NOT_CONFORM), "detained"),
        (Situation(risk=Risk.CLEAR, inspection=Inspection.INCONCLUSIVE), "held"),
        (
            Situation(risk=Risk.CLEAR, revenue=Revenue.NOTHING, agency=Agency.HELD),
            "held-other-agency",
        ),
        (Situation(risk=Risk.CLEAR, agency=Agency.REFUSED), "refused"),
        (Situation(withdrawn=True, risk=Risk.HOLD), "data-received"),
    ],
)
def test_decisions(situation: Situation, decision: str | None) -> None:
    assert decide(situation).decision == decision
