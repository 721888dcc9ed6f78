"""Counters of the pipeline: messages, and what was found in them."""

from __future__ import annotations

import io

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from gateway.core.records import Outcome, State
from gateway.pipeline import counting
from gateway.pipeline.counting import Counting
from gateway.telemetry import Metrics, Telemetry, event_log
from tests.gateway.pipeline.conftest import Middle
from tests.samples import ITEM, item
from translators.faults import Fault


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
