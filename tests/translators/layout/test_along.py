"""Where a path stands is found along it, and is what a reading of the whole message finds."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from tests.strategies import tried
from tests.translators.layout.constructs import LAYOUTS as CONSTRUCTS
from tests.translators.layout.drawn import documents
from tests.translators.layout.layouts import compiled
from translators.layout import LayoutTranslator, packaged, packaged_ids
from translators.layout.along import Along
from translators.layout.findings import Findings
from translators.layout.plan import Plan
from translators.layout.records import Record
from translators.layout.reference import ReferenceReader
from translators.layout.rows import choose_row
from translators.translator import Entry, encode
from translators.xml import Node

XML = [name for name in packaged_ids() if packaged(name).plan.syntax == "xml"]
PACKAGED = {name: packaged(name) for name in XML}
LAYOUTS = PACKAGED | {
    name: layout
    for name, layout in ((name, compiled(text)) for name, text in CONSTRUCTS.items())
    if layout.plan.shared is None
}
"""But those of which messages are read with what is said once for all: they are read wholly."""
PARSER = etree.XMLParser(remove_comments=True)


def messages_in(plan: Plan, content: bytes) -> list[Node]:
    """The elements of a document's messages."""
    root = etree.fromstring(content, PARSER)
    if not plan.chain:
        return [root]
    return root.findall("/".join(element.tag for element in plan.chain))


def found(plan: Plan, node: Node, along: str | None) -> Findings:
    """What reading one message finds, all of it or along one pointer."""
    findings = Findings(plan)
    row = choose_row(plan.messages, node)
    if row is None:
        return findings
    way = None if along is None else Along(along)
    reader = ReferenceReader(plan, Record({}), findings, along=way)
    reader.message(row.content, node, Record({}, "", None, 1), "/item")
    return findings


def pointers(whole: Findings) -> list[str]:
    """All that stands somewhere, and what does not: beside it, below it, at the top."""
    known = sorted(whole.places)
    beside = {f"{pointer.rpartition('/')[0]}/country" for pointer in known}
    return sorted({*known, *beside, *(f"{one}/0/x" for one in known), "/destination_country"})


def assert_same(plan: Plan, content: bytes, *, most: int = 10_000) -> None:
    for node in messages_in(plan, content)[:2]:
        whole = found(plan, node, None)
        every = pointers(whole)
        for pointer in every[:: 1 + len(every) // most]:
            assert (pointer, whole.locate(pointer)) == (
                pointer,
                found(plan, node, pointer).locate(pointer),
            )


@pytest.mark.parametrize("name", XML)
def test_every_path_of_a_sample_is_found_along_it(name: str) -> None:
    layout = LAYOUTS[name]

    assert_same(layout.plan, encode(layout, layout.sample()), most=150)


@given(data=st.data())
@tried(6)
@pytest.mark.parametrize("name", sorted(LAYOUTS))
def test_every_path_of_any_document_is_found_along_it(name: str, data: st.DataObject) -> None:
    layout = LAYOUTS[name]

    assert_same(layout.plan, data.draw(documents(layout)), most=40)


def test_what_is_not_on_the_way_is_passed_by() -> None:
    layout = LAYOUTS["upu.itmatt.1"]
    node = messages_in(layout.plan, encode(layout, layout.sample()))[0]
    along = found(layout.plan, node, "/pieces/0/description")

    assert {"", "/pieces/0", "/pieces/0/description"} <= set(along.places)
    assert not [one for one in along.places if one.startswith(("/sender", "/addressee"))]
    assert not [one for one in along.places if one.startswith("/pieces/0/amount")]


def test_a_message_says_where_its_paths_stand() -> None:
    layout: LayoutTranslator = LAYOUTS["upu.itmatt.1"]
    content = encode(layout, layout.sample())
    entry = next(
        reading for reading in layout.read(io.BytesIO(content)) if isinstance(reading, Entry)
    )
    assert entry.locate is not None

    assert ("/itmatt/item[1]/content-piece[1]/description", 2) == entry.locate(
        "/pieces/0/description"
    )
