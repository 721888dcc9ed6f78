"""What holds of clearance whatever was said, in whatever order."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.clearance import Verdict
from tests.gateway.pipeline.clearances import (
    BAG,
    ID,
    Story,
    answered,
    assessed,
    decided,
    declared,
    despatched,
    referral,
    told,
)
from tests.samples import NOW
from translators.canonical import Message

CONTENTS: tuple[Message, ...] = (
    declared(),
    declared(function="amendment", mrn="26LU1"),
    declared(function="withdrawal"),
    declared(item_id="RR473124829GB", return_of=ID),
    decided("released"),
    decided("held"),
    decided("pending", limit_at=NOW + timedelta(hours=3)),
    decided("released", function="withdrawal"),
    decided("held", item_id=None, mrn="26LU1"),
    referral("RFI"),
    referral("RFS", reference="R-2", reply_before=NOW + timedelta(hours=2)),
    referral("RFI", hop="to-origin", on_behalf_of="customs"),
    referral("DNL"),
    referral("DNL", receptacle_ids=(BAG,)),
    referral("DNL", reference="26LU1", mrn="26LU1"),
    referral("AC"),
    answered(),
    despatched(ID),
    despatched("RR473124829GB"),
    assessed("do-not-load", version=1),
    assessed("clear", version=2),
)
AUTHORS = st.sampled_from(("post", "dest", "customs", "food"))
LINES = st.lists(st.tuples(AUTHORS, st.sampled_from(CONTENTS)), max_size=12)


@given(lines=LINES, silence=st.sampled_from(Verdict))
def test_waiting_ends_with_what_was_said_that_it_would(
    lines: list[tuple[str, Message]], silence: Verdict
) -> None:
    story = told(*lines)
    concluded = story.conclude(silence=silence)
    basis = concluded.basis
    assert (basis.verdict is Verdict.WAIT and basis.until is not None) == (
        concluded.then is not None
    )
    if basis.until is not None and basis.verdict is Verdict.WAIT:
        assert story.at < basis.until
        assert concluded.then is story.conclude(basis.until, silence=silence).basis.verdict


@given(lines=LINES)
def test_a_stop_is_never_lifted_by_time_and_leave_never_lost_by_it(
    lines: list[tuple[str, Message]],
) -> None:
    story = told(*lines)
    early = story.conclude(NOW).basis.verdict
    late = story.conclude(NOW + timedelta(days=400)).basis.verdict
    if early is not Verdict.WAIT:
        assert early is late
    assert late is not Verdict.WAIT


@given(lines=LINES)
def test_one_more_stop_by_a_new_authority_stops(lines: list[tuple[str, Message]]) -> None:
    story = told(*lines)
    story.tell("police", referral("DNL", reference="P-1"))
    assert story.conclude().basis.verdict is Verdict.NO


@given(lines=LINES)
def test_leave_needs_somebody_who_gave_it(lines: list[tuple[str, Message]]) -> None:
    without = [(who, what) for who, what in lines if getattr(what, "decision", "") != "released"]
    assert told(*without).conclude().basis.verdict is not Verdict.YES


@given(lines=LINES)
def test_it_does_not_matter_in_which_order_a_history_is_read(
    lines: list[tuple[str, Message]],
) -> None:
    story = told(*lines)
    backwards = Story()
    backwards.said, backwards.at = story.said[::-1], story.at
    assert story.conclude() == backwards.conclude()


@given(lines=LINES)
def test_what_is_concluded_rests_on_what_was_said(lines: list[tuple[str, Message]]) -> None:
    story = told(*lines)
    basis = story.conclude().basis
    assert {one.place for one in basis.said} <= {one.place for one in story.said}
    if basis.by is not None:
        assert basis.by in {one.author for one in basis.said}
