"""What layouts cost, as ratios to bare baselines of the same run: `python -m bench.layouts`.

Goals 1 and 3. Baselines: lxml's parse of the same bytes; a reader written by hand for the same
document, which detects nothing; ``lxml.builder``. Microseconds of CPU for one message.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Any, Final

from lxml import etree

from bench.itmatt import OPTIONS, Builder, Reader, items
from bench.results import Goal, goal_of
from bench.timing import least
from translators.canonical import Interchange, Message
from translators.faults import Note
from translators.layout import LayoutTranslator, packaged
from translators.layout.documents import DocumentWriter, Writers
from translators.layout.reading import DocumentReader
from translators.translator import Entry, encode
from translators.xml import Limits, Node

ITEMS: Final = 100
OTHERS: Final = ("gb.dms.declaration.2", "eu.ics2.f43.2")
BY_HAND, OF_PARSE, WITH_SCHEMA, BUILDER = 0.85, 0.22, 0.18, 5.0
ALL_DETECTED: Final = "the generated reader accounts for every element and attribute"


def by_reference(layout: LayoutTranslator, content: bytes) -> list[Any]:
    """What the reference reader makes of a document."""
    return list(DocumentReader(layout.plan, None, Limits()).read(io.BytesIO(content)))


def written_by_reference(
    layout: LayoutTranslator, writers: Writers, interchange: Interchange
) -> bytes:
    """What the reference writer makes of an interchange."""
    writer = DocumentWriter(layout.plan, writers, interchange.header, None)
    return b"".join(writer.write(interchange.messages))


def messages_of(layout: LayoutTranslator, content: bytes) -> Iterable[Message]:
    """The messages of a document, one by one."""
    for reading in layout.read(io.BytesIO(content)):
        if isinstance(reading, Entry) and reading.message is not None:
            yield reading.message


def tell(name: str, cost: float, base: float, what: str) -> None:
    """Print a line: microseconds, and how fast that is measured by a baseline."""
    print(f"  {name:<34} {cost:8.1f} µs   {base / cost:7.1%} of {what}")


def parsed(content: bytes) -> Node:
    """A bare parse, hardened as ours is."""
    return etree.fromstring(content, etree.XMLParser(**OPTIONS))


def compare(layout: LayoutTranslator, interchange: Interchange, *, rounds: int) -> None:
    """Print how a layout reads and writes, beside its reference."""
    content = encode(layout, interchange)
    count = len(interchange.messages)
    print(f"{layout.id}: {count} messages, {len(content) // count} bytes each")
    bare, read = least(
        count,
        lambda: parsed(content),
        lambda: list(layout.read(io.BytesIO(content))),
        rounds=rounds,
    )
    tell("bare parse", bare, bare, "itself")
    tell("generated reader", read, bare, "bare parse")
    notes: list[Note] = []
    writers = Writers(layout.plan)
    writers.fast = {}
    slow, written, reported, slowly = least(
        count,
        lambda: by_reference(layout, content),
        lambda: encode(layout, interchange),
        lambda: encode(layout, interchange, notes.append),
        lambda: written_by_reference(layout, writers, interchange),
        rounds=max(1, rounds // 8),
    )
    tell("reference reader", slow, read, "the generated reader")
    tell("generated writer", written, bare, "bare parse")
    tell("generated writer with a report", reported, written, "the generated writer")
    tell("reference writer", slowly, written, "the generated writer")


def reading(layout: LayoutTranslator, interchange: Interchange, *, rounds: int) -> Iterator[Goal]:
    """Goal 1: the generated reader beside the one by hand, the parse, and with the XSD."""
    content, hand = encode(layout, interchange), Reader()
    assert hand.document(content)[0] == next(iter(messages_of(layout, content)))
    tree = parsed(content)
    schema = etree.XMLSchema(etree.fromstring(layout.schema()[f"{layout.id}.xsd"]))
    assert schema.validate(tree)
    bare, read, by_hand, validated = least(
        len(interchange.messages),
        lambda: parsed(content),
        lambda: list(layout.read(io.BytesIO(content))),
        lambda: hand.document(content),
        lambda: schema.validate(tree),
        rounds=rounds,
    )
    tell("reader written by hand", by_hand, bare, "bare parse")
    tell("generated reader", read, by_hand, "the reader written by hand")
    tell("generated reader and XSD", read + validated, bare, "bare parse")
    for what, base, figure, bar, said in (
        ("by hand", by_hand, read, BY_HAND, "a reader written by hand that detects nothing"),
        ("bare parse", bare, read, OF_PARSE, "lxml.etree.fromstring, hardened"),
        ("with the XSD", bare, read + validated, WITH_SCHEMA, "lxml.etree.fromstring, hardened"),
    ):
        detail = "and libxml2's validation by the XSD of the layout" * (what == "with the XSD")
        yield goal_of(
            f"1 XML to canonical, {what}",
            baseline=base,
            figure=figure,
            ratio=base / figure,
            at_least=bar,
            unit="µs an item",
            what=f"{said}; {ALL_DETECTED} {detail}".strip(),
        )


def writing(layout: LayoutTranslator, interchange: Interchange, *, rounds: int) -> Iterator[Goal]:
    """Goal 3: the generated writer beside lxml's builder, which writes the same document."""
    builder = Builder()
    same = builder.document(interchange), encode(layout, interchange)
    assert etree.canonicalize(same[0].decode(), strip_text=True) == etree.canonicalize(
        same[1].decode(), strip_text=True
    )
    built, written = least(
        len(interchange.messages),
        lambda: builder.document(interchange),
        lambda: encode(layout, interchange),
        rounds=rounds,
    )
    tell("lxml's builder by hand", built, built, "itself")
    tell("generated writer", written, built, "lxml's builder")
    yield goal_of(
        "3 canonical to XML",
        baseline=built,
        figure=written,
        ratio=built / written,
        at_least=BUILDER,
        unit="µs an item",
        what="the same document by lxml.builder; the generated writer",
    )


def measure(*, quick: bool) -> Iterator[Goal]:
    """Goals 1 and 3; unless it is quick, other layouts are printed too."""
    layout, many, rounds = packaged("upu.itmatt.1"), items(ITEMS), 8 if quick else 60
    compare(layout, many, rounds=rounds)
    yield from reading(layout, many, rounds=rounds)
    yield from writing(layout, many, rounds=rounds)
    if not quick:
        for name in OTHERS:
            compare(packaged(name), packaged(name).sample(), rounds=40)


def main() -> None:
    """Print every figure."""
    for _ in measure(quick=False):
        continue


if __name__ == "__main__":
    main()
