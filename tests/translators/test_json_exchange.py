"""``luxor.json.1`` in its three forms and line by line."""

from __future__ import annotations

import json as reference
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.translators.json_readings import FORMAT, aeo, read, summary
from tests.translators.strategies_model import interchanges
from translators.canonical import KINDS, Header, Interchange, Money
from translators.defects import MAX_FAULTS
from translators.faults import Fault, TranslationError
from translators.json import MAX_DEPTH
from translators.translator import Entry, decode, encode


@given(interchanges())
def test_an_interchange_comes_back_as_it_was(interchange: Interchange) -> None:
    content = encode(FORMAT, interchange)
    back = decode(FORMAT, content)
    assert back == interchange
    assert encode(FORMAT, back) == content  # equal instants may differ in their offsets


@given(interchanges(), st.booleans())
def test_spelling_and_space_make_no_difference(interchange: Interchange, escaped: bool) -> None:
    plain = reference.loads(encode(FORMAT, interchange))
    content = reference.dumps(plain, indent=2, ensure_ascii=escaped).encode()
    assert decode(FORMAT, content) == interchange


@pytest.mark.parametrize("kind", sorted(KINDS))
@settings(max_examples=10)
@given(st.data())
def test_every_kind_is_read_alone_and_in_a_list(kind: str, data: st.DataObject) -> None:
    interchange = data.draw(interchanges(kind))
    messages = msgspec.to_builtins(interchange.messages)
    assert decode(FORMAT, reference.dumps(messages).encode()).messages == interchange.messages
    for raw, message in zip(messages, interchange.messages, strict=True):
        assert decode(FORMAT, reference.dumps(raw).encode()).messages == (message,)


def test_an_interchange_has_a_header_and_messages() -> None:
    header = {"sender": "FRA", "prepared_at": "2026-11-21T09:30:00+01:00"}
    told = summary(read({"interchange": header, "messages": [aeo(), aeo(number="T2")]}))
    assert told[1:] == [(1, "T1"), (2, "T2")]
    assert told[0].sender == "FRA"


def test_messages_may_come_before_the_header() -> None:
    told = summary(read({"messages": [aeo()], "interchange": {"sender": "A"}}))
    assert told == [Header(sender="A"), (1, "T1")]


def test_one_bad_message_refuses_itself_alone() -> None:
    told = summary(read({"messages": [aeo(), aeo(number="T2", holder="", x=1), aeo(number="T3")]}))
    assert told == [
        Header(),
        (1, "T1"),
        (2, "T2", ["value.too-short /holder", "field.unknown /x"]),
        (3, "T3"),
    ]


def test_a_fault_says_where_it_stands_in_the_document() -> None:
    readings = read({"messages": [aeo(), aeo(authority={"code": ""})]})
    (fault,) = [f for entry in readings if isinstance(entry, Entry) for f in entry.faults]
    assert (fault.path, fault.source_path) == ("/authority/code", "/messages/1/authority/code")


@pytest.mark.parametrize(
    ("raw", "faults"),
    [
        (aeo(type="Rocket"), ["kind.unknown /type"]),
        (aeo(type=5), ["kind.unknown /type"]),
        (aeo(type=None), ["value.missing /type"]),
        ({"number": "T1"}, ["value.missing /type"]),
        (5, ["value.type "]),
        (None, ["value.type "]),
        ([], ["value.type "]),
    ],
)
def test_what_is_no_message_of_ours_is_told(raw: Any, faults: list[str]) -> None:
    assert summary(read([raw, aeo()])) == [(1, None, faults), (2, "T1")]


def test_a_name_given_twice_refuses_its_message() -> None:
    bad = '{"type":"AeoStatus","number":"T1","holder":"H","holder":"I","status":"valid",'
    bad += '"authority":{"code":"FR","code":"DE"}}'
    told = summary(read(f"[{bad},{reference.dumps(aeo(number='T2'))}]"))
    twice = ["json.duplicate-key /holder", "json.duplicate-key /authority/code"]
    assert told == [(1, "T1", twice), (2, "T2")]


@pytest.mark.parametrize(
    "text",
    [
        '{"messages":[],"messages":[]}',
        '{"messages":[{"type":"X"}],"messages":[{"type":"X"}]}',
        '{"interchange":{"sender":"A"},"interchange":{"sender":"A"},"messages":[]}',
        '{"interchange":{"sender":"A","sender":"B"},"messages":[]}',
        '{"interchange":{"sender":"A","sender":"B"}}',
    ],
)
def test_a_name_given_twice_around_the_messages_refuses_all(text: str) -> None:
    assert summary(read(text)) == ["json.duplicate-key"]


def test_the_number_of_faults_is_bounded() -> None:
    names = {str(n): 1 for n in range(5000)}
    (entry,) = read(aeo(**names))
    assert isinstance(entry, Entry)
    assert len(entry.faults) == MAX_FAULTS + 1
    assert len(read({"messages": [], **names})) == MAX_FAULTS + 1


@pytest.mark.parametrize("name", ["interchange", "messages"])
def test_a_duplicate_hides_in_no_escape(name: str) -> None:
    hidden = "\\u00" + format(ord(name[0]), "02x") + name[1:]
    text = f'{{"{name}":X,"{hidden}":X}}'.replace("X", "[]" if name == "messages" else "{}")
    assert summary(read(text)) == ["json.duplicate-key"]


@pytest.mark.parametrize("value", [None, ""])
def test_an_explicit_null_is_an_absent_value(value: Any) -> None:
    told = summary(read(aeo(address=None, country=None, roles=[], reference=value)))
    assert told == [(1, "T1") if value is None else (1, "T1", ["value.too-short /reference"])]


@pytest.mark.parametrize(
    ("number", "accepted"),
    [
        ('"1.10"', True),
        ("1.10", True),
        ("7", True),
        ('"1e-3"', False),
        ("1e-3", False),
        ("1.5e1", False),
        ("1E400", False),
        ('"NaN"', False),
        ("0.1000000000000000055", False),
        ("12345678901234567", False),
        ("true", False),
    ],
)
def test_decimals_are_exact(number: str, *, accepted: bool) -> None:
    assessment = reference.dumps({
        "type": "RiskAssessment", "outcome": "clear", "assessed_at": "2026-11-21T09:30:00Z",
        "score": "SCORE",
    }).replace('"SCORE"', number)  # fmt: skip
    (entry,) = read(assessment)
    assert isinstance(entry, Entry)
    assert [fault.code for fault in entry.faults] == ([] if accepted else ["decimal.invalid"])


def test_a_decimal_keeps_its_digits() -> None:
    item = FORMAT.sample().messages[0]
    changed = msgspec.structs.replace(item, gross_weight=Decimal("1.100"))
    assert b'"gross_weight":"1.100"' in encode(FORMAT, Interchange(messages=(changed,)))


@pytest.mark.parametrize("number", ["1", '"true"', "1.0", '"5"'])
def test_texts_and_numbers_do_not_stand_for_each_other(number: str) -> None:
    text = '{"type":"RiskAssessment","outcome":5,"assessed_at":1700000000,"version":"1"}'
    (entry,) = read(text.replace("5", number))
    assert isinstance(entry, Entry)
    assert {"/assessed_at", "/version"} <= {fault.path for fault in entry.faults}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "body.empty"),
        (b" \n\t\r\n ", "body.empty"),
        (b"5", "json.unexpected"),
        (b'"text"', "json.unexpected"),
        (b"nonsense", "json.malformed"),
        (b'{"messages":[', "json.malformed"),
        (b'{"messages":[]}}', "json.malformed"),
        (b"[" * 100_000, "json.depth"),
        (b'{"messages":' * 100_000, "json.depth"),
        (b'{"messages":{}}', "value.type"),
        (b'{"messages":[],"more":1}', "field.unknown"),
        (b'{"interchange":[],"messages":[]}', "value.type"),
        (b'{"interchange":{"sender":""},"messages":[]}', "value.too-short"),
        (b'{"interchange":{"x":1},"messages":[]}', "field.unknown"),
        (b"\xef\xbb\xbf[]", "json.encoding"),
        ("[]".encode("utf-16"), "json.encoding"),
        (b'{"messages":["\xff"]}', "json.encoding"),
    ],
)
def test_a_document_that_is_wrong_as_a_whole_is_refused(content: bytes, code: str) -> None:
    assert summary(read(content)) == [code]


def test_a_message_that_is_nested_too_deep_is_refused() -> None:
    deep = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert summary(read('[{"type":"Order","x":' + deep + "}]")) == ["json.depth"]


def test_a_break_inside_a_message_refuses_the_whole_document() -> None:
    good = reference.dumps(aeo())
    told = summary(read(f'[{good},{{"type":"AeoStatus","number":"\\q"}},{good}]'))
    assert told[-1] == "json.malformed"


def test_the_line_of_a_break_counts_blank_lines() -> None:
    (fault,) = read(b'\n\n{"messages":\n[tru]}')
    assert isinstance(fault, Fault)
    assert (fault.code, fault.line) == ("json.malformed", 4)


def test_a_message_that_is_refused_leaves_a_draft() -> None:
    good, bad = read([aeo(), aeo(holder="")])
    assert isinstance(good, Entry)
    assert isinstance(bad, Entry)
    assert (good.draft, bad.draft) == (None, aeo(holder=""))


def test_an_entry_tells_where_a_path_stands() -> None:
    _, second = read([aeo(), aeo()])
    assert isinstance(second, Entry)
    assert second.locate is not None
    assert second.locate("/authority/code") == ("/1/authority/code", None)


def test_an_interchange_without_messages_is_read() -> None:
    assert summary(read({"interchange": {"test": True}})) == [Header(test=True)]
    assert summary(read([])) == []


def test_a_document_beyond_the_bound_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("translators.exchange.json_exchange.MAX_DOCUMENT", 1000)
    assert summary(read(reference.dumps([aeo()] * 50, indent=1))) == ["body.too-large"]


@given(
    st.binary(max_size=200) | st.text('[]{}":,0123eE.-+ntruflas\\ \n', max_size=80).map(str.encode)
)
def test_rubbish_never_raises(content: bytes) -> None:
    for reading in read(content):
        assert isinstance(reading, Header | Entry | Fault)
        if isinstance(reading, Entry):
            assert (reading.message is None) == bool(reading.faults)


@given(interchanges(), st.data())
def test_a_damaged_document_never_raises(interchange: Interchange, data: st.DataObject) -> None:
    content = bytearray(encode(FORMAT, interchange))
    for _ in range(data.draw(st.integers(1, 4))):
        spot = data.draw(st.integers(0, len(content) - 1))
        content[spot] = data.draw(st.integers(0, 255))
    read(bytes(content))


def test_a_decimal_beyond_the_model_is_never_written() -> None:
    money = Money(amount=Decimal("1E+20"), currency="EUR")
    item = msgspec.structs.replace(FORMAT.sample().messages[0], postage=money)
    with pytest.raises(TranslationError) as refused:
        encode(FORMAT, Interchange(messages=(item,)))
    assert [(f.code, f.path) for f in refused.value.faults] == [
        ("decimal.invalid", "/postage/amount")
    ]
