"""A journal that does not keep up: callers are sent away before memory grows; nothing is lost."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import grpc
import msgspec
import pytest

from tests.e2e import documents
from tests.e2e.callers import channel, client_context, get, metric, post
from tests.e2e.network import CONFIG, GatewayProcess
from translators.wire.exchange.v1 import exchange_pb2, exchange_pb2_grpc

HANG_SECONDS = 120.0
SENDERS = 100
BODY_BYTES = 1_000_000
IN_FLIGHT_BYTES = 8 << 20
GROWTH_BYTES = 220 << 20
"""What the process may grow by: what is in flight, and the buffers of each connection that sends
(TLS, sockets). Without admission it grows by 360 MiB here, with it by 150."""
FORMAT = "upu.itmatt.1"


@pytest.fixture
def gateway(tmp_path: Path, certs: Path) -> Iterator[GatewayProcess]:
    config = CONFIG.replace("number = 1\n", f'number = 1\ndata = "{tmp_path}/data"\n')
    process = GatewayProcess(tmp_path, certs, config)
    try:
        process.start(f"limits.in_flight_bytes={IN_FLIGHT_BYTES}", "limits.longest_wait=0.5")
        yield process
    finally:
        process.stop()


@contextmanager
def stuck(folder: Path) -> Iterator[None]:
    """Another process has its turn to write to the journal, and does not give it back."""
    with (folder / "data/journal.db.locks/lock").open("rb+") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield


def resident(gateway: GatewayProcess) -> int:
    """Bytes of memory that the process has now."""
    lines = Path(f"/proc/{gateway.pid}/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmRSS:"))


def document(number: int) -> bytes:
    content = documents.good(number, control=f"flood-{number}")
    return content + b" " * (BODY_BYTES - len(content))


class Told(msgspec.Struct, frozen=True):
    """What one caller was told."""

    status: int
    retry_after: str | None


class Flood:
    """Callers that send one large interchange after the other, whatever they are told."""

    def __init__(self, gateway: GatewayProcess) -> None:
        self._gateway = gateway
        self._number = 0
        self._stopping = False
        self.told: dict[str, Told] = {}
        self.largest = 0

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(SENDERS):
                group.create_task(self._send())

    def stop(self) -> None:
        """Begin nothing new."""
        self._stopping = True

    def of(self, status: int) -> list[str]:
        """The ids that were answered so."""
        return [name for name, told in self.told.items() if told.status == status]

    async def _send(self) -> None:
        context = client_context(self._gateway, "post-a")
        url = f"https://localhost:{self._gateway.ports.https}/v1/interchanges"
        async with aiohttp.ClientSession() as session:
            while not self._stopping:
                self._number += 1
                name = f"flood-{self._number}"
                headers = {"Luxor-Interchange-Id": name, "Luxor-Format": FORMAT}
                content = document(self._number)
                # Who is answered before the body was read may find the connection gone.
                with contextlib.suppress(aiohttp.ClientConnectionError):
                    async with session.post(
                        url, data=content, headers=headers, ssl=context
                    ) as answer:
                        self.told[name] = Told(answer.status, answer.headers.get("Retry-After"))
                self.largest = max(self.largest, resident(self._gateway))
                await asyncio.sleep(0.1)


async def test_a_flood_at_a_stuck_journal_is_sent_away_and_memory_stays_bounded(
    gateway: GatewayProcess, tmp_path: Path
) -> None:
    assert 202 == await _one(gateway, "before", 1)
    before = resident(gateway)
    flood = Flood(gateway)

    async with asyncio.timeout(HANG_SECONDS), asyncio.TaskGroup() as group:
        with stuck(tmp_path):
            group.create_task(flood.run())
            while len(flood.of(503)) < 2 * SENDERS:  # noqa: ASYNC110 - many callers add to it
                await asyncio.sleep(0.05)
            saturated = await metric(gateway, 'luxor_saturation{part="journal"}')
            calls = await asyncio.gather(*(_call(gateway, number) for number in range(5)))
        flood.stop()

    assert {202, 503} >= {told.status for told in flood.told.values()}
    assert all(told.retry_after for told in flood.told.values() if told.status == 503)
    assert flood.largest - before < GROWTH_BYTES
    assert saturated >= 1.0
    assert {grpc.StatusCode.UNAVAILABLE} == {code for code, _ in calls}
    assert all(retry for _, retry in calls)
    assert 202 == await _one(gateway, "after", 2)
    for name in flood.of(202):
        assert 200 == (await get(gateway, "post-a", f"/v1/interchanges/{name}")).status


async def _one(gateway: GatewayProcess, name: str, number: int) -> int:
    """A small interchange, sent until it is taken."""
    content = documents.good(10_000 + number, control=name)
    headers = {"Luxor-Format": FORMAT}
    async with asyncio.timeout(HANG_SECONDS):
        while True:
            answer = await post(gateway, "post-a", content, identifier=name, headers=headers)
            if answer.status != 503:
                return answer.status
            await asyncio.sleep(float(answer.headers["Retry-After"]))


async def _call(gateway: GatewayProcess, number: int) -> tuple[grpc.StatusCode, str]:
    """A large call by gRPC: its status and when to come again."""
    submission = exchange_pb2.Submission(
        interchange_id=f"call-{number}", format=FORMAT, content=document(20_000 + number)
    )
    async with channel(gateway, "post-a") as open_channel:
        stub = exchange_pb2_grpc.ExchangeStub(open_channel)
        try:
            await stub.Submit(submission, timeout=HANG_SECONDS)
        except grpc.aio.AioRpcError as error:
            metadata = dict(error.trailing_metadata() or ())
            return error.code(), str(metadata.get("retry-after", ""))
        return grpc.StatusCode.OK, ""
