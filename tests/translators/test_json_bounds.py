"""One JSON message that is made to cost is refused without explaining each of its values."""

import io
import time

import pytest

from translators.exchange.json_exchange import JsonExchange
from translators.translator import Entry

HANG_SECONDS = 10.0


@pytest.mark.parametrize(
    "content",
    [
        b'{"type": "Order", "lines": [' + b"{}," * 900_000 + b"{}]}",
        b'{"type": "Order"' + b"".join(b',"k%d":1' % n for n in range(300_000)) + b"}",
    ],
    ids=["lines", "members"],
)
def test_a_message_of_very_many_values_is_refused_early(content: bytes) -> None:
    began = time.monotonic()
    (entry,) = [one for one in JsonExchange().read(io.BytesIO(content)) if isinstance(one, Entry)]

    assert entry.message is None
    assert {"message.too-large"} == {fault.code for fault in entry.faults}
    assert time.monotonic() - began < HANG_SECONDS
