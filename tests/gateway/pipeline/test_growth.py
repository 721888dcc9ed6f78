"""Ten times the items are ten times the work, in bytes that are held and in calls that are made."""

from __future__ import annotations

import asyncio
import sys
from types import FrameType

from bench.judging import XML, Desk, document
from gateway.core.records import Stored
from gateway.demo.generator import items
from gateway.pipeline.settings import Limits
from tests import samples

FEW, MANY = 60, 600
MADE = items("growth", MANY, at=samples.NOW)


def desk() -> Desk:
    """A middle that stages what is larger than a few items."""
    return Desk(limits=Limits(staged_from=20_000, chunk=25, raw_slice=8_192, slice_seconds=60))


def calls(desk: Desk, count: int) -> int:
    """Calls of Python functions while so many items are read, judged and accepted."""
    made = 0

    def counted(_: FrameType, event: str, __: object) -> None:
        nonlocal made
        made += event == "call"

    envelope = desk.envelope(XML, document(XML, MADE[:count]))
    with asyncio.Runner() as runner:
        sys.setprofile(counted)
        try:
            stored: Stored = runner.run(desk.inbound.accept(desk.sender, envelope))
        finally:
            sys.setprofile(None)
    assert count == stored.accepted
    return made


def test_work_grows_as_the_items_do() -> None:
    one = desk()
    calls(one, FEW)  # what is worked out once
    calls(one, MANY)

    assert calls(one, MANY) <= 10.5 * calls(one, FEW)


def test_what_is_held_of_a_large_interchange_is_a_chunk() -> None:
    one = desk()
    calls(one, MANY)

    assert 1 <= one.journal.largest <= 25
    assert MANY == one.journal.staged
