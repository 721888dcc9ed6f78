"""Every packaged layout: what generated code reads and writes is what the reference does, of good
documents, of changed ones, and of what only a hostile sender writes."""

from __future__ import annotations

import copy
import io
import os
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from lxml import etree

from tests.mutations import mutants
from tests.translators.layout.layouts import plain
from translators import xml
from translators.canonical import Header, Interchange, Message
from translators.faults import Note, TranslationError
from translators.layout import LayoutTranslator, packaged, packaged_ids
from translators.layout.documents import Writers
from translators.translator import Entry, Reading, encode
from translators.xml import Node

pytestmark = pytest.mark.fuzz
each_layout = pytest.mark.parametrize("name", packaged_ids())
TIMES = int(os.environ.get("LUXOR_FUZZ") or 1)
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
TEXTS = (
    "0", "-1", "-0", "0.000000", "5.", "1e3", "+1", "99999999999999.999999", "1_000", "NaN",
    "null", "NULL", "None", "true", "XXX", "01", "1", "accepted", "parcels", "N750", "TSP", "FR5",
    "20261121", "20261121093060Z", "20261121093000-15", "20261121093000+00", "2026-11-21T24:00:00Z",
    "2026-11-21T09:30:60Z", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00",
    "\u0661\u0662",
)  # fmt: skip


def reference(layout: LayoutTranslator) -> LayoutTranslator:
    """The same layout without generated code."""
    made = LayoutTranslator(layout.plans, pointers=layout.pointers)
    for document in made._documents:
        writers = Writers(document.plan)
        writers.fast = {}
        document.__dict__.update(fast=None, writers=writers)
    return made


def readings(layout: LayoutTranslator, content: bytes, *, explain: bool = False) -> list[Reading]:
    return [plain(one) for one in layout.read(io.BytesIO(content), explain=explain)]


def understood(found: list[Reading]) -> list[Header | Message | None]:
    """The header and the messages alone."""
    kept = [one for one in found if isinstance(one, Header | Entry)]
    return [one if isinstance(one, Header) else one.message for one in kept]


def written(layout: LayoutTranslator, interchange: Interchange) -> Any:
    """The document and the notes about it, or what is wrong."""
    notes: list[Note] = []
    try:
        return encode(layout, interchange, notes.append), notes
    except TranslationError as error:
        return {(fault.code, fault.path) for fault in error.faults}


def interchange_of(found: list[Reading]) -> Interchange:
    header = next((one for one in found if isinstance(one, Header)), Header())
    messages = [one.message for one in found if isinstance(one, Entry) and one.message is not None]
    return Interchange(header=header, messages=tuple(messages))


def documents(layout: LayoutTranslator) -> list[bytes]:
    """The samples as they are written, full and with little."""
    return [
        encode(layout, sample) for full in (True, False) for sample in layout.samples(full=full)
    ]


def held(layout: LayoutTranslator, slow: LayoutTranslator, content: bytes) -> None:
    """Both readers and both writers do the same; explaining changes no message."""
    found = readings(layout, content)
    assert readings(slow, content) == found, content.decode()
    assert understood(readings(slow, content, explain=True)) == understood(found)
    interchange = interchange_of(found)
    assert written(slow, interchange) == written(layout, interchange)


@each_layout
def test_both_do_the_same_with_changed_documents(name: str) -> None:
    layout, random = packaged(name), Random(name)
    slow, good = reference(layout), documents(layout)
    for content in good:
        held(layout, slow, content)
        for _, changed in mutants(content, random, max(4, 30 // len(good)) * TIMES):
            held(layout, slow, changed)


@each_layout
def test_both_do_the_same_with_hostile_documents(name: str) -> None:
    layout, random = packaged(name), Random(name)
    slow, good = reference(layout), documents(layout)
    for content in good:
        held(layout, slow, content.replace(b"><", b">\n  <"))
        for change in HOSTILE:
            for _ in range(max(1, 4 // len(good)) * TIMES):
                root = etree.fromstring(content)
                change(random, root)
                held(layout, slow, etree.tostring(root, encoding="UTF-8", xml_declaration=True))


@each_layout
def test_in_pieces_the_same_is_read_as_in_one(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    layout, random = packaged(name), Random(name)
    changed = [
        one
        for content in documents(layout)
        for _, one in [("", content), *mutants(content, random, 8 * TIMES)]
    ]
    whole = [readings(layout, one) for one in changed]
    monkeypatch.setattr(xml, "TREE_LIMIT", 400)
    for content, expected in zip(changed, whole, strict=True):
        assert expected == readings(layout, content), content.decode()


def _value(change: Callable[[Random, Node, str], None]) -> Callable[[Random, Node], None]:
    """Changes one of the elements that have a text."""

    def apply(random: Random, root: Node) -> None:
        node = random.choice([one for one in root.iter("*") if len(one) == 0 and one.text])
        change(random, node, node.text or "")

    return apply


def _any(change: Callable[[Random, Node], None]) -> Callable[[Random, Node], None]:
    """Changes an element below the root."""

    def apply(random: Random, root: Node) -> None:
        change(random, random.choice([one for one in root.iter("*") if one is not root]))

    return apply


def _within(made: Callable[[], Node]) -> Callable[[Random, Node, str], None]:
    """Puts something that is no content into a value."""

    def change(_: Random, node: Node, text: str) -> None:
        one = made()
        node.insert(0, one)
        node.text, one.tail = text[:1], text[1:]

    return change


def _blank(random: Random, node: Node, _: str) -> None:
    node.text = random.choice([" ", "\n\t", "\u00a0", "\u3000"])


def _padded(random: Random, node: Node, text: str) -> None:
    node.text = random.choice(["\n{}\n", "\t{} ", "\u00a0{}", "{}\u3000", "\x85{}"]).format(text)


def _broken(random: Random, node: Node, text: str) -> None:
    node.text = text[:1] + random.choice("\n\t\r \u2028") + text[1:]


def _text(random: Random, node: Node, _: str) -> None:
    node.text = random.choice(TEXTS)


def _long(random: Random, node: Node) -> None:
    if random.random() < 0.5:
        node.text = "é" * 70_000
    else:
        node.set(
            random.choice(["x", "formatCode", "unitCode", "currencyID", "value"]), "x" * 65_000
        )


def _attribute(random: Random, root: Node) -> None:
    node = random.choice([one for one in root.iter("*") if one.attrib] or [root])
    node.set(random.choice(sorted(map(str, node.attrib)) or ["x"]), random.choice(TEXTS))


def _typed(random: Random, node: Node) -> None:
    name = random.choice(["nil", "type", "schemaLocation", "noNamespaceSchemaLocation"])
    node.set(f"{XSI}{name}", "true")
    if name == "nil" and random.random() < 0.5:
        node.text = None


def _foreign(random: Random, node: Node) -> None:
    name = etree.QName(node).localname
    node.tag = random.choice([name, f"{{urn:other}}{name}"])


def _many(random: Random, node: Node) -> None:
    above = node.getparent()
    if above is not None:
        for _ in range(random.choice([1, 2, 20])):
            above.append(copy.deepcopy(node))


HOSTILE: tuple[Callable[[Random, Node], None], ...] = (
    _value(_within(lambda: etree.Comment("x"))),
    _value(_within(lambda: etree.ProcessingInstruction("x", "y"))),
    _value(_blank), _value(_padded), _value(_broken), _value(_text), _attribute,
    _any(_long), _any(_typed), _any(_foreign), _any(_many),
)  # fmt: skip
