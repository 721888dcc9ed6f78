"""What a document says once for all of its messages; values that stand at two places with us."""

from __future__ import annotations

import msgspec
import pytest

from translators.canonical import Office, Referral
from translators.faults import Note, NoteKind, TranslationError
from translators.layout import LayoutError, LayoutTranslator, compile_layout
from translators.translator import decode, encode

LAYOUT = """
layout  = "test.asks.1"
title   = "Requests"
carries = "Referral"
unknown = "report"
root    = "asks"
[namespaces]
default = "urn:test:asks"
[document]
"issued/at" = "messages[].issued_at ! : instant utc, also completed_at"
mrn         = "messages[].mrn : text 18, also lrn"
office      = "messages[].authority ! : office"
ask         = "messages *99! : ask"
[office]
code = "code ! : text 35"
[ask]
ref    = "reference ! : text 17"
kind   = "kind ! : text 3"
method = "screening_methods *2..3 : text 3"
"""
DOCUMENT = """<?xml version="1.0" encoding="UTF-8"?>
<asks xmlns="urn:test:asks"><issued><at>2026-11-21T10:00:00Z</at></issued><mrn>M1</mrn>\
<office><code>LU</code></office><ask><ref>A</ref><kind>RFI</kind><method>X</method>\
<method>Y</method></ask>
<ask><ref>B</ref><kind>RFI</kind><method>X</method><method>Y</method></ask></asks>
"""


@pytest.fixture(scope="module")
def layout() -> LayoutTranslator:
    return compile_layout(LAYOUT, name="test.toml")


def first(layout: LayoutTranslator, document: str = DOCUMENT) -> Referral:
    message = decode(layout, document.encode()).messages[0]
    assert isinstance(message, Referral)
    return message


def faults(layout: LayoutTranslator, document: str) -> list[tuple[str, str, str | None]]:
    with pytest.raises(TranslationError) as refused:
        decode(layout, document.encode())
    return [(one.code, one.path, one.source_path) for one in refused.value.faults]


def test_every_message_is_read_with_what_its_document_says(layout: LayoutTranslator) -> None:
    found = [one for one in decode(layout, DOCUMENT.encode()).messages if isinstance(one, Referral)]
    assert [("A", "M1", "LU"), ("B", "M1", "LU")] == [
        (one.reference, one.mrn, one.authority.code) for one in found
    ]


def test_it_is_written_once_where_its_line_stands(layout: LayoutTranslator) -> None:
    written = encode(layout, decode(layout, DOCUMENT.encode())).decode()
    assert DOCUMENT.replace("\n", "") == written.replace("\n", "")


def test_a_message_that_says_otherwise_is_refused(layout: LayoutTranslator) -> None:
    whole = decode(layout, DOCUMENT.encode())
    other = msgspec.structs.replace(first(layout), mrn="M2")
    with pytest.raises(TranslationError) as refused:
        encode(layout, msgspec.structs.replace(whole, messages=(*whole.messages, other)))
    assert ["value.disagrees"] == [one.code for one in refused.value.faults]


def test_what_is_missing_there_is_missed_by_each_message(layout: LayoutTranslator) -> None:
    found = faults(layout, DOCUMENT.replace("<office><code>LU</code></office>", ""))
    assert [("element.missing", "/authority", "/asks/office")] * 2 == found


def test_what_is_wrong_there_is_a_fault_with_its_own_place(layout: LayoutTranslator) -> None:
    found = faults(layout, DOCUMENT.replace("M1", "M" * 19))
    assert [("value.too-long", "/mrn", "/asks/mrn")] * 2 == found


def test_a_value_is_read_to_its_other_place_too(layout: LayoutTranslator) -> None:
    message = first(layout)
    assert message.issued_at == message.completed_at
    assert message.lrn == message.mrn == "M1"


def test_another_value_at_the_other_place_is_reported_as_dropped(layout: LayoutTranslator) -> None:
    whole = decode(layout, DOCUMENT.encode())
    message = msgspec.structs.replace(first(layout), lrn="L7")
    notes: list[Note] = []
    encode(layout, msgspec.structs.replace(whole, messages=(message,)), notes.append)
    assert ["/lrn"] == [note.path for note in notes if note.kind is NoteKind.DROPPED]


def test_equal_values_at_both_places_are_carried(layout: LayoutTranslator) -> None:
    notes: list[Note] = []
    encode(layout, decode(layout, DOCUMENT.encode()), notes.append)
    assert [] == notes


def test_fewer_than_at_least_are_refused_both_ways(layout: LayoutTranslator) -> None:
    less = DOCUMENT.replace("<method>Y</method>", "", 1)
    assert ["element.missing"] == [code for code, _, _ in faults(layout, less)]
    whole = decode(layout, DOCUMENT.encode())
    one = msgspec.structs.replace(first(layout), screening_methods=("X",))
    with pytest.raises(TranslationError) as refused:
        encode(layout, msgspec.structs.replace(whole, messages=(one,)))
    assert ["/screening_methods"] == [fault.path for fault in refused.value.faults]


def test_a_document_without_messages_says_what_is_missing(layout: LayoutTranslator) -> None:
    assert faults(layout, '<asks xmlns="urn:test:asks"/>') != []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('x = "messages[].nothing"', "nothing"),
        ('x = "messages[].mrn : text 3, also nothing"', "nothing"),
        ('x = "messages[].mrn : text 3, also issued_at"', "instant"),
    ],
)
def test_a_mistake_in_such_a_line_is_named(line: str, said: str) -> None:
    text = LAYOUT.replace("[document]\n", f"[document]\n{line}\n")
    with pytest.raises(LayoutError) as mistakes:
        compile_layout(text, name="test.toml")
    assert "test.toml:10: [document] x:" in str(mistakes.value)
    assert said in str(mistakes.value)


def test_such_lines_are_for_layouts_that_report() -> None:
    with pytest.raises(LayoutError, match="messages\\[\\] is for XML with unknown = 'report'"):
        compile_layout(LAYOUT.replace('"report"', '"refuse"'), name="test.toml")


def test_the_authority_is_an_office(layout: LayoutTranslator) -> None:
    assert Office(code="LU") == first(layout).authority
