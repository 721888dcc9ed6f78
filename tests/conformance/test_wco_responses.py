"""Every published example of a response, read and written as ``gb.dms.response.2``."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from tests.conformance import wco
from tests.conformance.accounting import difference
from tests.conftest import Figure
from translators.canonical import CustomsResponse
from translators.layout import packaged
from translators.translator import decode, encode

pytestmark = pytest.mark.conformance("WCO responses (DMS)")

FORMAT = "gb.dms.response.2"
LAYOUT = packaged(FORMAT)
WITHOUT_NAMESPACES = wco.examples("valid-after-adding-namespaces")
EXAMPLES = [*WITHOUT_NAMESPACES, *wco.examples("valid:notif")]
each_example = pytest.mark.parametrize("example", EXAMPLES)


@each_example
def test_every_value_is_carried_or_named(example: Path, figure: Figure) -> None:
    found = wco.accounted(FORMAT, example)
    figure("values carried", found.carried, found.total)
    assert found.total == wco.count(wco.document(example))
    assert set() == found.unnamed
    assert found.carried >= 0.95 * found.total, difference(found)


@each_example
def test_what_is_written_satisfies_the_published_schema(example: Path) -> None:
    schema = wco.response_schema()
    written = etree.fromstring(wco.accounted(FORMAT, example).written)
    assert schema.validate(written), schema.error_log


@each_example
def test_the_generated_schema_accepts_what_is_published(example: Path, figure: Figure) -> None:
    schema = wco.generated_schema(LAYOUT)
    accepted = schema.validate(etree.fromstring(wco.document(example)))
    figure("accepted by the generated schema", int(accepted), 1)
    assert accepted, schema.error_log


@each_example
def test_the_function_of_a_response_has_a_name(example: Path) -> None:
    (message,) = decode(LAYOUT, wco.document(example)).messages
    assert isinstance(message, CustomsResponse)
    assert message.decision in set(LAYOUT.plan.tables["dms-response"].wire.values())


def test_nineteen_twentieths_of_all_values_are_carried() -> None:
    wco.response_schema()
    found = [wco.accounted(FORMAT, path) for path in wco.paths(EXAMPLES)]
    carried, total = sum(one.carried for one in found), sum(one.total for one in found)
    assert 5_000 < total
    assert carried >= 0.95 * total


@pytest.mark.parametrize("full", [True, False])
def test_the_sample_of_the_layout_satisfies_the_published_schema(full: bool) -> None:
    schema = wco.response_schema()
    sample = LAYOUT.sample(full=full)
    content = encode(LAYOUT, sample)
    assert schema.validate(etree.fromstring(content)), schema.error_log
    assert sample == decode(LAYOUT, content)


def test_pointers_of_responses_become_paths_and_come_back(figure: Figure) -> None:
    wco.response_schema()
    assert wco.pointers_that_become_paths(LAYOUT, EXAMPLES, figure) >= 0.9
