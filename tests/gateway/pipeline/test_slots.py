"""Places for deliveries: urgent ones first, and some places for nothing else."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from gateway.pipeline.slots import Slots

ACTS = st.lists(st.sampled_from(["urgent", "other", "take", "leave"]), max_size=60)


URGENT_THEN_OTHERS = ["urgent", "take", "leave", "other", "other", "take", "take"]


@example(total=2, reserved=1, acts=URGENT_THEN_OTHERS)
@given(total=st.integers(1, 5), reserved=st.integers(0, 6), acts=ACTS)
def test_places_go_in_order_and_never_beyond_their_number(
    total: int, reserved: int, acts: list[str]
) -> None:
    slots: Slots[int] = Slots(total, reserved=reserved)
    common = max(1, total - reserved)
    waiting: dict[bool, list[int]] = {True: [], False: []}
    held: list[bool] = []
    for number, act in enumerate(acts):
        if act in ("urgent", "other"):
            slots.add(number, urgent=act == "urgent")
            waiting[act == "urgent"].append(number)
        elif act == "leave" and held:
            slots.leave(urgent=held.pop(0))
        elif act == "take":
            free = len(held) < total
            expected = None
            if free and waiting[True]:
                expected = waiting[True].pop(0), True
            elif free and waiting[False] and held.count(False) < common:
                expected = waiting[False].pop(0), False

            assert slots.take() == expected
            held += [] if expected is None else [expected[1]]
