"""Keys and paths of the layout language, read and written."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.translators.layout.layouts import (
    GOODS,
    HEAD,
    compiled,
    declaration,
    decoded,
    encoded,
    noted,
    read,
    whole,
)
from translators.canonical import (
    Address,
    Classification,
    GoodsDeclaration,
    GoodsItem,
    Header,
    Money,
    Reference,
    TaxReference,
    TradeParty,
)
from translators.faults import NoteKind, TranslationError
from translators.translator import decode


def test_wrappers_are_merged_and_made_only_when_something_stands_in_them() -> None:
    layout = compiled(
        declaration(
            """
"office/at/code" = "office.code"
"office/at/name" = "office.name"
"office/country" = "office.country"
ucr = "ucr"
"""
        )
    )
    inner = "<office><at><code>A</code></at><country>FR</country></office><ucr>U</ucr>"
    message = decoded(layout, whole(inner))
    assert message.office.code == "A"
    assert message.office.country == "FR"
    assert encoded(layout, message) == inner
    assert encoded(layout, decoded(layout, whole("<ucr>U</ucr>"))) == "<ucr>U</ucr>"


def test_a_constant_never_makes_its_wrapper_and_another_value_is_reported() -> None:
    layout = compiled(
        declaration(
            """
"office/list" = "= EU"
"office/code" = "office.code"
"@version" = "= 2"
"""
        )
    )
    inner = "<office><list>EU</list><code>A</code></office>"
    message = decoded(layout, whole(inner))
    assert encoded(layout, message) == inner
    assert encoded(layout, decoded(layout, whole(""))) == ""
    other = whole("<office><list>US</list><code>A</code></office>")
    assert noted(layout, other) == [
        (NoteKind.DROPPED, "", "/r/d[1]/office/list", "'EU' is expected")
    ]


def test_an_attribute_stands_at_its_element() -> None:
    layout = compiled(
        declaration(
            """
total = "invoice_total.amount : decimal 16.2"
"total/@currency" = "invoice_total.currency !"
"means/@mode" = "border_transport.mode"
"""
        )
    )
    inner = '<total currency="EUR">1.5</total><means mode="5"/>'
    message = decoded(layout, whole(inner))
    assert message.invoice_total == Money(amount=Decimal("1.5"), currency="EUR")
    assert message.border_transport.mode == "5"
    assert encoded(layout, message) == inner


def test_namespaces_are_per_step() -> None:
    layout = compiled(
        declaration(
            '"o:office/p:code" = "office.code"\n"o:office/@p:list" = "office.name"',
            '[namespaces]\no = "urn:o"\np = "urn:p"',
        )
    )
    content = (
        b'<r xmlns:a="urn:o" xmlns:b="urn:p"><d><function>F</function><type>T</type>'
        b'<lrn>L</lrn><a:office b:list="N"><b:code>C</b:code></a:office></d></r>'
    )
    message = decoded(layout, content)
    assert (message.office.code, message.office.name) == ("C", "N")
    assert encoded(layout, message) == '<o:office p:list="N"><p:code>C</p:code></o:office>'


def test_an_entry_of_a_list_by_its_number() -> None:
    layout = compiled(
        declaration('street = "importer.address.lines[1]"\nmore = "importer.address.lines[2]"')
    )
    message = decoded(layout, whole("<street>1 Road</street><more>B</more>"))
    assert message.importer.address.lines == ("1 Road", "B")
    assert encoded(layout, message) == "<street>1 Road</street><more>B</more>"
    only = decoded(layout, whole("<more>B</more>"))
    assert only.importer.address.lines == ("B",)


def test_a_third_entry_has_no_place_and_is_reported() -> None:
    layout = compiled(declaration('street = "importer.address.lines[1]"'))
    message = GoodsDeclaration(
        function="F",
        type_code="T",
        lrn="L",
        importer=TradeParty(address=Address(lines=("a", "b"))),
    )
    notes: list[str] = []
    layout_bytes = b"".join(
        layout.write(Header(), (message,), lambda note: notes.append(note.path))
    )
    assert b"<street>a</street>" in layout_bytes
    assert notes == ["/importer/address/lines/1"]


def test_an_entry_of_a_list_by_its_key_and_the_rest_in_another_line() -> None:
    layout = compiled(
        declaration(
            """
eori = "importer.references[type=EORI].value"
reference = "importer.references * : reference"
""",
            '[reference]\n"." = "value !"\n"@type" = "type !"',
        )
    )
    inner = '<eori>FR1</eori><reference type="VAT">V</reference>'
    message = decoded(layout, whole(inner))
    assert message.importer.references == (
        Reference(type="EORI", value="FR1"),
        Reference(type="VAT", value="V"),
    )
    assert encoded(layout, message) == inner


def test_one_value_stands_for_all_of_them_with_us() -> None:
    layout = compiled(
        declaration(
            'currency = "items[].invoice_amount.currency : currency"\nitem = "items * : g"',
            GOODS.format(lines='amount = "invoice_amount.amount : decimal 16.2"'),
        )
    )
    inner = (
        "<currency>EUR</currency><item><number>1</number><amount>1</amount></item>"
        "<item><number>2</number></item>"
    )
    message = decoded(layout, whole(inner))
    assert message.items[0].invoice_amount == Money(amount=Decimal(1), currency="EUR")
    assert message.items[1].invoice_amount is None
    assert encoded(layout, message) == inner


def test_values_that_disagree_are_not_written_as_one() -> None:
    layout = compiled(
        declaration(
            'currency = "items[].invoice_amount.currency : currency"\nitem = "items * : g"',
            GOODS.format(lines='amount = "invoice_amount.amount : decimal 16.2"'),
        )
    )
    items = tuple(
        GoodsItem(number=at, invoice_amount=Money(amount=Decimal(1), currency=currency))
        for at, currency in enumerate(("EUR", "USD"), start=1)
    )
    message = GoodsDeclaration(function="F", type_code="T", lrn="L", items=items)
    notes: list[str] = []
    written = b"".join(layout.write(Header(), (message,), lambda n: notes.append(n.path)))
    assert b"<currency>" not in written
    assert notes == [
        "/items/0/invoice_amount/currency",
        "/items/1/invoice_amount/currency",
    ]


def test_a_value_of_the_enclosing_record_must_agree_everywhere() -> None:
    layout = compiled(
        declaration('item = "items * : g"', GOODS.format(lines='nature = "^transaction_nature"'))
    )
    inner = (
        "<item><number>1</number><nature>11</nature></item>"
        "<item><number>2</number><nature>{}</nature></item>"
    )
    message = decoded(layout, whole(inner.format("11")))
    assert message.transaction_nature == "11"
    assert encoded(layout, message) == inner.format("11")
    with pytest.raises(TranslationError, match=r"value.disagrees /transaction_nature"):
        decode(layout, whole(inner.format("21")))


def test_a_discriminator_filters_and_is_written_last() -> None:
    layout = compiled(
        declaration(
            """
"class[type=TSP]/id" = "ucr"
class = "guarantees * : class"
""",
            '[class]\nid = "id"\ntype = "type"',
        )
    )
    inner = "<class><id>1</id><type>TSP</type></class><class><id>2</id><type>GN</type></class>"
    message = decoded(layout, whole(inner))
    assert message.ucr == "1"
    assert [one.id for one in message.guarantees] == ["2"]
    assert encoded(layout, message) == inner


def test_a_line_of_its_own_places_the_discriminator() -> None:
    layout = compiled(
        declaration('"x[role=A]/role" = "="\n"x[role=A]/id" = "ucr"\n"y[@k=B]/id" = "mrn"')
    )
    inner = '<x><role>A</role><id>1</id></x><y k="B"><id>2</id></y>'
    message = decoded(layout, whole(inner))
    assert (message.ucr, message.mrn) == ("1", "2")
    assert encoded(layout, message) == inner


def test_a_group_may_be_one_value_or_wrap_the_record() -> None:
    layout = compiled(
        declaration(
            'body = ". : body"',
            """
[body]
country = "routing_countries * : routing"
ucr = "ucr"
[routing]
"." = ". ! : country"
"@list" = "= ISO"
""",
        )
    )
    inner = (
        '<body><country list="ISO">FR</country><country list="ISO">DE</country><ucr>U</ucr></body>'
    )
    message = decoded(layout, whole(inner))
    assert message.routing_countries == ("FR", "DE")
    assert encoded(layout, message) == inner


def test_messages_may_stand_in_wrappers_behind_constants() -> None:
    layout = compiled(
        f"""{HEAD}
[document]
"e:version" = "= 3.6"
"e:type" = "header.type_name"
"body/d" = "messages *! : d"
"e:end" = "= yes"
[d]
function = "function !"
type = "type_code !"
lrn = "lrn !"
[namespaces]
e = "urn:e"
"""
    )
    content = (
        b'<r xmlns:e="urn:e"><e:version>3.6</e:version><e:type>DEC</e:type><body>'
        b"<d><function>F</function><type>T</type><lrn>L</lrn></d></body><e:end>yes</e:end></r>"
    )
    header, entry = read(layout, content)
    assert header.type_name == "DEC"
    assert entry.faults == ()
    assert entry.notes == ()
    written = b"".join(layout.write(header, (entry.message,)))
    assert read(layout, written) == [header, entry]


def test_static_drops_are_the_paths_without_a_line() -> None:
    lost = compiled(declaration('ucr = "ucr"')).drops["GoodsDeclaration"]
    assert "/items" in lost
    assert "/ucr" not in lost
    assert "/lrn" not in lost


def test_values_of_the_model_that_are_not_carried_are_noted_when_writing() -> None:
    layout = compiled(
        declaration('item = "items * : g"', GOODS.format(lines='code = "hs : digits 6..10"'))
    )
    message = GoodsDeclaration(
        function="F",
        type_code="T",
        lrn="L",
        ucr="U",
        tax_references=(TaxReference(scheme="IOSS", number="1"),),
        items=(GoodsItem(number=1, classifications=(Classification(code="1"),)),),
    )
    notes: list[str] = []
    b"".join(layout.write(Header(), (message,), lambda note: notes.append(note.path)))
    assert sorted(notes) == [
        "/items/0/classifications/0/code",
        "/tax_references/0/number",
        "/tax_references/0/scheme",
        "/ucr",
    ]
