"""Workers that are replaced, killed or asked to end while callers never pause."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from tests.e2e.callers import client_context
from tests.e2e.network import CONFIG, GatewayProcess
from tests.e2e.pair import delivered, pair
from tests.e2e.rolling import Callers

HANG_SECONDS = 240.0
WORKERS = 2


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workers")


@pytest.fixture(scope="module")
def gateway(folder: Path, certs: Path) -> Iterator[GatewayProcess]:
    process = GatewayProcess(folder, certs)
    try:
        process.start(f"gateway.workers={WORKERS}")
        yield process
    finally:
        process.stop()


@contextlib.asynccontextmanager
async def calling(callers: Callers) -> AsyncIterator[Callers]:
    """Callers at work; on the way out every one of their requests has been answered."""
    async with asyncio.timeout(HANG_SECONDS), asyncio.TaskGroup() as group:
        group.create_task(callers.run(https=3, calls=2, streams=1))
        await callers.until(10)
        yield callers
        await callers.until(10)
        callers.stop()


async def control(gateway: GatewayProcess, method: str, path: str) -> Any:
    url = f"http://127.0.0.1:{gateway.ports.operations}{path}"
    body: dict[str, str] | None = None if method == "GET" else {}
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, json=body) as answer,
    ):
        assert answer.status == 200, (answer.status, await answer.text())
        return await answer.json(content_type=None)


async def workers_of(gateway: GatewayProcess) -> dict[int, int]:
    """Process ids of those that are ready, by number."""
    told = await control(gateway, "GET", "/control/workers")
    return {worker["worker"]: worker["pid"] for worker in told if worker["ready"]}


async def metrics_of(gateway: GatewayProcess) -> str:
    url = f"http://127.0.0.1:{gateway.ports.operations}/metrics"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return await answer.text()


def lives_any(pids: list[int]) -> bool:
    return any(Path(f"/proc/{pid}").exists() for pid in pids)


async def all_delivered(folder: Path, number: int) -> list[str]:
    """Message ids that arrived, once there are so many files."""
    async with asyncio.timeout(HANG_SECONDS):
        while len(delivered(folder)) < number:  # noqa: ASYNC110 - another process writes them
            await asyncio.sleep(0.05)
    return [path.name for path in delivered(folder)]


def events(gateway: GatewayProcess, name: str) -> list[dict[str, Any]]:
    lines = gateway.log.read_text("utf-8").splitlines()
    told = [msgspec.json.decode(line) for line in lines if line.startswith("{")]
    return [event for event in told if event["event"] == name]


async def test_no_request_fails_while_all_workers_are_replaced_and_all_is_delivered_once(
    gateway: GatewayProcess, folder: Path
) -> None:
    before, there = await workers_of(gateway), len(delivered(folder))

    async with calling(Callers("rolled", gateway)) as callers:
        after = await control(gateway, "POST", "/control/workers/restart")

    assert {"https": 0, "grpc": 0} == {name: callers.cut[name] for name in ("https", "grpc")}
    assert all(callers.receipts.values())
    assert WORKERS == len(after)
    assert not set(before.values()) & {worker["pid"] for worker in after}
    names = await all_delivered(folder, there + len(callers.receipts))
    assert there + len(callers.receipts) == len(set(names)) == len(names)


async def test_a_worker_that_is_killed_is_replaced_and_what_it_had_begun_is_done(
    gateway: GatewayProcess, folder: Path
) -> None:
    before, there = await workers_of(gateway), len(delivered(folder))

    async with calling(Callers("killed", gateway, patient=True)) as callers:
        os.kill(before[1], signal.SIGKILL)
        while set((await workers_of(gateway)).values()) <= set(before.values()):  # noqa: ASYNC110 - asked over HTTP
            await asyncio.sleep(0.1)

    after = await workers_of(gateway)
    assert before[0] == after[0]
    assert before[1] != after[1]
    assert [-9] == [event["status"] for event in events(gateway, "worker.died")]
    assert "luxor_workers_died_total 1.0" in await metrics_of(gateway)
    await all_delivered(folder, there + len(callers.receipts))


async def test_each_worker_tells_its_metrics_under_its_number(gateway: GatewayProcess) -> None:
    async with calling(Callers("counted", gateway)):
        pass

    text = await metrics_of(gateway)

    name = "luxor_configuration_loaded_timestamp_seconds"
    assert {"0", "1"} == set(re.findall(rf'{name}{{worker="(\d)"}}', text))
    assert f"luxor_workers_ready {WORKERS:.1f}" in text
    families = [line for line in text.splitlines() if line.startswith("# TYPE ")]
    assert len(families) == len(set(families))


async def test_a_signal_has_every_worker_read_the_configuration_again(
    gateway: GatewayProcess,
) -> None:
    pids = await workers_of(gateway)
    loaded = len(events(gateway, "configuration.loaded"))
    assert gateway.pid is not None

    os.kill(gateway.pid, signal.SIGHUP)
    async with asyncio.timeout(HANG_SECONDS):
        while not events(gateway, "workers.reloaded"):  # noqa: ASYNC110 - read from a file
            await asyncio.sleep(0.05)

    told = events(gateway, "configuration.loaded")[loaded:]
    assert [0, 1] == [event["worker"] for event in told]
    assert pids == await workers_of(gateway)


def test_a_mistake_in_the_configuration_is_told_once_and_nothing_starts(
    tmp_path: Path, certs: Path
) -> None:
    process = GatewayProcess(tmp_path, certs, CONFIG.replace('to = ["archive"]', 'to = ["other"]'))
    command = [sys.executable, "-m", "gateway", "serve", "--config", str(process.config)]

    ended = subprocess.run(
        [*command, "--workers", "3"], capture_output=True, timeout=HANG_SECONDS, check=False
    )

    assert 2 == ended.returncode
    assert 1 == ended.stderr.decode().count("no destination is called other")


async def test_who_is_asked_to_end_serves_on_until_callers_had_time_to_go_to_the_other(
    tmp_path: Path, certs: Path
) -> None:
    with pair(tmp_path, certs, "gateway.drain_delay=1.0") as (one, two):
        async with calling(Callers("ended", one, two)) as callers:
            assert one.pid is not None
            os.kill(one.pid, signal.SIGTERM)
            seen = []
            with contextlib.suppress(aiohttp.ClientConnectionError):
                while True:
                    url = f"http://127.0.0.1:{one.ports.operations}/health/ready"
                    async with aiohttp.ClientSession() as session, session.get(url) as answer:
                        seen.append(answer.status)
                    await asyncio.sleep(0.02)
            assert 0 == await asyncio.to_thread(one.stop)

        assert 503 in seen
        assert all(callers.receipts.values())
        await all_delivered(tmp_path, len(callers.receipts))


async def test_a_supervisor_that_is_killed_takes_its_workers_along(
    gateway: GatewayProcess,
) -> None:
    pids = list((await workers_of(gateway)).values())
    port = gateway.ports.https

    gateway.kill()
    gateway.start(
        f"gateway.workers={WORKERS}",
        f"ingress.https.port={port}",
        "ingress.https.limits.body_idle=1000",
        "ingress.https.limits.drain=1000",
    )

    assert port == gateway.ports.https
    async with asyncio.timeout(HANG_SECONDS):
        while lives_any(pids):  # noqa: ASYNC110 - processes end
            await asyncio.sleep(0.05)
    async with calling(Callers("again", gateway)) as callers:
        pass
    assert all(callers.receipts.values())


async def test_who_asks_twice_does_not_wait_for_what_is_under_way(
    gateway: GatewayProcess,
) -> None:
    # The gateway of the test before, which waits for the rest of a body longer than anybody.
    context = client_context(gateway, "post-a")
    _, writer = await asyncio.open_connection("localhost", gateway.ports.https, ssl=context)
    writer.write(
        b"POST /v1/interchanges HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n"
        b"Luxor-Interchange-Id: never\r\nLuxor-Format: upu.itmatt.1\r\n\r\n"
    )
    await writer.drain()
    assert gateway.pid is not None
    before = len(events(gateway, "gateway.stopping"))

    os.kill(gateway.pid, signal.SIGTERM)
    async with asyncio.timeout(HANG_SECONDS):
        while len(events(gateway, "gateway.stopping")) <= before + WORKERS:  # noqa: ASYNC110 - a file
            await asyncio.sleep(0.05)
    status = await asyncio.to_thread(gateway.stop)  # which asks again
    writer.close()

    assert 0 == status
    assert "worker.killed" not in gateway.log.read_text("utf-8")
