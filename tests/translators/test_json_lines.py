"""``luxor.json.1`` line by line."""

from __future__ import annotations

import io
import json as reference
from typing import Any

import pytest
from hypothesis import given

from tests.translators.json_readings import FORMAT, aeo, read, summary
from tests.translators.strategies_model import interchanges
from translators.canonical import Header, Interchange
from translators.exchange import lines as line_form
from translators.exchange.json_exchange import JsonExchange
from translators.translator import Entry, decode, encode

LINES = JsonExchange(lines=True)


@given(interchanges())
def test_lines_come_back_as_they_were(interchange: Interchange) -> None:
    content = encode(LINES, interchange)
    assert encode(LINES, decode(FORMAT, content)) == content


def ndjson(*values: Any) -> bytes:
    return b"".join(
        (value if isinstance(value, bytes) else reference.dumps(value).encode()) + b"\n"
        for value in values
    )


def test_lines_have_an_optional_header() -> None:
    told = summary(read(ndjson({"interchange": {"sender": "A"}}, aeo(), aeo(number="T2"))))
    assert told == [Header(sender="A"), (1, "T1"), (2, "T2")]
    assert summary(read(ndjson(aeo(), aeo(number="T2")))) == [(1, "T1"), (2, "T2")]


def test_a_line_that_is_not_json_refuses_itself_alone() -> None:
    told = read(ndjson(aeo(), b'{"type":"AeoSta', b'{"a":"\xff"}', b"", aeo(number="T2")))
    assert summary(told) == [
        (1, "T1"),
        (2, None, ["json.malformed "]),
        (3, None, ["json.encoding "]),
        (4, "T2"),
    ]
    assert [fault.line for e in told if isinstance(e, Entry) for fault in e.faults] == [2, 3]


def test_a_bad_first_line_refuses_itself_alone() -> None:
    told = summary(read(ndjson(b'{"type":"AeoStatus"', aeo())))
    assert told == [(1, None, ["json.malformed "]), (2, "T1")]


def test_a_fault_in_a_line_has_its_line() -> None:
    readings = read(ndjson(aeo(), b"", aeo(holder="")))
    assert [(f.path, f.line) for e in readings if isinstance(e, Entry) for f in e.faults] == [
        ("/holder", 3)
    ]


def test_a_bad_header_line_refuses_all() -> None:
    assert summary(read(ndjson({"interchange": {"sender": ""}}, aeo()))) == ["value.too-short"]


def test_a_header_line_stands_first_or_nowhere() -> None:
    told = summary(read(ndjson(aeo(), {"interchange": {}})))
    assert told == [(1, "T1"), (2, None, ["value.missing /type"])]


def test_a_byte_order_mark_before_lines_is_refused() -> None:
    assert summary(read(b"\xef\xbb\xbf" + ndjson(aeo(), aeo()))) == ["json.encoding"]
    assert summary(read(ndjson(aeo(), aeo()).decode().encode("utf-16"))) == ["json.encoding"]


def test_a_line_beyond_the_bound_refuses_itself_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_form, "MAX_LINE", 300)
    told = summary(read(ndjson(aeo(), aeo(holder="x" * 1000), aeo(number="T3"))))
    assert told == [(1, "T1"), (2, None, ["message.too-large "]), (3, "T3")]


def test_lines_are_read_one_by_one() -> None:
    class Source(io.BytesIO):
        taken = 0

        def readline(self, size: int | None = -1) -> bytes:
            self.taken += 1
            return super().readline(size)

    source = Source(ndjson(*[aeo()] * 100))
    readings = FORMAT.read(source)
    next(readings)
    assert source.taken == 2
