"""Callers that never pause, and each of whose requests must be answered.

What DECISIONS of the project call a rolling restart: a request whose headers were read does not
fail; a connect or handshake that was cut succeeds when it is tried once more.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter

import aiohttp
import grpc

from tests.e2e import documents
from tests.e2e.callers import channel, client_context
from tests.e2e.network import GatewayProcess
from translators.wire.exchange.v1 import exchange_pb2, exchange_pb2_grpc

FORMAT = "upu.itmatt.1"
ANSWER_SECONDS = 60.0
Stream = grpc.aio.StreamStreamCall[exchange_pb2.Submission, exchange_pb2.SubmitReply]
PATIENT_TRIES = 20


class Callers:
    """Submit by HTTPS and gRPC until they are stopped; what each was told is in ``receipts``."""

    def __init__(
        self, name: str, *gateways: GatewayProcess, pause: float = 0.02, patient: bool = False
    ) -> None:
        """``name`` begins each id. Who is cut off goes to the next gateway and stays there.

        Asking once more is enough, unless a process is killed: while it dies its listening socket
        may take a connection more and reset it. ``patient`` callers connect until it succeeds.
        """
        self._patient = patient
        self._name = name
        self._gateways = gateways
        self._pause = pause
        self._stopping = False
        self._serial = 0
        self.receipts: dict[str, str] = {}
        self.cut: Counter[str] = Counter()
        """By transport: requests that were sent once more, as nothing was answered."""

    def stop(self) -> None:
        """Begin nothing new."""
        self._stopping = True

    async def until(self, number: int) -> None:
        """Wait for so many receipts more."""
        wanted = len(self.receipts) + number
        while len(self.receipts) < wanted:  # noqa: ASYNC110 - many callers add to it
            await asyncio.sleep(0.02)

    async def run(self, *, https: int, calls: int, streams: int) -> None:
        """So many callers of each sort; raises when a request of one of them fails."""
        async with asyncio.TaskGroup() as group:
            for kind, number in (
                (self._https, https),
                (self._grpc, calls),
                (self._stream, streams),
            ):
                for turn in range(number):
                    group.create_task(kind(turn))

    def _gateway(self, turn: int) -> GatewayProcess:
        return self._gateways[turn % len(self._gateways)]

    def _next(self) -> tuple[str, bytes]:
        self._serial += 1
        identifier = f"{self._name}-{self._serial}"
        return identifier, documents.good(self._serial, control=identifier)

    async def _https(self, turn: int) -> None:
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        context = client_context(self._gateways[0], "post-a")
        async with aiohttp.ClientSession(timeout=timeout) as session:

            async def post(identifier: str, content: bytes) -> str:
                async with session.post(
                    f"https://localhost:{self._gateway(turn).ports.https}/v1/interchanges",
                    data=content,
                    headers={"Luxor-Interchange-Id": identifier, "Luxor-Format": FORMAT},
                    ssl=context,
                ) as answer:
                    assert answer.status == 202, (answer.status, await answer.text())
                    return str((await answer.json())["receipt"])

            while not self._stopping:
                identifier, content = self._next()
                try:
                    self.receipts[identifier] = await post(identifier, content)
                except aiohttp.ClientConnectionError:
                    self.cut["https"] += 1
                    turn += 1
                    for _ in range(PATIENT_TRIES if self._patient else 0):
                        with contextlib.suppress(aiohttp.ClientConnectionError):
                            self.receipts[identifier] = await post(identifier, content)
                            break
                        await asyncio.sleep(self._pause)
                    else:
                        self.receipts[identifier] = await post(identifier, content)
                await asyncio.sleep(self._pause)

    async def _grpc(self, turn: int) -> None:
        while not self._stopping:
            async with channel(self._gateway(turn), "post-a") as open_channel:
                turn += 1
                stub = exchange_pb2_grpc.ExchangeStub(open_channel)
                while not self._stopping:
                    identifier, content = self._next()
                    submission = _submission(identifier, content)
                    try:
                        reply = await stub.Submit(submission, timeout=ANSWER_SECONDS)
                    except grpc.aio.AioRpcError as error:
                        if error.code() is not grpc.StatusCode.UNAVAILABLE:
                            raise
                        self.cut["grpc"] += 1
                        async with channel(self._gateway(turn), "post-a") as other:
                            again = exchange_pb2_grpc.ExchangeStub(other)
                            reply = await again.Submit(
                                submission, timeout=ANSWER_SECONDS, wait_for_ready=self._patient
                            )
                        self.receipts[identifier] = reply.receipt
                        break
                    self.receipts[identifier] = reply.receipt
                    await asyncio.sleep(self._pause)

    async def _stream(self, turn: int) -> None:
        """A stream ends when its process does; what is unanswered then is sent by the next one."""
        unanswered: dict[str, bytes] = {}
        while not self._stopping or unanswered:
            async with channel(self._gateway(turn), "post-a") as open_channel:
                turn += 1
                stub = exchange_pb2_grpc.ExchangeStub(open_channel)
                call = stub.SubmitStream(wait_for_ready=len(self._gateways) == 1)
                try:
                    await self._exchange(call, unanswered)
                except grpc.aio.AioRpcError as error:
                    if error.code() is not grpc.StatusCode.UNAVAILABLE and not _own(error):
                        raise
                    self.cut["stream"] += 1
                except asyncio.InvalidStateError:  # the same, found a moment later
                    self.cut["stream"] += 1

    async def _exchange(self, call: Stream, unanswered: dict[str, bytes]) -> None:
        for identifier, content in unanswered.items():
            await call.write(_submission(identifier, content))
        while not self._stopping or unanswered:
            if not unanswered:
                identifier, content = self._next()
                unanswered[identifier] = content
                await call.write(_submission(identifier, content))
            reply = await call.read()
            if reply is grpc.aio.EOF:
                return
            assert isinstance(reply, exchange_pb2.SubmitReply)
            assert reply.receipt, reply
            self.receipts[reply.interchange_id] = reply.receipt
            del unanswered[reply.interchange_id]
            await asyncio.sleep(self._pause)
        await call.done_writing()
        assert await call.read() is grpc.aio.EOF


def _own(error: grpc.aio.AioRpcError) -> bool:
    """What gRPC's client says of a write that found its stream ended in good order."""
    return "execute_batch" in (error.debug_error_string() or "")


def _submission(identifier: str, content: bytes) -> exchange_pb2.Submission:
    return exchange_pb2.Submission(interchange_id=identifier, format=FORMAT, content=content)
