"""Health, readiness and metrics."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from gateway.ingress.operations import OperationsIngress
from tests.fakes import Seen


class Switch:
    """A check that is turned by hand."""

    on = True

    def __call__(self) -> bool:
        return self.on


def broken() -> bool:
    raise RuntimeError("the check itself fails")


@pytest.fixture
def journal() -> Switch:
    return Switch()


@pytest.fixture
async def url(seen: Seen, journal: Switch) -> AsyncIterator[str]:
    listener = OperationsIngress(
        host="127.0.0.1", port=0, metrics=seen.registry, checks={"journal": journal}
    )
    await listener.start()
    yield f"http://127.0.0.1:{listener.port}"
    await listener.stop()
    await listener.stop()


async def get(address: str, **headers: str) -> tuple[int, str, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(address, headers=headers) as answer,
    ):
        return answer.status, answer.headers["Content-Type"], await answer.text()


async def test_process_that_answers_lives(url: str) -> None:
    assert (await get(f"{url}/health/live"))[0::2] == (200, '{"live":true}')


async def test_ready_means_that_every_check_holds(url: str, journal: Switch) -> None:
    ready = await get(f"{url}/health/ready")
    journal.on = False
    unready = await get(f"{url}/health/ready")

    assert ready[0::2] == (200, '{"ready":true,"checks":{"journal":true}}')
    assert unready[0::2] == (503, '{"ready":false,"checks":{"journal":false}}')


async def test_check_that_fails_is_not_ready(seen: Seen) -> None:
    listener = OperationsIngress(
        host="127.0.0.1", port=0, metrics=seen.registry, checks={"broken": broken}
    )
    await listener.start()

    status, _, _ = await get(f"http://127.0.0.1:{listener.port}/health/ready")

    await listener.stop()
    assert status == 503


async def test_metrics_are_text_and_openmetrics_on_demand(url: str, seen: Seen) -> None:
    seen.telemetry.metrics.refusals.labels(code="body.empty", transport="https").inc()

    _, plain_type, plain = await get(f"{url}/metrics")
    _, open_type, _ = await get(f"{url}/metrics", Accept="application/openmetrics-text")

    assert plain_type.startswith("text/plain")
    assert 'luxor_refusals_total{code="body.empty",transport="https"} 1.0' in plain
    assert open_type.startswith("application/openmetrics-text")
