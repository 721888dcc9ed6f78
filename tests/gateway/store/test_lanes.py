"""How a claim is shared out between lanes."""

from __future__ import annotations

from datetime import timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from gateway.store.lanes import LANES, PATIENCE, due, share
from tests.gateway.store.samples import START, legs

AVAILABLE = st.lists(st.integers(0, 300), min_size=LANES, max_size=LANES)


def test_with_enough_everywhere_the_weights_decide() -> None:
    assert share([100] * 4, 150) == (80, 40, 20, 10)


def test_other_weights_share_otherwise() -> None:
    assert share([100] * 4, 16, (1, 1, 1, 1)) == (4, 4, 4, 4)
    assert share([100] * 4, 5, (1, 1, 1, 100)) == (1, 1, 1, 2)


def test_what_urgent_lanes_leave_goes_down() -> None:
    assert share([1, 0, 100, 100], 15) == (1, 0, 13, 1)


def test_what_patient_lanes_leave_goes_up() -> None:
    assert share([100, 0, 0, 0], 15) == (15, 0, 0, 0)


def test_a_single_place_goes_to_the_most_urgent() -> None:
    assert share([0, 5, 5, 5], 1) == (0, 1, 0, 0)


@given(AVAILABLE, st.integers(0, 600))
def test_no_place_stays_empty_while_there_is_work(available: list[int], limit: int) -> None:
    assert sum(share(available, limit)) == min(limit, sum(available))


@given(AVAILABLE, st.integers(LANES, 600), st.lists(st.integers(1, 99), min_size=4, max_size=4))
def test_no_lane_with_work_gets_nothing(
    available: list[int], limit: int, weights: list[int]
) -> None:
    taken = share(available, limit, weights)
    assert sum(taken) == min(limit, sum(available))
    assert all(0 <= got <= has for got, has in zip(taken, available, strict=True))
    assert all(got > 0 for got, has in zip(taken, available, strict=True) if has)


def test_a_leg_is_due_at_its_deadline_or_when_its_lanes_patience_ends() -> None:
    deadline = START + timedelta(minutes=3)
    assert due(legs("risk", due=deadline)[0], START) == deadline
    assert due(legs("risk", lane=3)[0], START) == START + PATIENCE[3]
    patient = msgspec.structs.replace(legs("risk", lane=3)[0], patience=90.0)
    assert due(patient, START) == START + timedelta(seconds=90)
