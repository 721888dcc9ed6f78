"""Answers to referrals hold what they say in one list, whatever their format calls it."""

from __future__ import annotations

from gateway.pipeline.normalise import normalise
from tests.samples import NOW
from translators.canonical import Information, Office, Referral, ReferralAnswer


def referral(*answers: ReferralAnswer) -> Referral:
    return Referral(
        reference="R-1", kind="RFI", issued_at=NOW, authority=Office(code="LU"), answers=answers
    )


CODED = Information(text="Of a clock", code="DESCR")


def test_texts_without_codes_join_those_with_codes() -> None:
    said = ReferralAnswer(
        item_id="A", answered_at=NOW, texts=("Made of steel",), information=(CODED,)
    )
    expected = ReferralAnswer(
        item_id="A", answered_at=NOW, information=(CODED, Information(text="Made of steel"))
    )
    assert referral(expected) == normalise(referral(said))


def test_more_than_an_answer_may_hold_stay_apart() -> None:
    many = ReferralAnswer(
        item_id="A", answered_at=NOW, texts=("x",) * 60, information=(CODED,) * 60
    )
    assert referral(many) == normalise(referral(many))


def test_it_is_done_once() -> None:
    once = normalise(referral(ReferralAnswer(item_id="A", answered_at=NOW, texts=("x",))))
    assert once == normalise(once)


def test_an_answer_without_texts_stays_as_it_is() -> None:
    whole = referral(ReferralAnswer(item_id="A", answered_at=NOW, information=(CODED,)))
    assert whole == normalise(whole)
