"""The strict entry of JSON."""

from __future__ import annotations

import json as reference
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from translators import json
from translators.faults import TranslationError

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text(), below, max_size=4),
    max_leaves=20,
)


def members_of(value: Any) -> int:
    if isinstance(value, dict):
        return len(value) + sum(members_of(below) for below in value.values())
    return sum(members_of(below) for below in value) if isinstance(value, list) else 0


def depth_of(value: Any) -> int:
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + max(map(depth_of, value), default=0) if isinstance(value, list) else 0


@given(VALUES, st.booleans(), st.sampled_from([None, 1]))
def test_members_are_counted_without_parsing(value: Any, escaped: bool, indent: int | None) -> None:
    text = reference.dumps(value, ensure_ascii=escaped, indent=indent)
    assert json.members(text.encode("utf-8", "surrogatepass")) == members_of(value)


@given(st.lists(st.sampled_from("[{"), max_size=60), st.sampled_from(["", "[]", '[{"a":1}]']))
def test_depth_is_told_without_parsing(openings: list[str], filler: str) -> None:
    text = ""
    for opening in openings:
        text += opening + ('"]":' if opening == "{" else (filler + "," if filler else ""))
    text += "1"
    for opening in reversed(openings):
        text += {"[": "]", "{": "}"}[opening]
    expected = depth_of(reference.loads(text)) > json.MAX_DEPTH
    assert json.is_too_deep(text.encode()) == expected


def test_brackets_that_never_close_are_too_deep() -> None:
    assert json.is_too_deep(b"[" * 100_000)
    assert json.is_too_deep(b'{"a":' * 100_000)


@pytest.mark.parametrize("content", [b"]" * 100, b"}{" * 100, b"[}" * 100])
def test_brackets_that_do_not_match_are_left_to_the_parser(content: bytes) -> None:
    with pytest.raises(TranslationError, match=r"json\.malformed"):
        json.parse(content)


def test_numbers_are_read_exactly() -> None:
    parsed = json.parse(b"[1.10, 0.1000000000000000055, 7, 1e3]")
    assert parsed.value == [Decimal("1.10"), Decimal("0.1000000000000000055"), 7, 1000.0]
    assert [type(value) for value in parsed.value] == [Decimal, Decimal, int, float]


def test_a_number_of_a_million_digits_costs_nothing() -> None:
    parsed = json.parse(b"9" * 1_000_000)
    assert isinstance(parsed.value, Decimal)


def test_names_given_twice_are_told_with_their_pointers() -> None:
    parsed = json.parse(b'{"a":1,"a":{"b/~":1,"b/~":2},"c":[{"d":1,"d":1,"d":1}]}')
    assert parsed.repeated == ("/a", "/a/b~1~0", "/c/0/d")


def test_a_hundred_thousand_names_given_twice_cost_little() -> None:
    pairs = ",".join(f'"{n}":0' for n in range(100_000))
    assert len(json.parse(f"{{{pairs},{pairs}}}".encode()).repeated) == 100_000


@pytest.mark.parametrize(
    ("content", "exponent"),
    [
        (b'{"a":1e3}', True),
        (b'{"a":"1E-3"}', True),
        (b"[1.5e+1 ]", True),
        (b'{"a":" 100e-2 "}', True),
        (b'{"a":"1_0e1"}', True),
        (b'{"a":"12e4 rue"}', False),
        (b'{"a":"e5"}', False),
        (b'{"a":"0123e4-5f"}', False),
        (b'{"a":"1","e":"1"}', False),
    ],
)
def test_exponents_are_found(content: bytes, *, exponent: bool) -> None:
    assert json.has_exponent(content) is exponent


@pytest.mark.parametrize(
    "content",
    [
        b'\xef\xbb\xbf{"a":1}',
        '{"a":1}'.encode("utf-16"),
        '{"a":1}'.encode("utf-16-le"),
        '{"a":1}'.encode("utf-16-be"),
        '{"a":1}'.encode("utf-32"),
        '{"a":"é"}'.encode("latin-1"),
        b'{"a":"\xed\xa0\x80"}',
        b'"' + b"x" * 100_000 + b'\xc3"',
    ],
)
def test_what_is_not_plain_utf_8_is_refused(content: bytes) -> None:
    with pytest.raises(TranslationError) as refused:
        json.parse(content)
    assert [fault.code for fault in refused.value.faults] == ["json.encoding"]


def test_a_character_that_spans_two_slices_is_utf_8() -> None:
    text = '"' + "é" * 100_000 + '"'
    assert json.encoding_fault(text.encode()) is None
    assert json.encoding_fault(b" " + text.encode()) is None


def test_a_break_is_told_with_its_line() -> None:
    with pytest.raises(TranslationError) as refused:
        json.parse(b'{\n"a": 1,\n"b": tru\n}')
    (fault,) = refused.value.faults
    assert (fault.code, fault.line) == ("json.malformed", 3)


@given(st.binary(max_size=60) | st.text('[]{}":,0123eE.-+ntrufalse\\ \n').map(str.encode))
def test_rubbish_is_parsed_or_refused(content: bytes) -> None:
    with suppress(TranslationError):
        json.parse(content)


@pytest.mark.parametrize("content", [b'"\\ud800"', b'"\\udc00x"', b'[1e999, "\\ud800"]'])
def test_half_a_surrogate_pair_is_refused(content: bytes) -> None:
    with pytest.raises(TranslationError, match=r"json\.malformed"):
        json.parse(content)
