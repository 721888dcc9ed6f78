"""May this item go? One line for each rule: what was said, and what is answered."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.core.clearance import Verdict
from gateway.pipeline.bearing import names
from gateway.pipeline.clearance import Silent, packaged
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
from translators.canonical import DoNotLoad, Message

ITEM = ("post", declared())
RELEASED = ("customs", decided("released"))
ASKED = ("customs", referral("RFI"))
STOPPED = ("customs", referral("DNL"))
COMPLETE = ("customs", referral("AC", completed_at=NOW))
Line = tuple[str, Message]

STORIES: dict[str, tuple[str, tuple[Line, ...]]] = {
    "nobody declared it": ("no item.unknown", ()),
    "nobody has decided": ("wait decision.missing", (ITEM,)),
    "customs released it": ("yes decision.released", (ITEM, RELEASED)),
    "it pays at the door": (
        "yes decision.released-on-payment",
        (ITEM, ("customs", decided("released-on-payment"))),
    ),
    "customs holds it": ("no decision.held", (ITEM, ("customs", decided("held")))),
    "customs is not ready": ("wait decision.pending", (ITEM, ("customs", decided("pending")))),
    "a word that decides nothing": (
        "wait decision.missing",
        (ITEM, ("customs", decided("looked-at"))),
    ),
    "the later decision counts": (
        "yes decision.released",
        (ITEM, ("customs", decided("held")), RELEASED),
    ),
    "a release that was taken back": (
        "wait decision.missing",
        (ITEM, RELEASED, ("customs", decided("released", function="withdrawal"))),
    ),
    "every authority must let it go": (
        "no decision.detained",
        (ITEM, ("food", decided("detained")), RELEASED),
    ),
    "another authority is not ready": (
        "wait decision.pending",
        (ITEM, RELEASED, ("food", decided("pending"))),
    ),
    "released here though declared elsewhere": ("yes decision.released", (RELEASED,)),
    "a release of what was declared before": (
        "wait decision.outdated",
        (ITEM, RELEASED, ("post", declared(function="amendment"))),
    ),
    "a stop outlives a new declaration": (
        "no decision.held",
        (ITEM, ("customs", decided("held")), ("post", declared(function="amendment"))),
    ),
    "taken back by the post": (
        "no item.withdrawn",
        (ITEM, RELEASED, ("post", declared(function="withdrawal"))),
    ),
    "taken back by one of two": (
        "yes decision.released",
        (ITEM, ("dest", declared()), ("dest", declared(function="withdrawal")), RELEASED),
    ),
    "declared again after it was taken back": (
        "wait decision.missing",
        (("post", declared(function="withdrawal")), ITEM),
    ),
    "on its way back": (
        "no item.returned",
        (ITEM, RELEASED, ("post", declared(item_id="RR473124829GB", return_of=ID))),
    ),
    "a stranger says that it comes back": (
        "yes decision.released",
        (ITEM, RELEASED, ("shop", declared(item_id="RR473124829GB", return_of=ID))),
    ),
    "do not load": ("no referral.do-not-load", (ITEM, RELEASED, STOPPED)),
    "do not load, nothing declared": ("no referral.do-not-load", (STOPPED,)),
    "do not load, then complete": (
        "yes decision.released",
        (ITEM, STOPPED, ("food", decided("released")), COMPLETE),
    ),
    "who stops it lets it go": ("yes decision.released", (ITEM, STOPPED, RELEASED)),
    "another authority lets it go": (
        "no referral.do-not-load",
        (ITEM, STOPPED, ("food", decided("released"))),
    ),
    "somebody else completes": (
        "no referral.do-not-load",
        (ITEM, STOPPED, ("post", referral("AC"))),
    ),
    "a question is open": ("wait referral.open", (ITEM, RELEASED, ASKED)),
    "a question is answered": (
        "wait referral.answered",
        (ITEM, RELEASED, ASKED, ("post", answered())),
    ),
    "the answer to another question": (
        "wait referral.open",
        (ITEM, RELEASED, ASKED, ("post", answered("R-2"))),
    ),
    "answered and complete": (
        "yes decision.released",
        (ITEM, RELEASED, ASKED, ("post", answered()), COMPLETE),
    ),
    "answered and then decided by another": (
        "yes decision.released",
        (ITEM, ("risk", referral("RFI")), ("post", answered()), RELEASED),
    ),
    "decided by another without an answer": (
        "wait referral.open",
        (ITEM, ("risk", referral("RFI")), RELEASED),
    ),
    "decided by who asked": ("yes decision.released", (ITEM, ASKED, RELEASED)),
    "one of two questions is complete": (
        "wait referral.open",
        (ITEM, RELEASED, ASKED, ("customs", referral("RFS", reference="R-2")), COMPLETE),
    ),
    "complete under the number of the declaration": (
        "yes decision.released",
        (
            ITEM,
            RELEASED,
            ASKED,
            ("customs", referral("AC", reference="26LU1", item_ids=(ID,))),
        ),
    ),
    "a hop of the same question": (
        "yes decision.released",
        (
            ITEM,
            RELEASED,
            ASKED,
            ("dest", referral("RFI", hop="to-origin", on_behalf_of="customs")),
            COMPLETE,
        ),
    ),
    "a hop from another gateway": (
        "wait referral.open",
        (ITEM, RELEASED, ("gateway", referral("RFI", hop="to-origin", on_behalf_of="customs"))),
    ),
    "risk says do not load": (
        "no assessment.do-not-load",
        (ITEM, ("risk", assessed("do-not-load"))),
    ),
    "risk says do not load, customs releases": (
        "yes decision.released",
        (ITEM, ("risk", assessed("do-not-load")), RELEASED),
    ),
    "risk says do not load after the release": (
        "no assessment.do-not-load",
        (ITEM, RELEASED, ("risk", assessed("do-not-load"))),
    ),
    "risk has thought again": (
        "wait decision.missing",
        (
            ITEM,
            ("risk", assessed("do-not-load", version=1)),
            ("risk", assessed("clear", version=2)),
        ),
    ),
    "what risk said first comes last": (
        "wait decision.missing",
        (
            ITEM,
            ("risk", assessed("clear", version=2)),
            ("risk", assessed("do-not-load", version=1)),
        ),
    ),
    "a bag is not to be loaded": (
        "no referral.do-not-load",
        (ITEM, ("post", despatched(ID)), ("customs", referral("DNL", receptacle_ids=(BAG,)))),
    ),
    "the bag is packed after it was stopped": (
        "no referral.do-not-load",
        (ITEM, ("customs", referral("DNL", receptacle_ids=(BAG,))), ("post", despatched(ID))),
    ),
    "another bag is stopped": (
        "wait decision.missing",
        (ITEM, ("post", despatched(ID)), ("customs", referral("DNL", receptacle_ids=("OTHER",)))),
    ),
    "it has left the bag": (
        "wait decision.missing",
        (
            ITEM,
            ("post", despatched(ID)),
            ("customs", referral("DNL", receptacle_ids=(BAG,))),
            ("post", despatched(ID, receptacle="ANOTHER")),
        ),
    ),
    "the despatch was taken back": (
        "wait decision.missing",
        (
            ITEM,
            ("customs", referral("DNL", receptacle_ids=(BAG,))),
            ("post", despatched(ID, function="withdrawal")),
        ),
    ),
    "risk stops a bag": (
        "no assessment.do-not-load",
        (
            ITEM,
            ("post", despatched(ID)),
            (
                "risk",
                assessed("hit", item_id=None, do_not_load=DoNotLoad(receptacle_ids=(BAG,))),
            ),
        ),
    ),
    "the declaration is stopped by its number": (
        "no referral.do-not-load",
        (("post", declared(mrn="26LU1")), ("customs", referral("DNL", mrn="26LU1"))),
    ),
    "another item of the same declaration is stopped": (
        "wait decision.missing",
        (
            ("post", declared(mrn="26LU1")),
            ("customs", referral("DNL", mrn="26LU1", item_ids=("RR473124829GB",))),
        ),
    ),
}


@pytest.mark.parametrize("name", STORIES)
def test_the_answer_follows_from_what_was_said(name: str) -> None:
    expected, lines = STORIES[name]
    assert expected == told(*lines).answer()


def test_waiting_ends_at_the_configured_time_with_the_configured_answer() -> None:
    story = told(ITEM)
    end = NOW + timedelta(hours=1)
    concluded = story.conclude()
    assert (end, Verdict.NO) == (concluded.basis.until, concluded.then)
    assert "wait decision.missing" == story.answer(end - timedelta(seconds=1))
    assert "no decision.missing.silence" == story.answer(end)
    assert "yes decision.missing.silence" == story.answer(end, silence=Verdict.YES)


def test_a_referral_is_waited_for_until_its_own_deadline() -> None:
    deadline = NOW + timedelta(hours=5)
    story = told(ITEM, RELEASED, ("customs", referral("RFI", reply_before=deadline)))
    assert deadline == story.conclude().basis.until
    assert "no referral.open.silence" == story.answer(deadline)
    assert "wait referral.open" == story.answer(deadline - timedelta(seconds=1))


def test_silence_is_never_broken_by_leave_that_others_gave() -> None:
    story = told(ITEM, ASKED, ("food", decided("released")))
    assert "no referral.open.silence" == story.answer(story.at + timedelta(days=1))
    assert "yes" == story.answer(story.at + timedelta(days=1), silence=Verdict.YES).split()[0]


def test_the_longest_waiting_counts() -> None:
    late = NOW + timedelta(hours=9)
    story = told(
        ITEM,
        ("customs", referral("RFI", reply_before=NOW + timedelta(hours=2))),
        ("customs", referral("RFS", reference="R-2", reply_before=late)),
    )
    assert late == story.conclude(silence=Verdict.YES).basis.until


def test_a_pending_decision_is_waited_for_until_its_limit() -> None:
    limit = NOW + timedelta(hours=7)
    story = told(ITEM, ("customs", decided("pending", limit_at=limit)))
    assert limit == story.conclude().basis.until


def test_a_decision_on_the_present_version_counts_though_others_are_older() -> None:
    story = Story()
    first = story.tell("post", declared())
    story.tell("customs", decided("held"), regards=first)
    second = story.tell("post", declared(function="amendment"))
    story.tell("customs", decided("released"), regards=second)
    assert "yes decision.released" == story.answer()


def test_a_late_decision_on_an_earlier_version_counts_less() -> None:
    story = Story()
    first = story.tell("post", declared())
    second = story.tell("post", declared(function="amendment"))
    story.tell("customs", decided("held"), regards=second)
    story.tell("customs", decided("released"), regards=first)
    assert "no decision.held" == story.answer()


def test_of_two_answers_to_one_version_the_higher_counts() -> None:
    story = Story()
    first = story.tell("post", declared())
    story.tell("customs", decided("held", version=2), regards=first)
    story.tell("customs", decided("released", version=1), regards=first)
    assert "no decision.held" == story.answer()


def test_each_declaration_has_a_decision_of_its_own() -> None:
    story = Story()
    origin, destination = story.tell("post", declared()), story.tell("dest", declared())
    story.tell("customs", decided("held"), regards=origin)
    story.tell("customs", decided("released"), regards=destination)
    assert "no decision.held" == story.answer()


def test_whose_word_it_is_goes_by_the_author_not_by_the_sender() -> None:
    story = told(ITEM)
    story.tell("broker", referral("DNL"), on_behalf_of="customs")
    story.tell("customs", referral("AC"))
    assert "wait decision.missing" == story.answer()


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (Silent(destination_countries=("LU",), silence=Verdict.YES), "yes"),
        (Silent(destination_countries=("PT",), silence=Verdict.YES), "no"),
        (Silent(natures=("sale",), mail_classes=("parcels",), silence=Verdict.YES), "yes"),
        (Silent(natures=("gift",), silence=Verdict.YES), "no"),
        (Silent(origin_countries=("FR",), wait=86_400), "wait"),
    ],
)
def test_silence_may_mean_something_else_for_some_items(rule: Silent, expected: str) -> None:
    story = told(("post", declared(origin_country="FR", destination_country="LU")))
    assert expected == story.answer(NOW + timedelta(hours=2), silent=(rule,)).split()[0]


def test_the_first_rule_that_holds_counts() -> None:
    rules = (
        Silent(natures=("sale",), wait=60),
        Silent(silence=Verdict.YES, wait=86_400),
    )
    assert "no decision.missing.silence" == told(ITEM).answer(
        NOW + timedelta(hours=2), silent=rules
    )


def test_a_configuration_says_what_an_administrations_own_codes_mean() -> None:
    story = told(ITEM, ("customs", decided("A9")))
    assert "yes decision.A9" == story.answer(meanings={"A9": Verdict.YES})
    assert "no decision.released" == told(ITEM, RELEASED).answer(meanings={"released": Verdict.NO})


def test_what_is_answered_for_unknown_items_is_configured() -> None:
    assert "wait item.unknown" == told().answer(unknown=Verdict.WAIT)


def test_the_packaged_table_has_every_answer() -> None:
    assert set(Verdict) == set(packaged().values())


def test_an_item_is_known_by_its_bag_and_the_numbers_of_its_declarations() -> None:
    story = told(
        ("post", declared(mrn="26LU1", lrn="L-1")),
        ("post", despatched(ID, "EE471108165FR")),
        ("customs", decided("pending", mrn="26LU2")),
        ("customs", decided("pending", item_id="EE471108165FR", mrn="26LU3")),
    )
    known = names(ID, story.said)
    assert {BAG} == known.receptacles
    assert {"26LU1", "26LU2"} == known.mrns
    assert {"L-1"} == known.lrns
