"""Documents of JSON: their forms, where faults stand, and what is no good document at all."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from tests.translators.layout.json_layouts import (
    ARRAY,
    ITEM,
    ORDER,
    ORDERS,
    document,
    dumped,
    faults,
    readings,
    small,
)
from tests.translators.layout.layouts import compiled
from translators.canonical import Header, Interchange
from translators.faults import Fault, TranslationError
from translators.layout import LayoutTranslator
from translators.translator import Entry, decode, encode

ALL = compiled(ORDERS)
SINGLE = small('sent = "header.prepared_at : instant"', document='"." = "messages ! : o"')


def lines(layout: LayoutTranslator, content: bytes) -> list[tuple[str | None, int | None]]:
    return [
        (fault.source_path, fault.line)
        for reading in layout.read(io.BytesIO(content))
        if isinstance(reading, Entry)
        for fault in reading.faults
    ]


def test_an_object_with_a_header_and_messages_is_read_and_written() -> None:
    found = decode(ALL, document(ITEM, ITEM, head={"from": "me"}))

    written = json.loads(encode(ALL, found))

    assert Header(sender="me") == found.header
    assert {"from": "me"} == written["head"]
    assert (2, 2) == (written["data"]["count"], len(written["data"]["orders"]))


def test_a_document_may_be_an_array_of_messages() -> None:
    layout = small()
    found = decode(layout, dumped([ORDER, ORDER]))

    assert [ORDER["ref"], ORDER["ref"]] == [one["ref"] for one in json.loads(encode(layout, found))]
    assert [] == json.loads(encode(layout, Interchange()))


def test_a_document_may_be_one_message_that_holds_the_header() -> None:
    content = dumped({**ORDER, "sent": "2026-11-20T12:00:00Z"})
    found = decode(SINGLE, content)

    assert found.header.prepared_at is not None
    assert json.loads(content) == {
        **json.loads(encode(SINGLE, found)),
        "rows": json.loads(content)["rows"],
    }


def test_a_document_of_one_message_is_not_written_of_two() -> None:
    (message,) = decode(SINGLE, dumped(ORDER)).messages
    with pytest.raises(TranslationError, match=r"list\.too-long"):
        encode(SINGLE, Interchange(messages=(message, message)))


def test_what_stands_around_the_messages_may_stand_behind_them() -> None:
    content = b'{"data":{"orders":[%s]},"head":{"from":"me"}}' % dumped(ITEM)
    assert Header(sender="me") == decode(ALL, content).header


def test_null_is_as_good_as_absent_and_an_empty_list_too() -> None:
    layout = small('total = "total : m"\npaid = "payments * : pay"', more=PAYMENT)
    found = decode(layout, dumped([{**ORDER, "total": None, "paid": []}]))
    assert found == decode(layout, dumped([ORDER]))


PAYMENT = '[pay]\nref = "reference !"\nby = "method !"\nsum = "amount ! : m"'


def test_faults_are_pointers_into_the_document_with_their_line() -> None:
    order = json.dumps(ITEM, indent=1)
    broken = order.replace('"no": 2', '"no": "2"').replace('"qty": 2', '"qty": 2.5')
    content = b'{"head": {"from": "me"},\n "data": {"orders": [\n%s]}}' % broken.encode()
    at = [number for number, line in enumerate(content.split(b"\n"), 1) if b'"no": "2"' in line]

    assert ("value.type", "/lines/1/number", "/data/orders/0/rows/1/no") in faults(ALL, content)
    assert ("/data/orders/0/rows/1/no", at[0]) in lines(ALL, content)


def test_a_bad_message_leaves_the_others_alone() -> None:
    found = readings(small(), dumped([ORDER, {**ORDER, "at": "yesterday"}, 7, ORDER]))
    assert [True, False, False, True] == [
        one.message is not None for one in found if isinstance(one, Entry)
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", [("body.empty", "", None)]),
        (b" \n", [("body.empty", "", None)]),
        (b"\xef\xbb\xbf{}", [("json.encoding", "", None)]),
        (b"\xff{}", [("json.encoding", "", None)]),
        (b"{", [("json.malformed", "", None)]),
        (b"[" * 40 + b"]" * 40, [("json.depth", "", None)]),
        (b"7", [("value.type", "", "")]),
        (b'{"head":{"from":"x"},"data":{"orders":7}}', [("value.type", "", "/data/orders")]),
        (b'{"head":{"from":"x"},"data":[]}', [("value.type", "", "/data"), MISSING := (
            "element.missing", "", "/data/orders")]),
        (b'{"head":{"from":"x"}}', [MISSING]),
        (b'{"head":{"from":"x"},"data":{"orders":null}}', [MISSING]),
        (b'{"head":{"from":"x"},"data":{"orders":[]}}', [MISSING]),
        (b'{"head":7,"data":{"orders":[]}}', [("value.type", "/header", "/head"), MISSING]),
        (b'{"head":{"from":"x"},"head":{"from":"x"},"data":{"orders":[]}}',
         [("json.duplicate-key", "", "/head"), MISSING]),
        (b'{"head":{"from":"x"},"tail":1,"data":{"orders":[]}}',
         [("element.unknown", "", "/tail"), MISSING]),
    ],
)  # fmt: skip
def test_what_is_no_good_document(content: bytes, expected: list[Any]) -> None:
    assert expected == faults(ALL, content)


@pytest.mark.parametrize("content", [b"null", b"7", b'"x"', b"[]", b"[{}]"])
def test_a_document_that_is_one_message_is_an_object(content: bytes) -> None:
    assert [("value.type", "", "")] == faults(SINGLE, content)


def test_what_is_expected_in_the_place_of_the_messages_is_said() -> None:
    one = small(document='"data/order" = "messages ! : o"')
    details = [
        reading.detail
        for layout, name in ((one, "order"), (ALL, "orders"))
        for reading in layout.read(io.BytesIO(b'{"data":{"%s":7}}' % name.encode()))
        if isinstance(reading, Fault) and reading.code == "value.type"
    ]
    assert ["an object is expected", "an array of messages is expected"] == details


def test_a_name_that_stands_twice_is_refused() -> None:
    content = dumped([ORDER]).replace(b'"ref":', b'"ref":"other","ref":')
    assert ("json.duplicate-key", "", "/0/ref") in faults(small(), content)


def test_a_number_of_messages_that_is_wrong_refuses_the_document() -> None:
    content = dumped({"head": {"from": "x"}, "data": {"orders": [ITEM], "count": 2}})
    assert [("value.disagrees", "", "/data/count")] == faults(ALL, content)


def test_half_of_a_surrogate_pair_is_no_json() -> None:
    content = dumped([ORDER]).replace(b'"x"', b'"\\ud800"')
    assert [("json.malformed", "", None)] == faults(small(), content)


def test_unknown_members_are_reported_where_the_layout_says_so() -> None:
    layout = small(header='unknown = "report"', document=ARRAY)
    (entry,) = (
        one
        for one in readings(layout, dumped([{**ORDER, "more": {"a": [1, None], "b": "x"}}]))
        if isinstance(one, Entry)
    )
    assert ["/0/more/a/0", "/0/more/b"] == [note.source_path for note in entry.notes]


def test_the_documentation_says_what_a_document_is() -> None:
    assert "The document is one message." in SINGLE.documentation()
    assert "The document is an array of messages." in small().documentation()
    assert "| rows | 1..* | group `r` | `lines` |" in SINGLE.documentation()


def test_members_may_stand_in_any_order_a_count_before_the_header_too() -> None:
    first = json.loads(encode(ALL, ALL.sample()))
    turned = {name: first[name] for name in reversed(first)}
    turned["data"] = {name: first["data"][name] for name in reversed(first["data"])}

    assert decode(ALL, json.dumps(turned).encode()) == ALL.sample()
