"""Documents of JSON that are made to cost: read once, or refused early."""

from __future__ import annotations

import json
import time

import pytest

from tests.translators.layout.json_layouts import ITEM, ORDERS, document, faults
from tests.translators.layout.layouts import compiled
from translators.canonical import Order
from translators.translator import decode

HANG_SECONDS = 20.0  # each took minutes


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            b'{"x":[' + b'"[7]",' * 100_000 + b'0],"data":{"orders":[7]}}',
            ("faults.truncated", "", None),
        ),
        (
            b'{"x":[' + b"[]," * 300_000 + b'0],"data":{"orders":[7]}}',
            ("body.too-large", "", None),
        ),
        (
            document({**ITEM, "tags": {f"k{number}": "v" for number in range(150_000)}}),
            ("list.too-long", "/extra", "/data/orders/0/tags"),
        ),
    ],
    ids=["what is spelled like the messages", "values around the messages", "pairs"],
)
def test_a_document_made_to_cost_is_refused_soon(
    content: bytes, expected: tuple[str, str, str | None]
) -> None:
    began = time.monotonic()
    found = faults(compiled(ORDERS), content)

    assert expected in found
    assert time.monotonic() - began < HANG_SECONDS


def test_what_is_spelled_like_the_messages_and_stands_before_them_is_not_taken_for_them() -> None:
    layout = compiled("unknown = 'report'\n" + ORDERS)
    written = json.dumps(ITEM)
    around = f'{{"head":{{"from":"A"}},"copy":[[{written}]],"ü":{json.dumps(f"[{written}]")},\n\n'
    content = f'{around}"data":{{"count":1,"orders":[{written}]}}}}'

    (found,) = decode(layout, content.encode()).messages
    assert isinstance(found, Order)
    assert "R-1" == found.order_id
    wrong = content.replace('"orders":[', '"orders":[7,').encode()
    (last,) = [one for one in faults(layout, wrong) if one[0] == "value.type"]
    assert ("value.type", "", "/data/orders/0") == last


def test_the_last_of_two_lists_of_messages_is_the_one_that_is_read() -> None:
    content = b'{"data":{"orders":[7],"orders":[[]]}}'
    expected = ("value.type", "", "/data/orders/0")

    assert expected in faults(compiled(ORDERS), content)
    assert ("json.duplicate-key", "", "/data/orders") in faults(compiled(ORDERS), content)
