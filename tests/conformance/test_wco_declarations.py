"""Every published example of a declaration, read and written as ``gb.dms.declaration.2``."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from tests.conformance import wco
from tests.conformance.accounting import difference
from tests.conftest import Figure
from translators.canonical import GoodsDeclaration
from translators.layout import packaged
from translators.translator import decode, encode

pytestmark = pytest.mark.conformance("WCO declarations (DMS)")

FORMAT = "gb.dms.declaration.2"
LAYOUT = packaged(FORMAT)
EXAMPLES = wco.examples("valid:submit")
each_example = pytest.mark.parametrize("example", EXAMPLES)
FUNCTIONS = {
    ("9", None): "original",
    ("13", "COR"): "amendment",
    ("13", "INV"): "cancellation",
    ("13", "GPR"): "goods-presented",
}


@each_example
def test_every_value_is_carried_or_named(example: Path, figure: Figure) -> None:
    found = wco.accounted(FORMAT, example)
    figure("values carried", found.carried, found.total)
    assert found.total == wco.count(wco.document(example))
    assert set() == found.unnamed
    assert found.carried >= 0.90 * found.total, difference(found)


@each_example
def test_what_is_written_satisfies_the_published_schema(example: Path) -> None:
    schema = wco.declaration_schema()
    written = etree.fromstring(wco.accounted(FORMAT, example).written)
    assert schema.validate(written), schema.error_log


@each_example
def test_the_generated_schema_accepts_what_is_published(example: Path, figure: Figure) -> None:
    schema = wco.generated_schema(LAYOUT)
    accepted = schema.validate(etree.fromstring(wco.document(example)))
    figure("accepted by the generated schema", int(accepted), 1)
    assert accepted, schema.error_log


@each_example
def test_function_and_type_code_make_the_function(example: Path) -> None:
    content = wco.document(example)
    (message,) = decode(LAYOUT, content).messages
    assert isinstance(message, GoodsDeclaration)
    root = etree.fromstring(content)
    codes = [
        root.findtext(f"{{*}}Declaration/{{*}}{name}") for name in ("FunctionCode", "TypeCode")
    ]
    function, kind = (code.strip() if code else None for code in codes)
    expected = FUNCTIONS[function or "", None if function == "9" else kind]
    assert (expected, kind) == (message.function, message.type_code)


def test_nine_tenths_of_all_values_are_carried() -> None:
    wco.declaration_schema()
    found = [wco.accounted(FORMAT, path) for path in wco.paths(EXAMPLES)]
    carried, total = sum(one.carried for one in found), sum(one.total for one in found)
    assert 13_000 < total
    assert carried >= 0.90 * total


@pytest.mark.parametrize("full", [True, False])
def test_the_sample_of_the_layout_satisfies_the_published_schema(full: bool) -> None:
    schema = wco.declaration_schema()
    sample = LAYOUT.sample(full=full)
    content = encode(LAYOUT, sample)
    assert schema.validate(etree.fromstring(content)), schema.error_log
    assert sample == decode(LAYOUT, content)


def test_pointers_of_amendments_become_paths_and_come_back(figure: Figure) -> None:
    wco.declaration_schema()
    assert wco.pointers_that_become_paths(LAYOUT, EXAMPLES, figure) >= 0.7
