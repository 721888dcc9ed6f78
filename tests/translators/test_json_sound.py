"""What is read in one step is read as closely as what is explained."""

from __future__ import annotations

import io
import json as reference
import re
from typing import Any
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.translators.json_readings import FORMAT, aeo, read, summary
from tests.translators.strategies_model import interchanges
from translators import json
from translators.canonical import Interchange
from translators.exchange import document, entries, sound
from translators.translator import Entry, encode


def closely(content: bytes) -> list[Any]:
    """What reading tells when nothing is read in one step."""

    def nothing(content: bytes) -> None:
        return None

    with (
        patch.object(document, "document_of", nothing),
        patch.object(entries, "messages_of", nothing),
        patch.object(entries, "message_of", nothing),
    ):
        return told(content)


def told(content: bytes) -> list[Any]:
    """Header, messages, keys, and faults with their places."""
    return [
        (reading.ordinal, reading.message, reading.key, reading.faults)
        if isinstance(reading, Entry)
        else reading
        for reading in FORMAT.read(io.BytesIO(content))
    ]


def places(content: str) -> list[tuple[int, int]]:
    """Where in JSON a member stands: its start and its end, of those with simple values."""
    member = re.compile(r'"[a-z_]+":\s*(?:"(?:[^"\\]|\\.)*"|[0-9.]+|true|false)')
    return [found.span() for found in member.finditer(content)]


@given(interchanges(), st.data())
def test_a_document_with_one_thing_changed_is_told_as_closely(
    interchange: Interchange, data: st.DataObject
) -> None:
    content = encode(FORMAT, interchange).decode()
    found = places(content)
    if found:
        start, end = data.draw(st.sampled_from(found))
        name, _, value = content[start:end].partition(":")
        changed = data.draw(
            st.sampled_from(
                [
                    f"{name}:{value},{name}:{value}",
                    f"{name} :{value},{name}\t:\n{value}",
                    f'{name} :{value},{name}:":"',
                    f'{name}:":"',
                    f'{name}:"\\":"',
                    f'{name}:" 100e-2"',
                    f"{name}:1e0",
                    f"{name}:null",
                    f"{name}:0.10",
                    f'{name}:"0001.5000000"',
                    f'{name}:"NaN"',
                    f'{name[:-1]}\\u0061":{value}',
                    f'"{name[1:-1]}{value},{name}:{value}',
                ]
            )
        )
        content = content[:start] + changed + content[end:]
    assert closely(content.encode()) == told(content.encode())


@settings(max_examples=30)
@given(interchanges())
def test_what_was_written_by_us_is_read_in_one_step(interchange: Interchange) -> None:
    content = encode(FORMAT, interchange)
    assume(not json.has_exponent(content))  # an identifier may look like one
    found = sound.document_of(content)
    assert found is not None
    assert (found.interchange, found.messages) == (interchange.header, list(interchange.messages))


def test_explicit_nulls_are_read_in_one_step() -> None:
    assert sound.message_of(reference.dumps(aeo(valid_to=None)).encode()) is not None


_START = (
    '{"type":"TransportEvent","event_id":"E","event":"arrival",'
    '"occurred_at":"2026-11-21T09:30:00Z","office":"air"'
)


@pytest.mark.parametrize(
    "more",
    [
        ',"office":"air"}',
        ',"office" :"air"}',
        ',"office"\t:"air"}',
        ',"office"\r\n:"air"}',
        ',"\\u006fffice" : "air"}',
        ',"extra":{":":"a"},"extra" :{"":"a"}}',
        ',"extra":{"a":":"},"office" :"air"}',
        ',"extra":{"a:":"b"},"office":"air"}',
    ],
)
def test_no_spelling_of_a_name_hides_that_it_stands_twice(more: str) -> None:
    once, twice = (_START + "}").encode(), (_START + more).encode()
    assert sound.message_of(once) is not None
    msgspec.json.decode(twice)  # well-formed
    assert sound.message_of(twice) is None


@given(
    st.recursive(
        st.text('a":\\ ,{}[]', max_size=6),
        lambda e: (
            st.dictionaries(st.text('a":\\ ', max_size=4), e, max_size=4) | st.lists(e, max_size=3)
        ),
    ),
    st.booleans(),
)
def test_no_member_is_missed_by_the_upper_bound(value: Any, indented: bool) -> None:
    separators = (" ,\t", "\n :\r ") if indented else (",", ":")
    content = reference.dumps(value, separators=separators).encode()
    assert json.Skimmed(content).members_at_most() >= json.members(content)


@pytest.mark.parametrize("size", [1, 200, 100_000])
def test_messages_are_numbered_through_whatever_is_read_at_once(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(document, "AT_ONCE", 0)
    monkeypatch.setattr(entries, "AT_ONCE", size)
    messages = [aeo(number=f"T{n}") for n in range(1, 8)]
    messages[4]["holder"] = ""
    expected: list[Any] = [(n, f"T{n}") for n in range(1, 8)]
    expected[4] = (5, "T5", ["value.too-short /holder"])
    assert expected == summary(read({"messages": messages}))[1:]
    assert expected == summary(read(messages))
