"""The judge finds each kind of broken promise, and nothing where there is none."""

from __future__ import annotations

import pytest

from tests.faults.ledger import NOTHING, Event, Verdict, judge

SENT = {("i1", "A"): 1, ("i2", "A"): 2, ("i1", "B"): 1}
GOOD = [("i1", "A", "m1"), ("i1", "B", "m2"), ("i2", "A", "m3")]


def book(*taken: tuple[str, str, str], destination: str = "risk") -> list[Event]:
    """A book in which each is begun, taken and ended before the next."""
    return [
        Event(
            at=at,
            what=what,
            destination=destination,
            message_id=message_id,
            interchange_id=interchange,
            item=item,
            process="p",
        )
        for at, (interchange, item, message_id) in enumerate(taken)
        for what in ("begun", "taken", "ended")
    ]


def verdict(events: list[Event]) -> Verdict:
    return judge(SENT, events, destinations=("risk",))


def test_all_that_was_promised_arrived_once_and_in_order() -> None:
    found = verdict(book(*GOOD))

    assert found.kept
    assert (3, 0) == (found.messages, found.redelivered)


@pytest.mark.parametrize(
    ("taken", "broken"),
    [
        (GOOD[:2], "lost"),
        ([*GOOD, ("i1", "B", "m9")], "doubled"),
        ([GOOD[2], GOOD[0], GOOD[1]], "disordered"),
        ([*GOOD, ("i7", "C", "m7")], "strange"),
    ],
)
def test_each_broken_promise_is_found(taken: list[tuple[str, str, str]], broken: str) -> None:
    found = verdict(book(*taken))

    assert not found.kept
    assert 1 == getattr(found, broken)


def test_what_one_destination_has_is_not_what_another_has() -> None:
    events = book(*GOOD) + book(*GOOD[:2], destination="revenue")

    assert 1 == judge(SENT, events, destinations=("risk", "revenue")).lost


def test_the_same_message_again_is_counted_and_breaks_nothing() -> None:
    found = verdict(book(*GOOD, GOOD[0]))

    assert found.kept
    assert 1 == found.redelivered


def test_a_message_under_way_twice_at_once_is_found() -> None:
    events = book(*GOOD)
    begun = [event for event in events if event.what == "begun"]

    assert 1 == verdict([begun[0], *events]).overlapping


def test_what_a_killed_receiver_had_begun_has_ended() -> None:
    events = book(*GOOD)
    earlier = Event(
        at=0, what="begun", destination="risk", message_id="m1", item="A", process="before"
    )

    assert 0 == verdict([earlier, *events]).overlapping


def test_runs_add_up() -> None:
    found = verdict(book(*GOOD, GOOD[0]))

    assert found == NOTHING + found
    assert (6, 2) == ((found + found).messages, (found + found).redelivered)
