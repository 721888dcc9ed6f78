"""Counters of the pipeline: messages, and what was found in them."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from gateway.core.identifiers import InterchangeId, MessageId, RecordNumber
from gateway.core.records import (
    Delivery,
    Outcome,
    Result,
    Settlement,
    State,
    StoredMessage,
    Subject,
)
from gateway.pipeline import counting
from gateway.pipeline.counting import Counting
from gateway.telemetry import Metrics, Telemetry, event_log
from tests.gateway.pipeline.conftest import Middle
from tests.samples import ITEM, item
from translators.faults import Fault
from trust.identity import PartyId


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry(metrics=Metrics(CollectorRegistry()), log=event_log(stream=io.StringIO()))


def count(telemetry: Telemetry, party: str, code: str) -> float | None:
    labels = {"party": party, "code": code}
    return telemetry.metrics.registry.get_sample_value("luxor_findings_total", labels)


async def test_findings_are_counted_by_party_and_code(telemetry: Telemetry, middle: Middle) -> None:
    counted = Counting(telemetry)
    stored = await middle.send("post-a", ITEM, item(item_id="EE471108152FR"))
    outcomes = msgspec.json.decode(stored.outcomes, type=list[Outcome])

    counted.judged(stored, outcomes, 0.1)
    counted.judged(stored, outcomes, 0.1)

    assert 2 == count(telemetry, "post-a", "s10.check-digit")


async def test_too_many_pairs_share_one_counter(
    telemetry: Telemetry, middle: Middle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "MOST_FINDINGS", 2)
    stored, counted = await middle.send("post-a", ITEM), Counting(telemetry)
    for code in ("a", "b", "c", "d", "a"):
        outcome = Outcome(ordinal=1, status=State.ACCEPTED, faults=(Fault(code=code),))
        counted.judged(stored, [outcome], 0.1)

    assert [2, 1, None] == [count(telemetry, "post-a", code) for code in ("a", "b", "c")]
    assert 2 == count(telemetry, "other", "other")


def settlement(result: Result, *, destination: str = "risk", reason: str = "gone") -> Settlement:
    stored = StoredMessage(
        message_id=MessageId("00000000-081a-8ca0-b580-000500000001"),
        record=RecordNumber(5),
        ordinal=1,
        kind="Order",
        party=PartyId("platform-c"),
        interchange_id=InterchangeId("i-1"),
        accepted_at=datetime(2026, 11, 21, 12, tzinfo=UTC),
        version=1,
        function="original",
        key=Subject(kind="order", value="x"),
        destinations=(destination,),
        body=b"{}",
    )
    delivery = Delivery(
        destination=destination, seq=1, key=1, tries=0, lane=0, route="r", message=stored
    )
    return Settlement(delivery=delivery, result=result, detail=reason)


def test_a_night_with_a_destination_that_is_down_is_a_line_in_five_minutes() -> None:
    written, seconds = io.StringIO(), iter(range(10_000))
    log = event_log(stream=written)
    telemetry = Telemetry(metrics=Metrics(CollectorRegistry()), log=log)
    counted = Counting(telemetry, now=lambda: float(next(seconds)))

    for _ in range(1_000):
        counted.settled(settlement(Result.RETURNED))
    counted.settled(settlement(Result.RETURNED, destination="revenue"))
    counted.settled(settlement(Result.RETRY))
    for _ in range(2):  # each of these waits for a person
        counted.settled(settlement(Result.BURIED))

    events = [msgspec.json.decode(line) for line in written.getvalue().splitlines()]
    told = [(e["event"], e["destination"], e.get("more", 0)) for e in events]
    returned = [one for one in told if one[:2] == ("delivery.returned", "risk")]
    assert 3 <= len(returned) <= 5
    assert returned[0] == ("delivery.returned", "risk", 0)
    assert all(more >= 149 for _, _, more in returned[1:])
    assert told[len(returned) :] == [
        ("delivery.returned", "revenue", 0),
        ("delivery.retry", "risk", 0),
        ("delivery.buried", "risk", 0),
        ("delivery.buried", "risk", 0),
    ]
    labels = {"destination": "risk", "result": "returned"}
    counter = telemetry.metrics.registry.get_sample_value("luxor_deliveries_total", labels)
    assert counter == 1_000  # the metric misses none
