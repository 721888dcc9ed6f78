"""What a report says about codes, defaults, choices and space, in both directions."""

from __future__ import annotations

import io

from tests.translators.layout import constructs
from tests.translators.layout.layouts import (
    ITEM,
    compiled,
    declaration,
    decoded,
    item_document,
    noted,
    whole,
)
from translators.canonical import GoodsDeclaration, Interchange, Reference, TradeParty
from translators.faults import Note, NoteKind
from translators.layout import LayoutTranslator
from translators.translator import Entry, decode, encode

CHOICES = compiled(constructs.CHOICES)
AMENDED = b"<r><d><head><code>13</code><kind>COR</kind></head><lrn>L</lrn></d></r>"


def reported(layout: LayoutTranslator, interchange: Interchange) -> list[tuple[str, str, str]]:
    """Kind, path and detail of what is noted when an interchange is written."""
    notes: list[Note] = []
    encode(layout, interchange, notes.append)
    return [(str(note.kind), note.path, note.detail) for note in notes]


def test_a_reader_that_explains_names_every_code_that_it_mapped() -> None:
    found = [(note[0], note[1], note[3]) for note in noted(compiled(ITEM), item_document(""))]
    assert found == [
        (NoteKind.MAPPED, "/mail_class", "C → parcels"),
        (NoteKind.MAPPED, "/nature", "31 → gift"),
    ]


def test_a_reader_that_is_not_asked_to_explain_names_none() -> None:
    readings = compiled(ITEM).read(io.BytesIO(item_document("")))
    assert [entry.notes for entry in readings if isinstance(entry, Entry)] == [()]


def test_a_writer_names_every_code_that_it_mapped_with_the_entry_that_had_it() -> None:
    layout = compiled(
        declaration(
            'item = "items * : g"',
            '[g]\nnumber = "number ! : int 3"\nnature = "transaction_nature : code nature"\n'
            '[codes.nature]\n11 = "sale"',
        )
    )
    item = "<item><number>{}</number><nature>{}</nature></item>"
    content = whole(item.format(1, 11) + item.format(2, 11))
    assert reported(layout, decode(layout, content)) == [
        ("mapped", "/items/0/transaction_nature", "sale → 11"),
        ("mapped", "/items/1/transaction_nature", "sale → 11"),
    ]


def test_a_choice_by_several_values_is_one_note_both_ways() -> None:
    (note,) = noted(CHOICES, AMENDED)
    told = "head/code=13, head/kind=COR"
    assert (note[1], note[3]) == ("/function", f"{told} → amendment")
    assert reported(CHOICES, decode(CHOICES, AMENDED))[0] == (
        "mapped",
        "/function",
        f"amendment → {told}",
    )


def test_a_default_is_named_when_it_is_written() -> None:
    layout = compiled(declaration('mode = "freight_payment : text 3, default A"'))
    message = decoded(compiled(declaration('ucr = "ucr"')), whole(""))
    assert reported(layout, Interchange(messages=(message,))) == [
        ("defaulted", "/freight_payment", "default written")
    ]


def test_space_that_xml_does_not_take_for_space_is_named_when_it_is_trimmed() -> None:
    layout = compiled(declaration('ucr = "ucr"'))
    padded = whole("<ucr>\u00a0U </ucr>".encode().decode())
    assert decoded(layout, padded).ucr == "U"
    assert [note[3] for note in noted(layout, padded)] == ["space around it is not carried"]
    assert noted(layout, whole("<ucr> U\n</ucr>")) == []


def test_the_spacing_of_joined_values_is_named_when_it_changes() -> None:
    layout = compiled(declaration("line = \"importer.address.lines : text 20, join '; '\""))
    assert noted(layout, whole("<line>a; b</line>")) == []
    assert [note[3] for note in noted(layout, whole("<line>a;   b; c</line>"))] == [
        "space around '; ' is not carried"
    ]


def test_what_a_line_picks_from_a_list_is_carried_no_further_than_by_that_line() -> None:
    layout = compiled(
        declaration(
            'first = "exporter.references[1].value"\nother = "exporter.references * : reference"',
            '[reference]\ntype = "type"\nvalue = "value"',
        )
    )
    references = (Reference(type="A", value="1"), Reference(type="B", value="2"))
    message = GoodsDeclaration(
        function="F", type_code="T", lrn="L", exporter=TradeParty(references=references)
    )
    assert [document.writers.fast.keys() for document in layout._documents] == [{"d"}]
    assert reported(layout, Interchange(messages=(message,))) == [
        ("dropped", "/exporter/references/0/type", "x.test.1 has no place for it")
    ]
