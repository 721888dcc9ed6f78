"""Values of the layout language: types, codes, defaults, derived values."""

from __future__ import annotations

import io
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from tests.schemas import schema_of
from tests.translators.layout.layouts import (
    ITEM,
    compiled,
    declaration,
    decoded,
    encoded,
    item_document,
    noted,
    read,
    whole,
)
from translators.canonical import Address, GoodsDeclaration, Header, Referral, TradeParty
from translators.faults import Note, NoteKind, TranslationError
from translators.translator import Entry, decode


def test_joined_values_are_split_and_a_separator_in_a_value_is_a_fault() -> None:
    layout = compiled(declaration("line = \"importer.address.lines : text 20, join '; '\""))
    message = decoded(layout, whole("<line>a; b</line>"))
    assert message.importer.address.lines == ("a", "b")
    assert encoded(layout, message) == "<line>a; b</line>"
    bad = GoodsDeclaration(
        function="F",
        type_code="T",
        lrn="L",
        importer=TradeParty(address=Address(lines=("a; b", "c"))),
    )
    with pytest.raises(TranslationError, match=r"value.separator /importer/address/lines"):
        encoded(layout, bad)


def test_a_default_is_filled_in_and_written_and_reported() -> None:
    layout = compiled(declaration('mode = "freight_payment : text 3, default A"'))
    content = whole("")
    message = decoded(layout, content)
    assert message.freight_payment == "A"
    assert noted(layout, content) == [
        (NoteKind.DEFAULTED, "/freight_payment", "/r/d[1]/mode", "default A")
    ]
    without_it = GoodsDeclaration(function="F", type_code="T", lrn="L")
    assert encoded(layout, without_it) == "<mode>A</mode>"


def test_else_fills_in_what_we_do_not_have() -> None:
    layout = compiled(
        declaration(
            """
count = "goods_item_count : int 5, else count items"
item = "items * : g"
declarant = "declarant : p"
""",
            """
[g]
number = "number ! : int 3, else position"
[p]
name = "name : text 70, else join first_name last_name"
""",
        )
    )
    message = decoded(layout, whole("<item/><item><number>7</number></item>"))
    assert message.goods_item_count == 2
    assert [item.number for item in message.items] == [1, 7]
    party = GoodsDeclaration(
        function="F",
        type_code="T",
        lrn="L",
        declarant=TradeParty(first_name="Ana", last_name="Muster"),
    )
    expected = "<count>0</count><declarant><name>Ana Muster</name></declarant>"
    assert encoded(layout, party) == expected


def test_a_derived_value_is_written_and_compared() -> None:
    layout = compiled(
        declaration(
            """
count = "= count items"
total = "= sum items[].gross_weight"
item = "items * : g"
""",
            """
[g]
"@at" = "= position"
number = "number ! : int 3"
weight = "gross_weight : mass kg"
""",
        )
    )
    inner = (
        "<count>2</count><total>3.5</total>"
        '<item at="1"><number>1</number><weight>1.5</weight></item>'
        '<item at="2"><number>2</number><weight>2</weight></item>'
    )
    message = decoded(layout, whole(inner))
    assert encoded(layout, message) == inner
    assert noted(layout, whole(inner)) == []
    wrong = whole(inner.replace("<count>2", "<count>3"))
    (note,) = noted(layout, wrong)
    assert note[0] is NoteKind.CONTRADICTS
    assert note[2] == "/r/d[1]/count"


def test_several_values_choose_one_of_ours() -> None:
    layout = compiled(
        """
layout = "x.test.1"
title = "Test"
carries = "GoodsDeclaration"
root = "r"
[document]
d = "messages *! : d"
[d]
code = "function ! : choice"
type = "type_code : text 3, default T"
lrn = "lrn !"
[choice.d.function]
original = { code = "9" }
amendment = { code = "13", type = "COR" }
"""
    )
    original = b"<r><d><code>9</code><type>IMA</type><lrn>L</lrn></d></r>"
    message = decoded(layout, original)
    assert (message.function, message.type_code) == ("original", "IMA")
    assert b"".join(layout.write(Header(), (message,))).count(b"<code>9</code><type>IMA")
    odd = b"<r><d><code>77</code><type>IMA</type><lrn>L</lrn></d></r>"
    _, entry = read(layout, odd)
    assert entry.message.function == "77"
    assert [fault.code for fault in entry.faults] == ["code.unknown"]


def test_pairs_are_a_map() -> None:
    layout = compiled(ITEM)
    message = decoded(layout, item_document('<extra name="a/b">1</extra><extra name="c">2</extra>'))
    assert message.extra == {"a/b": "1", "c": "2"}


def test_codes_pass_when_unknown_and_open_with_a_warning_and_are_refused_when_closed() -> None:
    layout = compiled(ITEM)
    content = item_document("").replace(b"<class>C", b"<class>Z")
    (_, entry) = read(layout, content)
    assert entry.message.mail_class == "Z"
    assert [(fault.code, fault.refuses) for fault in entry.faults] == [("code.unknown", False)]
    closed = item_document("").replace(b"<nature>31", b"<nature>77")
    with pytest.raises(TranslationError, match=r"code.unknown /nature"):
        decode(layout, closed)


def test_a_wire_code_that_is_spelled_like_ours_is_ambiguous() -> None:
    layout = compiled(ITEM)
    content = item_document("").replace(b"<class>C", b"<class>parcels")
    with pytest.raises(TranslationError, match=r"code.ambiguous /mail_class"):
        decode(layout, content)


def test_a_read_only_code_is_read_and_never_written() -> None:
    layout = compiled(ITEM)
    message = decoded(layout, item_document("").replace(b"<class>C", b"<class>CP"))
    assert message.mail_class == "parcels"
    written = b"".join(layout.write(Header(), (message,)))
    assert b"<class>C</class>" in written


def test_a_code_that_comes_back_as_another_is_always_noted() -> None:
    layout = compiled(ITEM)
    content = item_document("").replace(b"<class>C", b"<class>CP")
    (entry,) = [one for one in read(layout, content) if isinstance(one, Entry)]
    assert [
        Note(
            kind=NoteKind.MAPPED,
            path="/mail_class",
            source_path="/r/i[1]/class",
            detail="CP → parcels, which is written C",
            ordinal=1,
        )
    ] == list(entry.notes)


def test_where_a_schema_lies_is_no_content_of_a_pair() -> None:
    layout = compiled(ITEM)
    hint = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a b"'
    pair = f'<extra name="k" {hint}>v</extra>'
    for inner in (pair, f"{pair}<!-- what makes both readers look -->"):
        assert decoded(layout, item_document(inner)).extra == {"k": "v"}
    explained = list(layout.read(io.BytesIO(item_document(pair)), explain=True))
    assert [()] == [one.faults for one in explained if isinstance(one, Entry)]


def test_a_constant_that_must_hold_refuses_another_value() -> None:
    lines = 'mass = "gross_weight : mass kg 9.3"\n"mass/@unit" = "== KGM"'
    layout = compiled(declaration(lines).replace('"refuse"', '"report"'))
    kilograms = whole('<mass unit=" KGM ">5</mass>')
    assert encoded(layout, decoded(layout, kilograms)) == '<mass unit="KGM">5</mass>'
    assert decoded(layout, whole("<mass>5</mass>")).gross_weight == 5
    for grams in ("GRM", "kgm"):
        content = whole(f'<mass unit="{grams}">500</mass>')
        with pytest.raises(TranslationError, match=r"value.pattern.*'KGM' is expected"):
            decode(layout, content)
        assert not schema_of(layout)(content)


def test_grams_become_kilograms_and_are_never_rounded() -> None:
    layout = compiled(ITEM)
    message = decoded(layout, item_document(""))
    assert message.gross_weight == Decimal("0.5")
    fine = msgspec.structs.replace(message, gross_weight=Decimal("0.0005"))
    with pytest.raises(TranslationError, match=r"decimal.invalid /gross_weight"):
        b"".join(layout.write(Header(), (fine,)))


def test_dates_and_instants_in_letters() -> None:
    layout = compiled(
        declaration(
            """
accepted = "accepted_at : instant YYYYMMDDhhmmssZ"
box = "containerised : text 1"
"""
        )
    )
    message = decoded(layout, whole("<accepted>20261121093000+01</accepted>"))
    assert message.accepted_at == datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
    assert encoded(layout, message) == "<accepted>20261121093000+01</accepted>"
    fine = msgspec.structs.replace(
        message, accepted_at=datetime(2026, 11, 21, 8, 30, 0, 5, tzinfo=UTC)
    )
    with pytest.raises(TranslationError, match=r"instant.invalid /accepted_at"):
        encoded(layout, fine)


FILES = """
layout = "x.files.1"
title = "Files"
carries = "Referral"
root = "r"
unknown = "report"
[document]
a = "messages ! : a"
[a]
reference = "reference !"
kind = "kind !"
issued = "issued_at ! : instant"
by = "authority.code !"
answer = "answers * : answer"
[answer]
item = "item_id !"
at = "answered_at ! : instant"
file = "attachments * : file"
[file]
name = "name"
media = "media_type !"
content = "content : base64"
"""


def attached(content: str) -> bytes:
    return (
        "<r><a><reference>R</reference><kind>RFI</kind><issued>2026-11-21T09:30:00Z</issued>"
        "<by>LU</by><answer><item>I</item><at>2026-11-21T09:30:00Z</at>"
        f"<file><media>a/b</media><content>{content}</content></file></answer></a></r>"
    ).encode()


@pytest.mark.parametrize("text", ["null", "NULL", "nUlL", " nu\nll "])
def test_three_bytes_that_are_spelled_null_are_no_nothing(text: str) -> None:
    layout = compiled(FILES)
    message = decoded(layout, attached(text))
    content = message.answers[0].attachments[0].content
    assert b64decode(text) == content
    assert b64encode(content) in b"".join(layout.write(Header(), (message,)))


def test_content_that_is_empty_is_nothing_and_is_told_when_it_is_not_written() -> None:
    layout = compiled(FILES)
    for blank in ("", " ", "\u00a0"):
        assert decoded(layout, attached(blank)).answers[0].attachments[0].content is None
    message = decoded(layout, attached("AAAA"))
    text = msgspec.json.encode(message).replace(b'"AAAA"', b'""')
    notes: list[Note] = []
    b"".join(layout.write(Header(), (msgspec.json.decode(text, type=Referral),), notes.append))
    assert ["/answers/0/attachments/0/content"] == [note.path for note in notes]
