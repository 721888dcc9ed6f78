"""Laws that every packaged layout keeps, and that both readers and both writers keep together."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from tests.strategies import interchanges, refused, wire_documents
from tests.translators.layout.layouts import by_reference, read
from translators.faults import Note, NoteKind
from translators.layout import LayoutTranslator, leaves, packaged, packaged_ids, without
from translators.layout.fast import COUNT, Fast, Unusual
from translators.layout.findings import Findings
from translators.layout.records import Record
from translators.layout.reference import ReferenceReader
from translators.layout.writing import ReferenceWriter, wrapped
from translators.translator import decode, encode
from translators.xml import Node

LAYOUTS = [one for one in map(packaged, packaged_ids()) if one.plan.refuse]
"""Those that refuse what their schema refuses; ``test_laws`` holds all formats to its laws."""
each_layout = pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: str(layout.id))
some = settings(max_examples=20, suppress_health_check=list(HealthCheck), deadline=None)


@each_layout
@some
@given(data=st.data())
def test_what_is_written_reads_back_equal_but_for_what_was_reported(
    layout: LayoutTranslator, data: st.DataObject
) -> None:
    interchange = data.draw(interchanges(layout))
    notes: list[Note] = []
    content = encode(layout, interchange, notes.append)
    lost: dict[int | None, list[str]] = {}
    for note in notes:
        if note.kind is NoteKind.DROPPED:
            lost.setdefault(note.ordinal, []).append(note.path)
    found = decode(layout, content).messages
    for ordinal, (before, after) in enumerate(
        zip(interchange.messages, found, strict=True), start=1
    ):
        assert after == without(before, layout.drops[type(before).__name__])
        # What says nothing, such as an empty party, is lost without a word.
        reported = without(before, lost.get(ordinal, ()))
        assert dict(leaves(after)) == dict(leaves(reported))


@each_layout
@some
@given(data=st.data())
def test_what_the_schema_allows_is_read_by_the_fast_reader_and_the_reference_alike(
    layout: LayoutTranslator, data: st.DataObject
) -> None:
    content = data.draw(wire_documents(layout))
    assert schema_of(layout).validate(etree.fromstring(content))
    found = read(layout, content)
    assert found == by_reference(layout, content)
    assert not [fault for entry in found[1:] for fault in entry.faults]


@each_layout
@some
@given(data=st.data())
def test_both_writers_give_the_same_bytes(layout: LayoutTranslator, data: st.DataObject) -> None:
    interchange = data.draw(interchanges(layout))
    (row,) = layout.plan.messages.rows
    shown = layout.plan.chain[-1].shown
    written = encode(layout, interchange).decode()
    for message in interchange.messages:
        writer = ReferenceWriter(layout.plan, interchange.header)
        assert wrapped(shown, writer.message(row.content, message, 1)) in written


@each_layout
@settings(some, max_examples=50)
@given(data=st.data())
def test_both_readers_agree_on_documents_with_something_wrong(
    layout: LayoutTranslator, data: st.DataObject
) -> None:
    content = mutated(data, data.draw(wire_documents(layout)))
    assert read(layout, content) == by_reference(layout, content)


@each_layout
@settings(some, max_examples=50)
@given(data=st.data())
def test_what_the_schema_refuses_is_refused(layout: LayoutTranslator, data: st.DataObject) -> None:
    content = mutated(data, data.draw(wire_documents(layout)))
    if not schema_of(layout).validate(etree.fromstring(content)):
        assert refused(layout, content)


@each_layout
@settings(some, max_examples=30)
@given(data=st.data())
def test_every_value_is_carried_reported_or_faulty(
    layout: LayoutTranslator, data: st.DataObject
) -> None:
    content = mutated(data, data.draw(wire_documents(layout)))
    parser = etree.XMLParser(remove_blank_text=True, remove_comments=True)
    root = etree.fromstring(content, parser)
    (row,) = layout.plan.messages.rows
    for node in root.iterchildren(layout.plan.chain[-1].tag):
        findings = Findings(layout.plan)
        reader = ReferenceReader(layout.plan, Record({}, "/header"), findings)
        reader.message(row.content, node, Record({}), "")
        texts: Any = node.xpath("count(descendant::text()[normalize-space()])")
        attributes: Any = node.xpath("count(descendant-or-self::*/@*)")
        assert findings.values == texts + attributes


@each_layout
@some
@given(data=st.data())
def test_the_fast_reader_never_counts_more_than_is_there(
    layout: LayoutTranslator, data: st.DataObject
) -> None:
    content = mutated(data, data.draw(wire_documents(layout)))
    root = etree.fromstring(content, etree.XMLParser(remove_blank_text=True))
    (fast,) = Fast(layout.plan).readers.values()
    for node in root.iterchildren(layout.plan.chain[-1].tag):
        try:
            _, number = fast.read(node, fast.fresh())
        except (Unusual, KeyError, AttributeError, TypeError):
            continue
        there: Any = COUNT(node)
        assert number <= there


def schema_of(layout: LayoutTranslator) -> etree.XMLSchema:
    (schema,) = layout.schema().values()
    return etree.XMLSchema(etree.fromstring(schema))


def mutated(data: st.DataObject, content: bytes) -> bytes:
    """The document with up to two things changed somewhere in its messages."""
    root = etree.fromstring(content)
    for _ in range(data.draw(st.integers(1, 2))):
        nodes = [node for node in root.iter("*") if node is not root]
        node = data.draw(st.sampled_from(nodes))
        data.draw(st.sampled_from(MUTATIONS))(data, node)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _remove(_: st.DataObject, node: Node) -> None:
    parent = node.getparent()
    if parent is not None and parent.getparent() is not None:
        parent.remove(node)


def _repeat(_: st.DataObject, node: Node) -> None:
    parent = node.getparent()
    if parent is not None:
        parent.insert(parent.index(node), etree.fromstring(etree.tostring(node, with_tail=False)))


def _swap(_: st.DataObject, node: Node) -> None:
    after = node.getnext()
    if after is not None:
        after.addnext(node)


def _rename(_: st.DataObject, node: Node) -> None:
    node.tag = f"{node.tag}x"


def _nest(_: st.DataObject, node: Node) -> None:
    etree.SubElement(node, node.tag).text = "7"


def _text(data: st.DataObject, node: Node) -> None:
    options = ["", " ", " 7 ", "null", "NaN", "-1", "1e5", "0.00001", "x" * 600, "\u00a0x", "+5"]
    node.text = data.draw(st.sampled_from(options))


def _tail(data: st.DataObject, node: Node) -> None:
    node.tail = data.draw(st.sampled_from(["stray", " \n "]))


def _attribute(data: st.DataObject, node: Node) -> None:
    node.set(data.draw(st.sampled_from(["name", "currency", "x", "type"])), "EURO")


def _comment(_: st.DataObject, node: Node) -> None:
    node.insert(0, etree.Comment(" a note "))


MUTATIONS = [_remove, _repeat, _swap, _rename, _nest, _text, _tail, _attribute, _comment]
