"""How many acceptances a writer waits for, and how long."""

from __future__ import annotations

from gateway.store.pace import PATIENCE, Pace


def paced(*, linger: float = 0.02, largest: int = 512) -> Pace:
    pace = Pace(linger=linger, largest=largest)
    pace.wrote(0.001)
    return pace


def run(pace: Pace, callers: int, groups: int) -> list[int]:
    """So many callers who come again as soon as they are answered; how many waits were in vain."""
    return [_one(pace, callers) for _ in range(groups)]


def _one(pace: Pace, callers: int) -> int:
    in_vain = int(callers < pace.wanted)
    pace.gathered(callers)
    return in_vain


def test_the_first_caller_waits_for_nobody() -> None:
    assert Pace(linger=0.02, largest=512).wanted == 1
    assert Pace(linger=0.02, largest=512).patience == 0


def test_a_wait_is_a_multiple_of_what_a_transaction_takes() -> None:
    pace = Pace(linger=0.02, largest=512)
    pace.wrote(0.002)
    assert pace.patience == PATIENCE * 0.002


def test_no_wait_is_longer_than_the_bound() -> None:
    pace = Pace(linger=0.02, largest=512)
    pace.wrote(3.0)
    assert pace.patience == 0.02


def test_as_many_as_came_last_are_waited_for() -> None:
    pace = paced()
    pace.gathered(30)
    assert pace.wanted == 30


def test_after_a_wait_in_vain_as_many_are_wanted_as_came_or_half() -> None:
    pace = paced()
    pace.gathered(30)
    pace.gathered(20)
    assert pace.wanted == 20
    pace.gathered(3)
    assert pace.wanted == 10


def test_who_is_left_alone_waits_a_few_times_only() -> None:
    pace = paced()
    pace.gathered(64)
    assert sum(run(pace, 1, 50)) <= 8
    assert pace.wanted == 1


def test_one_caller_alone_hardly_ever_waits() -> None:
    assert sum(run(paced(), 1, 2_000)) <= 12


def test_callers_who_all_wait_already_hardly_ever_wait_for_more() -> None:
    assert sum(run(paced(), 16, 2_000)) <= 12


def test_where_more_callers_are_they_are_found() -> None:
    pace = paced()
    for _ in range(400):
        pace.gathered(min(pace.wanted, 64))  # written as soon as those who were wanted are there
    assert pace.wanted >= 64


def test_no_more_are_wanted_than_fit() -> None:
    pace = paced(largest=8)
    pace.gathered(100)
    assert pace.wanted == 8
    for _ in range(100):
        pace.gathered(8)
    assert pace.wanted == 8


def test_without_a_linger_nobody_waits_for_more_than_came() -> None:
    pace = paced(linger=0.0)
    assert sum(run(pace, 5, 200)) == 0
    assert pace.patience == 0
