"""Documents that are made to cost: reading stops early, with a fault that says so."""

from __future__ import annotations

import io
import time

import pytest

from tests.e2e import documents
from tests.samples import s10
from translators.faults import Fault
from translators.layout import packaged

HANG_SECONDS = 20.0  # each took minutes, or seconds for each megabyte, without a bound

MANY = "".join(f' a{number}="x"' for number in range(100_000))
GOOD = documents.item(s10(1))


@pytest.mark.parametrize(
    "content",
    [
        documents.itmatt(GOOD.replace("<mail-class>", f"<mail-class{MANY}>")),
        documents.itmatt(GOOD.replace("<mail-class>", f"<mail-clazz{MANY}/><mail-class>")),
        documents.itmatt(GOOD.replace("<mail-class>", "<x/>" * 500_000 + "<mail-class>")),
        documents.itmatt(GOOD, "<x/>" * 500_000),
        documents.itmatt("<x/>" * 500_000, GOOD),
        documents.itmatt(GOOD, "<x/>" * 500_000, GOOD),
    ],
    ids=[
        "attributes",
        "attributes of an unknown element",
        "unknown elements in a message",
        "unknown elements behind the messages",
        "unknown elements before the messages",
        "unknown elements between the messages",
    ],
)
def test_what_is_made_to_cost_is_refused_early(content: bytes) -> None:
    began = time.monotonic()
    readings = list(packaged("upu.itmatt.1").read(io.BytesIO(content)))
    took = time.monotonic() - began

    whole = [reading for reading in readings if isinstance(reading, Fault)]
    early = {"faults.truncated", "message.too-large", "xml.size"}
    assert early & {fault.code for fault in whole}
    assert len(readings) < 2_100
    assert took < HANG_SECONDS
