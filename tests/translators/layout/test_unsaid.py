"""What a document cannot say of a required field, texts in parts, forms told apart by presence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest

from tests.translators.layout.layouts import compiled, decoded
from translators.canonical import Header, Interchange, Office, Referral, ReferralAnswer
from translators.faults import Note, NoteKind, TranslationError
from translators.layout import LayoutError, LayoutTranslator
from translators.translator import decode, encode

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
TEXT = """
layout = "x.unsaid.1"
title = "Referrals"
carries = "Referral"
unknown = "report"
root = "r"
[document]
one = "messages *! : by kind"
[choice.document.kind]
told = { answer = "*" }
asked = { at = "*" }
[when.told]
answers = true
[when.asked]
answers = false
[unsaid.told]
kind = "answer"
[unsaid.asked]
kind = "question"
[unsaid.answer]
item_id = "the item of the referral"
[asked]
ref = "reference ! : text 17"
at = "issued_at ! : instant utc"
by = "authority.code ! : text 8"
head = "mrn : digits 2..2, part 1..2"
tail = "mrn : text 4, part 3.."
[told]
like = "asked"
answer = "answers *! : answer"
[answer]
at = "answered_at ! : instant seconds"
item = "item_id : text 13"
"""
LAYOUT = compiled(TEXT)
ASKED = Referral(reference="R", kind="question", issued_at=AT, authority=Office(code="FR000740"))


def written(message: Referral, notes: list[Note] | None = None) -> bytes:
    report = None if notes is None else notes.append
    return encode(LAYOUT, Interchange(header=Header(), messages=(message,)), report)


def document(inner: str) -> bytes:
    start = "<ref>R</ref><at>2026-11-20T09:30:00Z</at><by>FR000740</by>"
    return f"<r><one>{start}{inner}</one></r>".encode()


def test_a_required_field_that_the_document_cannot_say_is_set_on_reading() -> None:
    assert ASKED == decoded(LAYOUT, document(""))


def test_what_the_document_cannot_say_is_reported_as_dropped() -> None:
    notes: list[Note] = []
    written(msgspec.structs.replace(ASKED, kind="RFI"), notes)
    assert ["/kind"] == [note.path for note in notes if note.kind is NoteKind.DROPPED]


def test_what_is_said_by_saying_nothing_is_carried() -> None:
    notes: list[Note] = []
    assert ASKED == decoded(LAYOUT, written(ASKED, notes))
    assert [] == notes


def test_an_entry_of_a_list_may_leave_a_required_field_unsaid() -> None:
    answers = tuple(
        ReferralAnswer(item_id=name, answered_at=AT) for name in ("the item of the referral", "CP1")
    )
    message = msgspec.structs.replace(ASKED, kind="answer", answers=answers)
    notes: list[Note] = []
    content = written(message, notes)
    assert ([], 1) == (notes, content.count(b"<item>"))
    assert message == decoded(LAYOUT, content)


def test_forms_are_told_apart_by_what_stands_there() -> None:
    told = decoded(LAYOUT, document("<answer><at>2026-11-20T09:30:00+01:00</at></answer>"))
    assert ("answer", "question") == (told.kind, decoded(LAYOUT, document("")).kind)


@pytest.mark.parametrize(
    ("mrn", "inner"),
    [
        ("26", "<head>26</head>"),
        ("26FR", "<head>26</head><tail>FR</tail>"),
        ("26FR99", "<tail>FR99</tail><head>26</head>"),
    ],
)
def test_a_text_may_stand_in_parts(mrn: str, inner: str) -> None:
    message = decoded(LAYOUT, document(inner))
    assert (mrn, message) == (message.mrn, decoded(LAYOUT, written(message)))


@pytest.mark.parametrize("mrn", ["2", "26FR999", "XX12"])
def test_a_text_that_its_parts_cannot_hold_is_refused(mrn: str) -> None:
    with pytest.raises(TranslationError) as caught:
        written(msgspec.structs.replace(ASKED, mrn=mrn))
    assert {"/mrn"} == {fault.path for fault in caught.value.faults}


def test_an_instant_of_utc_alone_is_written_in_utc() -> None:
    there = AT.astimezone(timezone(timedelta(hours=2)))
    content = written(msgspec.structs.replace(ASKED, issued_at=there))
    assert b"<at>2026-11-20T09:30:00Z</at>" in content


def test_fractions_of_a_second_are_refused_where_a_standard_has_none() -> None:
    with pytest.raises(TranslationError) as caught:
        written(msgspec.structs.replace(ASKED, issued_at=AT.replace(microsecond=1)))
    assert ["instant.invalid"] == [fault.code for fault in caught.value.faults]


@pytest.mark.parametrize("text", ["2026-11-20T09:30:00+01:00", "2026-11-20T09:30:00.5Z", "x"])
def test_an_instant_of_utc_is_read_in_no_other_form(text: str) -> None:
    content = document("").replace(b"2026-11-20T09:30:00Z", text.encode())
    with pytest.raises(TranslationError):
        decode(LAYOUT, content)


def layout_with(before: str, after: str) -> LayoutTranslator:
    return compiled(TEXT.replace(before, after, 1))


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ('kind = "question"', 'kindd = "x"', "[unsaid.asked] kindd: the record of [asked] has no"),
        ('kind = "question"', 'remarks = "x"', "only a required text can be left unsaid"),
        ('kind = "question"', "kind = true", "only a required text can be left unsaid"),
        ('"the item of the referral"', '"an item"', "the document could say that itself"),
        ("part 1..2", "part 2..1", "characters are counted from 1, upwards"),
        ("part 1..2", "part x", "a part is 1..6, or 7.. for the rest"),
        ("instant utc", "instant local", "unknown letters in 'local'"),
    ],
)
def test_mistakes_are_named(before: str, after: str, told: str) -> None:
    with pytest.raises(LayoutError) as caught:
        layout_with(before, after)
    assert told in str(caught.value)


def test_the_page_says_what_stands_in_parts_and_what_nothing_means() -> None:
    page = LAYOUT.documentation()
    expected = ["characters 1 to 2", "characters from 3", "nothing for `the item of the referral`"]
    assert expected == [one for one in expected if one in page]
