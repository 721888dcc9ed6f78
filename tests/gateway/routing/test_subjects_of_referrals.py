"""What a referral is about: its reference first, then items, receptacles and the declaration."""

from __future__ import annotations

from typing import Any

from gateway.core.records import Subject
from gateway.routing import subjects_of
from tests.samples import NOW
from translators.canonical import Document, Office, Referral, ReferralAnswer

ITEM = Subject("item", "EE471108151FR", "FR")


def subjects(**said: Any) -> tuple[Subject, ...]:
    """Subjects of a referral, without the first, which is its reference."""
    referral = Referral(
        reference="R-1", kind="DNL", issued_at=NOW, authority=Office(code="LU"), **said
    )
    first, *others = subjects_of(referral, party="customs")
    assert Subject("referral", "R-1") == first
    return tuple(others)


def test_an_item_is_a_subject_however_it_is_named() -> None:
    answer = ReferralAnswer(item_id=ITEM.value, answered_at=NOW)
    document = Document(type="N750", number=ITEM.value)
    assert (ITEM,) == subjects(item_ids=(ITEM.value,))
    assert (ITEM,) == subjects(answers=(answer,))
    assert (ITEM,) == subjects(house_document=document)
    assert (ITEM,) == subjects(transport_documents=(document,))


def test_a_receptacle_is_a_subject() -> None:
    assert (Subject("receptacle", "FRCDGA1"),) == subjects(receptacle_ids=("FRCDGA1",))


def test_a_transport_document_that_is_no_item_is_none() -> None:
    assert () == subjects(transport_documents=(Document(type="N741", number="020-12345675"),))


def test_the_declaration_is_a_subject() -> None:
    assert (Subject("mrn", "26LU1"),) == subjects(mrn="26LU1")
