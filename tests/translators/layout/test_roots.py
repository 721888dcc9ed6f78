"""Layouts of several document elements: reading by what stands there, writing by what holds."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import msgspec
import pytest
from lxml import etree

from tests.translators.layout.layouts import compiled, read
from translators.canonical import Header, Interchange, Office, Referral
from translators.faults import Fault, Note, NoteKind, TranslationError
from translators.layout import LayoutError
from translators.registry import Registry
from translators.translator import Entry, decode, encode

TEXT = """
layout = "x.roots.1"
title = "Referrals"
carries = "Referral"
unknown = "report"
[namespaces]
default = "urn:x"
[roots]
Stop = "stop"
Ask = "ask"
Told = "told"
Batch = "batch"

[when.stop]
kind = "DNL"
[when.ask]
kind = "RFI"
answers = false
[when.told]
kind = "RFI"
answers = true
[when.many]
kind = "AC"

[stop]
head = ". : head"
reference = "reference ! : text 17"
at = "issued_at ! : instant"
by = "authority.code !"
mrn = "mrn"
[ask]
like = "stop"
remark = "remarks *"
[told]
like = "stop"
answer = "answers *! : answer"
[answer]
item = "item_id !"
at = "answered_at ! : instant"
[head]
id = "header.control_reference"
[batch]
from = "header.sender"
one = "messages *! : many"
[many]
like = "stop"
head = "-"
"""
LAYOUT = compiled(TEXT)
AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
STOP = Referral(reference="R1", kind="DNL", issued_at=AT, authority=Office(code="FR000740"))
ASK = msgspec.structs.replace(STOP, kind="RFI", remarks=("why",))


def document(message: Referral, *more: Referral) -> bytes:
    header = Header(control_reference="C1")
    return encode(LAYOUT, Interchange(header=header, messages=(message, *more)))


def root(content: bytes) -> str:
    return str(etree.fromstring(content).tag)


@pytest.mark.parametrize("message", [STOP, ASK])
def test_what_was_written_reads_back_equal(message: Referral) -> None:
    assert decode(LAYOUT, document(message)) == Interchange(
        header=Header(control_reference="C1"), messages=(message,)
    )


def test_the_document_element_goes_by_what_holds_of_the_message() -> None:
    told = LAYOUT.samples()[2].messages
    done = msgspec.structs.replace(STOP, kind="AC")
    found = [root(encode(LAYOUT, Interchange(header=Header(), messages=(one,)))) for one in
             (STOP, ASK, *told, done)]  # fmt: skip
    assert [f"{{urn:x}}{name}" for name in ("Stop", "Ask", "Told", "Batch")] == found


def test_a_document_element_may_have_an_envelope_with_many_messages() -> None:
    done = msgspec.structs.replace(STOP, kind="AC")
    content = encode(LAYOUT, Interchange(header=Header(sender="A"), messages=(done, done)))
    assert decode(LAYOUT, content) == Interchange(header=Header(sender="A"), messages=(done, done))


def test_a_stream_of_messages_is_judged_by_its_first() -> None:
    done = msgspec.structs.replace(STOP, kind="AC")
    content = b"".join(LAYOUT.write(Header(), iter([done, done])))
    assert (done, done) == decode(LAYOUT, content).messages


def test_a_message_for_which_there_is_no_form_is_refused() -> None:
    with pytest.raises(TranslationError) as caught:
        document(msgspec.structs.replace(STOP, kind="RFS"))
    (fault,) = caught.value.faults
    assert ("kind.unknown", "/kind") == (fault.code, fault.path)


def test_another_form_behind_the_first_is_refused() -> None:
    with pytest.raises(TranslationError) as caught:
        document(msgspec.structs.replace(STOP, kind="AC"), STOP)
    assert ["kind.unknown"] == [fault.code for fault in caught.value.faults]


def test_what_a_form_says_by_being_that_form_is_not_reported_as_dropped() -> None:
    notes: list[Note] = []
    encode(LAYOUT, Interchange(header=Header(), messages=(STOP,)), notes.append)
    assert [] == [note for note in notes if note.kind is NoteKind.DROPPED]


def test_what_the_form_of_a_message_drops_is_reported() -> None:
    notes: list[Note] = []
    message = msgspec.structs.replace(STOP, remarks=("lost",))
    encode(LAYOUT, Interchange(header=Header(), messages=(message,)), notes.append)
    assert ["/remarks/0"] == [note.path for note in notes if note.kind is NoteKind.DROPPED]


def test_drops_are_what_every_form_of_a_kind_loses() -> None:
    lost = LAYOUT.drops["Referral"]
    assert {"/lrn"} == lost & {"/lrn", "/remarks", "/mrn", "/kind"}


def test_an_unknown_document_element_is_the_fault_that_names_the_known_ones() -> None:
    (fault,) = read(LAYOUT, b'<Other xmlns="urn:x"/>')
    assert isinstance(fault, Fault)
    assert ("xml.root", True) == (fault.code, "Stop, Ask, Told, Batch" in fault.detail)


@pytest.mark.parametrize("content", [b"", b"<Stop", b"<!DOCTYPE Stop><Stop/>"])
def test_what_is_no_document_is_a_fault(content: bytes) -> None:
    (fault,) = read(LAYOUT, content)
    assert isinstance(fault, Fault)


def test_a_long_document_is_read_from_its_beginning() -> None:
    many = tuple(
        msgspec.structs.replace(STOP, kind="AC", reference=f"R{at}") for at in range(20_000)
    )
    content = encode(LAYOUT, Interchange(header=Header(), messages=many))
    found = [one.message for one in LAYOUT.read(io.BytesIO(content)) if isinstance(one, Entry)]
    assert list(many) == found


def test_every_document_element_leads_to_the_format() -> None:
    registry = Registry([LAYOUT])
    found = {registry.by_element("urn:x", name) for name in ("Stop", "Ask", "Told", "Batch")}
    assert {(LAYOUT,)} == found


def test_samples_of_every_document_satisfy_the_one_schema() -> None:
    (schema,) = LAYOUT.schema().values()
    checked = etree.XMLSchema(etree.fromstring(schema))
    for full in (True, False):
        for sample in LAYOUT.samples(full=full):
            content = encode(LAYOUT, sample)
            assert checked.validate(etree.fromstring(content)), checked.error_log
            assert sample == decode(LAYOUT, content)


def test_the_page_names_every_document_and_what_holds_for_it() -> None:
    page = LAYOUT.documentation()
    expected = [
        "The document elements are `Stop`, `Ask`, `Told`, `Batch`.",
        "## Message `told` (Referral; the document `Told`)",
        "With us `kind` is `DNL`.",
        "With us there is something at `answers`.",
        "## Document `Batch`",
        "## Not carried of `Referral` in `Ask`",
    ]
    assert expected == [line for line in expected if line in page]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ('[roots]\nStop = "stop"', 'root = "r"\n[roots]\nStop = "stop"', None),
        ('Ask = "ask"', 'Ask = "nothing"', "[roots] Ask: unknown group 'nothing'"),
        ('Ask = "ask"', '"x:Ask" = "ask"', "[roots] x:Ask: undeclared namespace prefix 'x'"),
        ("[when.stop]", "[when.stopp]", "[when] stopp: no group of messages has that name"),
        ('kind = "DNL"', 'kindd = "DNL"', "[when.stop] kindd: Referral has no field 'kindd'"),
        ('kind = "DNL"', 'answers = "x"', "[when.stop] answers: answers is no text with us"),
        ('kind = "DNL"', 'mrn = "x"', "[when.stop] mrn: [stop] has a line for mrn"),
        ('kind = "DNL"', '"remarks[1]" = "x"', "[when.stop] remarks[1]: a path of fields alone"),
        ('kind = "DNL"', "mrn = 1", "[when.stop] mrn: our value as a string"),
        ('kind = "DNL"', "mrn = true", "[stop] : Referral requires /kind, which has no line"),
    ],
)
def test_mistakes_are_named(before: str, after: str, told: str | None) -> None:
    text = TEXT.replace(before, after, 1)
    if told is None:
        text = TEXT.replace('unknown = "report"', 'unknown = "report"\nroot = "r"')
        told = "[] root: stands beside [roots]"
    with pytest.raises(LayoutError) as caught:
        compiled(text)
    assert told in str(caught.value)
