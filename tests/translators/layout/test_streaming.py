"""Large documents: read and written as they go, with memory that does not grow with them."""

from __future__ import annotations

import io
import resource
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from tests.translators.layout.layouts import HEAD, compiled, read
from translators.canonical import Header, ItemDeclaration
from translators.layout import fast, packaged
from translators.translator import Entry
from translators.xml import Node

LAYOUT = packaged("upu.itmatt.1")
SAMPLE = LAYOUT.sample()
WRITTEN = b"".join(LAYOUT.write(SAMPLE.header, SAMPLE.messages[:1]))
BEFORE, ITEM, AFTER = (
    WRITTEN[: WRITTEN.index(b"<item>")],
    WRITTEN[WRITTEN.index(b"<item>") : WRITTEN.index(b"</item>") + 8],
    WRITTEN[WRITTEN.index(b"</item>") + 8 :],
)
GROWTH_KIB = 8 << 10


class LongDocument:
    """A document of any number of items that exists only while it is read."""

    def __init__(self, items: int) -> None:
        self._pieces = self._made(items)
        self._rest = b""
        self.served = 0

    def _made(self, items: int) -> Iterator[bytes]:
        yield BEFORE
        for _ in range(items // 100):
            yield ITEM * 100
        yield AFTER

    def read(self, size: int) -> bytes:
        while len(self._rest) < size and (piece := next(self._pieces, b"")):
            self._rest += piece
        found, self._rest = self._rest[:size], self._rest[size:]
        self.served += len(found)
        return found


def read_through(items: int) -> None:
    """Read a document of good items to its end."""
    source = cast("BinaryIO", LongDocument(items))
    entries = (reading for reading in LAYOUT.read(source) if isinstance(reading, Entry))
    assert sum(entry.message is not None for entry in entries) == items


def peak_growth() -> int:
    """KiB by which the peak of memory grows from a thousand items to ten thousand."""
    read_through(1000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    read_through(10_000)
    growth = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return growth >> 10 if sys.platform == "darwin" else growth


def test_memory_does_not_grow_with_the_number_of_items() -> None:
    # In a process of its own: a peak of an earlier test would hide any growth.
    code = f"from {__name__} import peak_growth; print(peak_growth())"
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root
    )
    assert int(done.stdout) < GROWTH_KIB


def test_the_header_comes_before_anything_behind_it_is_read() -> None:
    document = LongDocument(10_000)
    first = next(iter(LAYOUT.read(cast("BinaryIO", document))))
    assert isinstance(first, Header)
    assert document.served < 2 << 20


def test_items_are_handed_on_while_the_document_is_read() -> None:
    document = LongDocument(10_000)
    readings = list(islice(LAYOUT.read(cast("BinaryIO", document)), 200))
    assert all(isinstance(reading, Entry) for reading in readings[1:])
    assert document.served < 2 << 20


def test_a_document_is_written_while_its_messages_come() -> None:
    taken = 0

    def messages() -> Iterator[ItemDeclaration]:
        nonlocal taken
        for _ in range(1000):
            taken += 1
            yield cast("ItemDeclaration", SAMPLE.messages[0])

    pieces = LAYOUT.write(SAMPLE.header, messages())
    head = b"".join(islice(pieces, 3))
    assert taken == 2
    rest = b"".join(pieces)
    entries = [one for one in LAYOUT.read(io.BytesIO(head + rest)) if isinstance(one, Entry)]
    assert len(entries) == 1000
    assert {entry.message == SAMPLE.messages[0] for entry in entries} == {True}


def test_the_same_document_is_read_alike_as_a_tree_and_as_a_stream() -> None:
    bad = ITEM.replace(b"<gross-weight>", b"<gross-weight>x")
    odd = ITEM.replace(b"<item>", b"stray<item>")
    small = BEFORE + ITEM * 3 + bad + ITEM + odd + ITEM + AFTER
    large = BEFORE + ITEM * 3 + bad + ITEM + odd + ITEM * 1000 + AFTER

    def told(content: bytes) -> list[object]:
        found: list[object] = []
        for reading in LAYOUT.read(io.BytesIO(content)):
            faults = reading.faults if isinstance(reading, Entry) else ()
            found.append((type(reading).__name__, getattr(reading, "code", None), faults))
        return found

    as_tree, as_stream = told(small), told(large)
    assert as_stream[: len(as_tree)] == as_tree


WRAPPED = f"""{HEAD}
[document]
"head/ref" = "header.control_reference"
"body/@n" = "= count messages"
"body/d" = "messages *! : d"
end = "= yes"
[d]
function = "function !"
type = "type_code !"
lrn = "lrn !"
"""


@pytest.mark.parametrize("items", [10, 20_000])
def test_messages_in_wrappers_are_streamed_and_counted_at_the_end(items: int) -> None:
    layout = compiled(WRAPPED)
    one = "<d><function>F</function><type>T</type><lrn>L</lrn></d>"
    content = (
        f"<r><head><ref>R</ref></head><body n='{items}'>{one * items}</body><end>yes</end></r>"
    )
    header, *entries = read(layout, content.encode())
    assert header.control_reference == "R"
    assert [entry.ordinal for entry in entries] == list(range(1, items + 1))
    assert not [entry for entry in entries if entry.faults or entry.notes]
    wrong = content.replace(f"n='{items}'", "n='7'").replace("</r>", "<x/></r>")
    codes = [reading.code for reading in read(layout, wrong.encode()) if hasattr(reading, "code")]
    assert codes == ["element.unknown", "value.disagrees"]


@pytest.mark.parametrize("items", [10, 20_000])
def test_what_stands_between_messages_is_found_in_a_tree_and_in_a_stream(items: int) -> None:
    layout = compiled(WRAPPED)
    one = "<d><function>F</function><type>T</type><lrn>L</lrn></d>"
    content = f"<r><body>{one * items}<x/>{one}stray{one}</body><body>{one}</body></r>"
    readings = read(layout, content.encode())
    codes = [reading.code for reading in readings if hasattr(reading, "code")]
    assert codes[:2] == ["element.order", "element.text"]
    assert "element.repeated" in codes


def test_what_stands_before_the_messages_is_not_counted_with_each_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    counted = []
    total = fast.total

    def counting(nodes: list[Node]) -> tuple[int, int]:
        counted.append(len(nodes))
        return total(nodes)

    monkeypatch.setattr("translators.layout.entries.total", counting)
    unknown = b"<unknown>" + b"<a/>" * 200_000 + b"</unknown>"
    document = BEFORE + unknown + ITEM * 1000 + AFTER
    found = [one for one in LAYOUT.read(io.BytesIO(document)) if isinstance(one, Entry)]

    assert 1000 == sum(entry.message is not None for entry in found)
    assert 1 == len(counted)


@pytest.mark.parametrize("more", [b' extra="1"', b' xmlns:a="urn:a"'])
def test_an_attribute_that_nobody_asked_for_is_found_also_where_a_bound_is_enough(
    more: bytes,
) -> None:
    equals = ITEM.replace(b"<item>", b"<item" + more + b">")
    (found, other) = (
        [one for one in LAYOUT.read(io.BytesIO(document)) if isinstance(one, Entry)]
        for document in (BEFORE + ITEM + equals + AFTER, BEFORE + equals + ITEM + AFTER)
    )
    expected = ["attribute.unknown"] if b"extra" in more else []

    assert [[], expected] == [[fault.code for fault in one.faults] for one in found]
    assert [expected, []] == [[fault.code for fault in one.faults] for one in other]
