"""Who is let in when it is full."""

from __future__ import annotations

import asyncio
import io

import pytest
from prometheus_client import CollectorRegistry

from gateway.core.errors import Unavailable
from gateway.ingress.admission import Admission
from gateway.pipeline.settings import Limits
from gateway.pipeline.strain import Strain
from gateway.telemetry import Telemetry, event_log
from gateway.telemetry.metrics import Metrics


class Journal:
    """A strain whose clock and writes are in the hands of the test."""

    def __init__(self) -> None:
        self.now = 0.0
        self.strain = Strain(lambda: self.now)

    async def fail(self) -> None:
        async def full() -> None:
            raise Unavailable("the journal's disk is full")

        with pytest.raises(Unavailable):
            await self.strain.during(full())


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry(metrics=Metrics(CollectorRegistry()), log=event_log(stream=io.StringIO()))


@pytest.fixture
def admission(journal: Journal, telemetry: Telemetry) -> Admission:
    limits = Limits(in_flight_bytes=100, longest_wait=5.0)
    return Admission(strain=journal.strain, settings=lambda: limits, telemetry=telemetry)


def test_bytes_are_held_up_to_the_bound_and_given_back(admission: Admission) -> None:
    with admission.taken(60), admission.taken(40), pytest.raises(Unavailable) as refused:
        admission.taken(1).__enter__()

    assert "overload" == refused.value.reason
    assert refused.value.retry_after
    assert 0 == admission.bytes


def test_one_alone_may_be_larger_than_the_bound(admission: Admission) -> None:
    with admission.taken(1_000):
        assert 1_000 == admission.bytes


async def test_a_write_that_waits_too_long_sends_callers_away(
    admission: Admission, journal: Journal
) -> None:
    gate = asyncio.Event()
    write = asyncio.create_task(journal.strain.during(gate.wait()))
    await asyncio.sleep(0)
    journal.now = 5.0
    admission.check()
    journal.now = 5.1

    with pytest.raises(Unavailable, match="overload"):
        admission.check()
    gate.set()
    await write
    admission.check()


async def test_a_full_disk_sends_callers_away_for_a_second_and_then_one_tries(
    admission: Admission, journal: Journal
) -> None:
    await journal.fail()

    with pytest.raises(Unavailable, match="overload"):
        admission.check()
    journal.now += 1.0
    admission.check()


async def test_a_stream_waits_for_room_instead(admission: Admission) -> None:
    await admission.room(100)
    waiting = asyncio.create_task(admission.room(50))
    await asyncio.sleep(0)
    held = admission.bytes
    admission.leave(100)
    async with asyncio.timeout(10):
        await waiting

    assert 100 == held
    assert 50 == admission.bytes


async def test_saturation_is_told(
    admission: Admission, journal: Journal, telemetry: Telemetry
) -> None:
    def told(part: str) -> float | None:
        registry = telemetry.metrics.registry
        return registry.get_sample_value("luxor_saturation", {"part": part})

    with admission.taken(25):
        admission.tell()
    calm = (told("bytes"), told("journal"))
    await journal.fail()
    admission.tell()

    assert (0.25, 0.0) == calm
    assert (0.0, 1.0) == (told("bytes"), told("journal"))
