"""Forms of one element, choices that leave a required value, letters, lengths of codes."""

from __future__ import annotations

import msgspec
import pytest

from tests.translators.layout.layouts import (
    HEAD,
    compiled,
    declaration,
    decoded,
    encoded,
    noted,
    whole,
)
from translators.canonical import GoodsDeclaration, Header, Interchange
from translators.faults import Note, NoteKind, TranslationError
from translators.layout import LayoutError, LayoutTranslator
from translators.translator import encode

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
