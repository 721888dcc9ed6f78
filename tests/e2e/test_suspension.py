"""A party that loses its right while its connections are open and sending, on every process.

Within the bound nothing more is accepted, whichever transport and process it comes to; and what
was receipted before is delivered, all of it. Times are those of the receipts: what the machine of
the test is busy with does not count.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import grpc
import msgspec
import pytest
from click.testing import CliRunner

from gateway.cli.certs import certs as certs_command
from gateway.cli.party import party as party_command
from tests.e2e import documents
from tests.e2e.callers import channel, client_context
from tests.e2e.network import GatewayProcess
from tests.e2e.pair import delivered, pair
from translators.wire.exchange.v1 import exchange_pb2, exchange_pb2_grpc
from trust.receipt import ReceiptClaims
from trust.signatures.compact import unpadded_decode

PROMISED_SECONDS = 5.0
HANG_SECONDS = 60.0
FORMAT = "upu.itmatt.1"
Workers = tuple[GatewayProcess, GatewayProcess]


@pytest.fixture
def workers(tmp_path: Path, certs: Path) -> Iterator[Workers]:
    """Two processes with a PKI of their own, which the test changes."""
    shutil.copytree(certs, tmp_path / "certs")
    with pair(tmp_path / "pair", tmp_path / "certs") as both:
        yield both


class Sender:
    """Sends good items over one open connection until it is refused."""

    def __init__(self, name: str, first: int) -> None:
        self.receipts: list[ReceiptClaims] = []
        self.code = ""
        self._name = name
        self._serial = first

    def _next(self) -> tuple[str, bytes]:
        self._serial += 1
        name = f"{self._name}-{self._serial}"
        return name, documents.good(self._serial, control=name)

    async def over_https(self, worker: GatewayProcess) -> None:
        context = client_context(worker, "post-a")
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session:
            while True:
                name, content = self._next()
                async with session.post(
                    f"https://localhost:{worker.ports.https}/v1/interchanges",
                    data=content,
                    headers={"Luxor-Interchange-Id": name, "Luxor-Format": FORMAT},
                    ssl=context,
                ) as answer:
                    body = await answer.json(content_type=None)
                if answer.status != 202:
                    self.code = body["code"]
                    return
                self._keep(body["receipt"])

    async def over_grpc(self, worker: GatewayProcess) -> None:
        """One stream; the next is sent when the last is answered."""
        turn = asyncio.Semaphore(1)

        async def submissions() -> AsyncIterator[exchange_pb2.Submission]:
            while True:
                await turn.acquire()
                name, content = self._next()
                yield exchange_pb2.Submission(interchange_id=name, format=FORMAT, content=content)

        async with channel(worker, "post-a") as open_channel:
            call = exchange_pb2_grpc.ExchangeStub(open_channel).SubmitStream(submissions())
            try:
                async for reply in call:
                    if reply.receipt:
                        self._keep(reply.receipt)
                    else:
                        self.code = reply.problem.code
                        return
                    turn.release()
            except grpc.aio.AioRpcError as error:
                metadata = dict(error.trailing_metadata() or ())
                problem = exchange_pb2.Problem.FromString(metadata["luxor-problem-bin"])
                self.code = problem.code

    def _keep(self, receipt: str) -> None:
        claims = msgspec.json.decode(unpadded_decode(receipt.split(".")[1]), type=ReceiptClaims)
        assert "accepted" == claims.status
        self.receipts.append(claims)


def suspended(workers: Workers) -> list[str]:
    return ["suspend", "post-a", "--registry", str(workers[0].certs / "luxor/registry.toml")]


def revoked(workers: Workers) -> list[str]:
    return ["revoke", "post-a", "--dir", str(workers[0].certs)]


@pytest.mark.parametrize(
    ("command", "arguments", "code"),
    [
        pytest.param(party_command, suspended, "party.suspended", id="suspended"),
        pytest.param(certs_command, revoked, "certificate.revoked", id="revoked"),
    ],
)
async def test_who_loses_its_right_is_refused_on_every_open_connection_and_loses_nothing_before(
    workers: Workers,
    tmp_path: Path,
    command: object,
    arguments: Callable[[Workers], list[str]],
    code: str,
) -> None:
    senders = [Sender(name, 1_000 * (n + 1)) for n, name in enumerate("abcd")]
    ways: list[Awaitable[None]] = [
        senders[0].over_https(workers[0]),
        senders[1].over_https(workers[1]),
        senders[2].over_grpc(workers[0]),
        senders[3].over_grpc(workers[1]),
    ]
    async with asyncio.timeout(HANG_SECONDS):
        sending = [asyncio.ensure_future(way) for way in ways]
        while not all(len(sender.receipts) >= 3 for sender in senders):
            assert not any(task.done() for task in sending)
            await asyncio.sleep(0.05)
        result = await asyncio.to_thread(CliRunner().invoke, command, arguments(workers))  # type: ignore[arg-type] # a click command
        changed = datetime.now(UTC)
        assert result.exit_code == 0, result.output
        await asyncio.gather(*sending)

    assert [code] * 4 == [sender.code for sender in senders]
    receipts = [claims for sender in senders for claims in sender.receipts]
    last = max(claims.received_at for claims in receipts)
    assert (last - changed).total_seconds() <= PROMISED_SECONDS
    await all_delivered(tmp_path / "pair", receipts)


async def all_delivered(folder: Path, receipts: list[ReceiptClaims]) -> None:
    """Everything for which there is a receipt arrives, and nothing else."""
    wanted = {claims.interchange_id for claims in receipts}
    assert len(wanted) == len(receipts)
    async with asyncio.timeout(HANG_SECONDS):
        while len(delivered(folder)) < len(wanted):  # noqa: ASYNC110 - another process writes them
            await asyncio.sleep(0.1)
    found = [sent_as(file) for file in delivered(folder)]
    assert sorted(wanted) == sorted(found)


def sent_as(file: Path) -> str:
    """The interchange that a delivered message came in."""
    (message,) = msgspec.json.decode(file.read_bytes())["messages"]
    return str(message["provenance"]["interchange_id"])
