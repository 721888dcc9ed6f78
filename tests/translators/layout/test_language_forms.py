"""Forms of one element, choices that leave a required value, letters, lengths of codes."""

from __future__ import annotations

import msgspec
import pytest

from tests.schemas import schema_of
from tests.translators.layout.layouts import (
    HEAD,
    compiled,
    declaration,
    decoded,
    encoded,
    noted,
    read,
    whole,
)
from translators.canonical import GoodsDeclaration, Header, Interchange, Location
from translators.faults import Note, NoteKind, TranslationError
from translators.layout import LayoutError, LayoutTranslator
from translators.translator import Entry, encode

CHOICE = f"""{HEAD}
[document]
d = "messages *! : d"
[choice.d.function]
original = {{ code = "9" }}
amendment = {{ code = "13", type = "COR" }}
[d]
code = "function ! : choice"
type = "type_code ! : text 3"
lrn = "lrn !"
"""


def test_a_required_value_that_a_choice_reads_stays_where_the_record_requires_it() -> None:
    layout = compiled(CHOICE)
    found = decoded(layout, b"<r><d><code>13</code><type>COR</type><lrn>L</lrn></d></r>")
    assert ("amendment", "COR") == (found.function, found.type_code)


def test_what_a_choice_writes_counts_as_carried_where_it_says_the_same() -> None:
    layout = compiled(CHOICE)
    amendment = GoodsDeclaration(function="amendment", type_code="COR", lrn="L")
    assert [] == dropped(layout, amendment)
    other = msgspec.structs.replace(amendment, type_code="IMA")
    assert ["/type_code"] == dropped(layout, other)


def dropped(layout: LayoutTranslator, message: GoodsDeclaration) -> list[str]:
    notes: list[Note] = []
    encode(layout, Interchange(header=Header(), messages=(message,)), notes.append)
    return [note.path for note in notes if note.kind is NoteKind.DROPPED]


FORMS = declaration(
    '"cls[t=H]/id" = "ucr : text 9"\ncls = "guarantees * : cls"',
    '[cls]\nid = "id ! : text 9"\nt = "type : text 3"',
    header='unknown = "report"\n',
).replace('unknown = "refuse"\n', "")


def test_forms_that_change_places_are_noted_with_each_of_their_values() -> None:
    layout = compiled(FORMS)
    other, first = "<cls><id>2</id><t>B</t></cls>", "<cls><id>1</id><t>H</t></cls>"
    assert [] == noted(layout, whole(first + other))
    moved = [(kind, where) for kind, _, where, _ in noted(layout, whole(other + first))]
    assert [
        (NoteKind.MAPPED, f"/r/d[1]/cls[{number}]/{name}[1]")
        for number in (2, 1)
        for name in ("id", "t")
    ] == moved


def test_letters_are_letters() -> None:
    layout = compiled(declaration('terms = "trade_terms : letters 3"'))
    assert "CIF" == decoded(layout, whole("<terms>CIF</terms>")).trade_terms
    with pytest.raises(TranslationError, match=r"value\.pattern"):
        decoded(layout, whole("<terms>C1F</terms>"))


def test_a_code_that_a_table_does_not_have_is_held_to_the_length_of_codes() -> None:
    layout = compiled(
        declaration('n = "freight_payment : code pay 1"', '[codes.pay]\nC = "collect"')
    )
    message = GoodsDeclaration(function="F", type_code="T", lrn="L", freight_payment="collect")
    assert "<n>C</n>" == encoded(layout, message)
    assert "<n>D</n>" == encoded(layout, msgspec.structs.replace(message, freight_payment="D"))
    with pytest.raises(TranslationError, match=r"value\.too-long /freight_payment"):
        encoded(layout, msgspec.structs.replace(message, freight_payment="prepaid"))


def test_a_code_has_a_table_before_its_length() -> None:
    with pytest.raises(LayoutError, match="unknown code table '1'"):
        compiled(declaration('n = "freight_payment : code 1"'))


ONE = declaration(
    """
"paid/day[@f=102]"   = "ucr | : digits 8"
"paid/day"           = "trader_reference | : text 14"
"doc[kind=X]/number" = "invoice_number |! : text 9"
doc                  = "goods_location |! : place"
""",
    '[place]\nid = "id ! : text 9"\nkind = "type : text 3"',
)
"""At most one form of an element, and exactly one."""
_X = "<doc><number>1</number><kind>X</kind></doc>"
_Y = "<doc><id>2</id><kind>Y</kind></doc>"


@pytest.mark.parametrize(
    "inner",
    [
        f'<paid><day f="102">20261121</day></paid>{_X}',
        f"<paid><day>20261121093000</day></paid>{_Y}",
        _Y,
    ],
)
def test_an_element_in_one_form_alone_comes_back_in_it(inner: str) -> None:
    layout = compiled(ONE)
    assert inner == encoded(layout, decoded(layout, whole(inner)))
    assert schema_of(layout)(whole(inner))


@pytest.mark.parametrize("unknown", ["refuse", "report"])
@pytest.mark.parametrize(
    ("inner", "code", "path", "where"),
    [
        (f"{_X}{_Y}", "element.repeated", "", "/r/d[1]/doc[2]"),
        (
            f'<paid><day f="102">20261121</day><day>20261122000000</day></paid>{_X}',
            "element.repeated",
            "",
            "/r/d[1]/paid/day[2]",
        ),
        ("", "element.missing", "/invoice_number", "/r/d[1]/doc"),
    ],
)
def test_a_second_form_and_none_are_told(
    inner: str, code: str, path: str, where: str, unknown: str
) -> None:
    layout = compiled(ONE.replace('"refuse"', f'"{unknown}"'))
    (entry,) = [one for one in read(layout, whole(inner)) if isinstance(one, Entry)]
    assert not schema_of(layout)(whole(inner))
    if unknown == "refuse" or code == "element.missing":
        ((fault),) = entry.faults
        assert (code, path, where) == (fault.code, fault.path, fault.source_path)
    else:
        assert all((note.source_path or "").startswith(where) for note in entry.notes)
        assert {NoteKind.DROPPED} == {note.kind for note in entry.notes}


def test_two_forms_where_one_may_stand_are_not_written_and_neither_is_none() -> None:
    layout = compiled(ONE)
    place = Location(id="2")
    both = GoodsDeclaration(
        function="F", type_code="T", lrn="L", invoice_number="1", goods_location=place
    )
    with pytest.raises(TranslationError, match=r"element.repeated /goods_location.*only one of"):
        encoded(layout, both)
    none = msgspec.structs.replace(both, invoice_number=None, goods_location=None)
    wanted = r"value.missing /invoice_number.*one of /invoice_number, /goods_location is required"
    with pytest.raises(TranslationError, match=wanted):
        encoded(layout, none)
    days = msgspec.structs.replace(
        both, goods_location=None, ucr="20261121", trader_reference="2026"
    )
    with pytest.raises(TranslationError, match=r"element.repeated /trader_reference"):
        encoded(layout, days)


@pytest.mark.parametrize(
    ("lines", "mistake"),
    [
        ('a = "ucr | : text 9"', "'|' is for an element that has several forms"),
        ('"a[@f=1]" = "ucr | : text 9"\na = "mrn : text 9"', "marked alike"),
        ('"a[@f=1]" = "ucr !| : text 9"', "unknown mark"),
        ('"a[@f=1]" = "ucr | ! : text 9"', "stands alone"),
    ],
)
def test_what_is_wrong_with_a_mark_of_forms_is_said(lines: str, mistake: str) -> None:
    with pytest.raises(LayoutError) as caught:
        compiled(declaration(lines))
    assert mistake in str(caught.value)
