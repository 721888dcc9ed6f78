"""Laws of every registered format and every kind of message that it carries.

A format that is added to the registry is held to them without a line here.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.formats import every_format
from tests.strategies import tried
from tests.variations import expressible
from translators.canonical import Header, Interchange, Message
from translators.faults import Note, NoteKind
from translators.layout import LayoutTranslator, leaves, without
from translators.translator import Entry, Translator, decode, encode

pytestmark = pytest.mark.fuzz

CASES = [(each, kind) for each in every_format() for kind in sorted(each.kinds)]
each_kind = pytest.mark.parametrize(
    ("translator", "kind"), [pytest.param(*case, id=f"{case[0].id}-{case[1]}") for case in CASES]
)
some = tried(10)


def read(translator: Translator, content: bytes) -> tuple[Header, list[Entry]]:
    """Header and entries of a document that has no fault."""
    header, entries = Header(), []
    for reading in translator.read(io.BytesIO(content), explain=True):
        if isinstance(reading, Header):
            header = reading
        else:
            assert isinstance(reading, Entry), reading
            assert [] == [fault for fault in reading.faults if fault.refuses]
            entries.append(reading)
    return header, entries


def of(kind: NoteKind, notes: Iterable[Note]) -> set[str]:
    return {note.path for note in notes if note.kind is kind}


def carried(entry: Entry, notes: list[Note], wanted: dict[str, Any]) -> dict[str, Any]:
    """What a reader found, without what reader or writer say they filled in themselves; with what
    they filled a value in from, such as a name made of its parts."""
    filled = of(NoteKind.DEFAULTED, notes) | of(NoteKind.DEFAULTED, entry.notes)
    found = dict(leaves(entry.message))
    made = {(_above(path), str(found.get(path))) for path in filled}
    parts = {
        path: value
        for path, value in wanted.items()
        if path not in found and any(_above(path) == a and value in text for a, text in made)
    }
    return parts | {path: value for path, value in found.items() if path not in filled}


def _above(path: str) -> str:
    return path.rpartition("/")[0]


def expected(message: Message, notes: list[Note], entry: Entry) -> dict[str, Any]:
    """What must come back: all but what was named, texts without the space around them.

    What a reader says it filled in from another value is not held to what stood there.
    """
    dropped, filled = of(NoteKind.DROPPED, notes), of(NoteKind.DEFAULTED, entry.notes)
    kept = without(message, dropped - filled)
    told = of(NoteKind.MAPPED, notes)
    return {
        path: value.strip() if isinstance(value, str) and path in told else value
        for path, value in leaves(kept)
        if path not in filled
    }


@each_kind
@some
@given(data=st.data())
def test_what_comes_back_is_what_was_written_without_what_was_reported(
    translator: Translator, kind: str, data: st.DataObject
) -> None:
    interchange = data.draw(expressible(translator, kind))
    notes: list[Note] = []
    content = encode(translator, interchange, notes.append)

    _, entries = read(translator, content)

    assert len(interchange.messages) == len(entries)
    for ordinal, (before, entry) in enumerate(zip(interchange.messages, entries, strict=True), 1):
        mine = [note for note in notes if note.ordinal == ordinal]
        wanted = expected(before, mine, entry)
        assert wanted == carried(entry, mine, wanted)


@each_kind
@some
@given(data=st.data())
def test_only_what_the_format_drops_is_reported_as_dropped(
    translator: Translator, kind: str, data: st.DataObject
) -> None:
    interchange = data.draw(expressible(translator, kind))
    notes: list[Note] = []
    encode(translator, interchange, notes.append)

    # With lines for single entries of lists and the like, what is lost depends on the message.
    partial = isinstance(translator, LayoutTranslator) and not translator.plan.exact_drops
    bound = [path.split("/") for path in translator.drops.get(kind, ())]
    for note in notes:
        if note.kind is NoteKind.DROPPED and note.ordinal is not None:
            below = any(_begins(note.path.split("/"), path) for path in bound)
            assert below or (partial and note.detail), note


def _begins(path: list[str], start: list[str]) -> bool:
    return len(path) >= len(start) and all(
        step in ("*", own) for own, step in zip(path, start, strict=False)
    )


@each_kind
@some
@given(data=st.data())
def test_a_report_changes_no_byte_and_what_was_read_is_written_without_loss(
    translator: Translator, kind: str, data: st.DataObject
) -> None:
    interchange = data.draw(expressible(translator, kind))
    content = encode(translator, interchange, lambda _: None)
    assert encode(translator, interchange) == content

    header, entries = read(translator, content)
    again = Interchange(header=header, messages=tuple(map(message_in, entries)))
    notes: list[Note] = []
    assert decode(translator, encode(translator, again, notes.append)) == again
    assert of(NoteKind.DROPPED, notes) == set()


def message_in(entry: Entry) -> Message:
    assert entry.message is not None
    return entry.message
