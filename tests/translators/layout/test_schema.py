"""Schemas of layouts that use the whole language: several namespaces, alternatives, choices."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from tests.translators.layout.layouts import HEAD, ITEM, compiled
from translators.layout import LayoutTranslator
from translators.layout.sample import sample_document
from translators.translator import decode, encode

ENVELOPE = f"""{HEAD.replace('root = "r"', 'root = "e:envelope"')}
[namespaces]
default = "urn:d"
e = "urn:e"
q = "urn:q"
[document]
"@e:version" = "= 1"
"e:count" = "= count messages"
"e:type" = "header.type_name ! : text 3..3"
"body/d" = "messages *! : d"
[d]
"@kind" = "type_code ! : text 6"
code = "function ! : choice"
sort = "freight_payment : text 3"
lrn = "lrn !"
currency = "items[].invoice_amount.currency : currency"
"party[role=IM]/id" = "importer.references[type=EORI].value : text 17"
"party[role=EX]/id" = "exporter.references[type=EORI].value : text 17"
when = "accepted_at : instant YYYYMMDDhhmmssZ"
"at/q:date" = "issued_at : instant"
line = "importer.address.lines : text 100, join '; '"
office = "office : office"
boxed = "containerised : code boxed closed"
item = "items *3! : item"
[office]
"." = "code ! : text 8"
"@q:name" = "name : text 140"
[item]
"@number" = "= position"
no = "number ! : int 3"
"weight/@unit" = "= KGM"
weight = "gross_weight : mass kg 6.2"
"ids[type=TSP]/code" = "hs : digits 6..10"
ids = "classifications * : ids"
total = "invoice_amount.amount : decimal 10.2"
[ids]
code = "code ! : text 10"
type = "type : text 4"
[choice.d.function]
original = {{ code = "9" }}
amendment = {{ code = "13", sort = "COR" }}
[codes.boxed]
Y = "yes"
N = "no"
"""


def schema_of(layout: LayoutTranslator, folder: Path) -> etree.XMLSchema:
    """The schema of all files of a layout, as a user has them."""
    files = layout.schema()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return etree.XMLSchema(etree.parse(str(folder / next(iter(files)))))


@pytest.mark.parametrize("text", [ENVELOPE, ITEM], ids=["envelope", "item"])
@pytest.mark.parametrize("full", [True, False])
def test_the_sample_satisfies_the_schema_and_reads_back_equal(
    text: str, full: bool, tmp_path: Path
) -> None:
    layout = compiled(text)
    schema = schema_of(layout, tmp_path)
    assert schema.validate(etree.fromstring(sample_document(layout.plan, full=full)))
    content = encode(layout, layout.sample(full=full))
    assert schema.validate(etree.fromstring(content)), schema.error_log
    assert decode(layout, content) == layout.sample(full=full)


def test_there_is_one_schema_for_each_namespace_and_the_first_is_of_the_root() -> None:
    files = compiled(ENVELOPE).schema()
    spaces = [etree.fromstring(content).get("targetNamespace") for content in files.values()]
    assert spaces[0] == "urn:e"
    assert sorted(str(space) for space in spaces) == ["urn:d", "urn:e", "urn:q"]
    assert next(iter(files)) == "x.test.1.xsd"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<lrn>", "<lrn/><lrn>"),
        ("<no>", "<more/><no>"),
        ("<boxed>Y", "<boxed>X"),
        ("<weight unit", "<weight list"),
        ("<when>", "<when>1"),
        ('kind="', 'kind="1234567'),
    ],
)
def test_what_is_wrong_is_refused_by_the_schema(old: str, new: str, tmp_path: Path) -> None:
    layout = compiled(ENVELOPE)
    content = encode(layout, layout.sample()).decode()
    assert old in content
    changed = etree.fromstring(content.replace(old, new, 1).encode())
    assert not schema_of(layout, tmp_path).validate(changed)


def test_the_page_explains_forms_choices_and_constants() -> None:
    page = compiled(ENVELOPE).documentation()
    assert "| party[role=IM]/id | 0..1 | text 17 | `importer.references[type=EORI].value` |" in page
    assert "| @number | 0..1 | position | computed and compared |" in page
    assert "| weight/@unit | 0..1 | always `KGM` |" in page
    assert "Other codes are refused." in page
