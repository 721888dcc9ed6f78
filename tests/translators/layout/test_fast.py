"""Generated readers and writers do what the reference does, for every construct of layouts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from tests.translators.layout import constructs
from tests.translators.layout.drawn import changed, documents
from tests.translators.layout.layouts import (
    by_reference,
    compiled,
    read,
    written_by_reference,
)
from tests.translators.layout.test_properties import mutated
from translators.canonical import Header, Interchange
from translators.faults import Note, TranslationError
from translators.layout import LayoutTranslator, packaged, packaged_ids
from translators.layout.fast import Fast
from translators.layout.fastforms import separable
from translators.layout.fastwrite import fast_writers
from translators.layout.findings import Findings
from translators.layout.records import Record
from translators.layout.reference import ReferenceReader
from translators.layout.rows import choose_row
from translators.translator import Entry, encode

LAYOUTS = {name: compiled(text) for name, text in constructs.LAYOUTS.items()}
PACKAGED = [packaged(name) for name in ("upu.itmatt.1", "upu.cusrsp.1", "gb.dms.response.2")]
each_layout = pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
some = settings(max_examples=25, suppress_health_check=list(HealthCheck), deadline=None)


@each_layout
@some
@given(data=st.data())
def test_both_readers_read_alike(layout: LayoutTranslator, data: st.DataObject) -> None:
    content = data.draw(documents(layout))
    assert read(layout, content) == by_reference(layout, content)


@each_layout
@some
@given(data=st.data())
def test_both_readers_agree_on_what_is_wrong(layout: LayoutTranslator, data: st.DataObject) -> None:
    content = mutated(data, data.draw(documents(layout)))
    assert read(layout, content) == by_reference(layout, content)


@each_layout
@some
@given(data=st.data())
def test_both_writers_write_alike_and_what_they_write_is_read_alike(
    layout: LayoutTranslator, data: st.DataObject
) -> None:
    readings = by_reference(layout, data.draw(documents(layout)))
    header = next((one for one in readings if isinstance(one, Header)), Header())
    messages = tuple(
        data.draw(changed(one.message))
        for one in readings
        if isinstance(one, Entry) and one.message is not None
    )
    interchange = Interchange(header=header, messages=messages)
    content = written(lambda: encode(layout, interchange))
    assert content == written(lambda: written_by_reference(layout, interchange))
    if isinstance(content, bytes):
        # In what is written all that is derived is right.
        assert read(layout, content) == by_reference(layout, content)


@pytest.mark.parametrize("layout", [*LAYOUTS.values(), *PACKAGED], ids=lambda one: str(one.id))
@some
@given(data=st.data())
def test_both_writers_report_alike(layout: LayoutTranslator, data: st.DataObject) -> None:
    readings = by_reference(layout, data.draw(documents(layout)))
    messages = tuple(one.message for one in readings if isinstance(one, Entry) and one.message)
    interchange = Interchange(messages=messages)
    quick: list[Note] = []
    slow: list[Note] = []
    content = written(lambda: encode(layout, interchange, quick.append))
    assert content == written(lambda: written_by_reference(layout, interchange, slow.append))
    if isinstance(content, bytes):
        assert quick == slow


@each_layout
@some
@given(data=st.data())
def test_every_value_is_carried_reported_or_faulty(
    layout: LayoutTranslator, data: st.DataObject
) -> None:
    content = mutated(data, data.draw(documents(layout)))
    root = etree.fromstring(content, etree.XMLParser(remove_blank_text=True, remove_comments=True))
    chain = [str(element.tag) for element in layout.plan.chain]
    for node in root.iterchildren(chain[-1]) if chain else [root]:
        row = choose_row(layout.plan.messages, node)
        if row is None:
            continue
        findings = Findings(layout.plan)
        reader = ReferenceReader(layout.plan, Record({}, "/header"), findings)
        reader.message(row.content, node, Record({}), "")
        texts: Any = node.xpath("count(descendant::text()[normalize-space()])")
        attributes: Any = node.xpath("count(descendant-or-self::*/@*)")
        assert findings.values == texts + attributes


@pytest.mark.parametrize("name", packaged_ids())
def test_the_full_sample_of_a_packaged_layout_needs_no_reference(name: str) -> None:
    layout = packaged(name)
    for plan, interchange in zip(layout.plans, layout.samples(), strict=True):
        parser = etree.XMLParser(remove_blank_text=True)
        root = etree.fromstring(encode(layout, interchange), parser)
        nodes = [root]
        for element in plan.chain:
            nodes = [one for node in nodes for one in node.iterchildren(element.tag)]
        readers, writers = Fast(plan).readers, fast_writers(plan)
        for ordinal, (node, message) in enumerate(
            zip(nodes, interchange.messages, strict=True), start=1
        ):
            row = choose_row(plan.messages, node)
            assert row is not None
            readers[row.group].one(node, position=ordinal)
            written = writers[row.group].write(message, interchange.header, ordinal)
            assert written.startswith(f"<{plan.name(str(node.tag))}")


@pytest.mark.parametrize("pattern", [r"[0-9]{1,16}(\.[0-9]{1,6})?", "[A-Z]{2}", "Y|N", "[a-z.-]+"])
def test_texts_of_plain_patterns_are_matched_together(pattern: str) -> None:
    assert separable(pattern)


@pytest.mark.parametrize("pattern", [r"[^\n\r]{1,70}", ".+", r"\S+( \S+)*", r"[\w]+", "a.b"])
def test_what_could_match_the_mark_between_texts_is_matched_text_by_text(pattern: str) -> None:
    assert not separable(pattern)


def written(write: Callable[[], bytes]) -> bytes | set[tuple[str, str]]:
    """The document, or what is wrong."""
    try:
        return write()
    except TranslationError as error:
        return {(fault.code, fault.path) for fault in error.faults}
