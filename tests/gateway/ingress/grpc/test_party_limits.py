"""Limits at a running gRPC listener, by a clock that is moved by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import grpc
import pytest
from grpc import aio
from msgspec.structs import replace

from gateway.ingress.grpc.server import GrpcIngress
from gateway.ingress.grpc.settings import GrpcSettings
from gateway.ingress.limits import Limiter
from gateway.ingress.tls import ServerTls
from gateway.pipeline.settings import PartySettings
from tests.fakes import NOW, FakeService, Seen, clock, until
from tests.gateway.ingress.grpc.conftest import channel, exchange, serving, submission
from tests.gateway.ingress.grpc.test_submissions import problem
from tests.pki import Pki
from translators.wire.exchange.v1 import exchange_pb2 as wire
from trust.members import PartyLimits

if TYPE_CHECKING:
    from translators.wire.exchange.v1.exchange_pb2_grpc import ExchangeAsyncStub

LIMITS = PartySettings(requests_per_second=2, burst=5, connections=2, concurrent=3)


class Time:
    """A clock, and a sleep that moves it."""

    def __init__(self) -> None:
        self.now = NOW
        self.slept = 0

    def __call__(self) -> datetime:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept += 1
        self.now += timedelta(seconds=seconds)
        await asyncio.sleep(0)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def party() -> PartySettings:
    return LIMITS


@pytest.fixture
async def ingress(
    pki: Pki,
    service: FakeService,
    seen: Seen,
    settings: GrpcSettings,
    time: Time,
    party: PartySettings,
) -> AsyncIterator[GrpcIngress]:
    certificate, key = pki.issue("gateway")
    limiter = Limiter(
        limits=lambda _: PartyLimits(),
        settings=lambda: party,
        draw=None,
        telemetry=seen.telemetry,
        clock=time,
        sleep=time.sleep,
    )
    listener = GrpcIngress(
        service=service,
        telemetry=seen.telemetry,
        clock=clock,
        tls=ServerTls(certificate=certificate, key=key, authorities=pki.authority),
        host="127.0.0.1",
        port=0,
        settings=settings,
        limiter=limiter,
    )
    async with serving(listener):
        yield listener


async def code_of(stub: ExchangeAsyncStub, identifier: str) -> str:
    """The code of the problem that a submission ends with; nothing when it is accepted."""
    try:
        await stub.Submit(submission(identifier))
    except aio.AioRpcError as error:
        return problem(error).code
    return ""


async def test_beyond_its_rate_a_party_is_told_when_to_come_again_over_the_same_connection(
    stub: ExchangeAsyncStub, service: FakeService, time: Time
) -> None:
    assert [await code_of(stub, f"i-{n}") for n in range(5)] == [""] * 5
    with pytest.raises(aio.AioRpcError) as refused:
        await stub.Submit(submission("i-5"))

    error = refused.value
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert problem(error).code == "rate.exceeded"
    assert dict(error.trailing_metadata())["retry-after"] == "1"
    assert len(service.contents) == 5
    time.now += timedelta(seconds=1)
    assert [await code_of(stub, "i-5") for _ in range(3)] == ["", "", "rate.exceeded"]


async def test_one_party_at_its_rate_leaves_all_to_the_others(
    ingress: GrpcIngress, pki: Pki, stub: ExchangeAsyncStub
) -> None:
    flood = [await code_of(stub, f"i-{n}") for n in range(30)]
    async with channel(ingress, pki, pki.issue("post-b")) as connection:
        calm = [await code_of(exchange(connection), f"i-{n}") for n in range(5)]
    assert (flood.count(""), flood.count("rate.exceeded")) == (5, 25)
    assert calm == [""] * 5


async def test_questions_count_like_submissions(stub: ExchangeAsyncStub) -> None:
    codes = []
    for _ in range(7):
        with pytest.raises(aio.AioRpcError) as refused:
            await stub.Track(wire.TrackRequest(interchange_id="none"))
        codes.append(problem(refused.value).code)
    assert codes == ["interchange.not-found"] * 5 + ["rate.exceeded"] * 2


async def test_a_stream_is_slowed_down_and_nothing_of_it_refused(
    stub: ExchangeAsyncStub, time: Time
) -> None:
    requests = [submission(f"i-{n}") for n in range(25)]
    replies = [reply async for reply in stub.SubmitStream(iter(requests))]
    assert {reply.interchange_id for reply in replies} == {f"i-{n}" for n in range(25)}
    assert {reply.status for reply in replies} == {wire.STATUS_ACCEPTED}
    waited = (time.now - NOW).total_seconds()
    assert time.slept
    assert 10.0 <= waited <= 11.0  # one token for the stream, 4 at once, 21 at two a second


async def test_a_stream_beyond_the_rate_does_not_begin(stub: ExchangeAsyncStub) -> None:
    for n in range(5):
        await stub.Submit(submission(f"i-{n}"))
    with pytest.raises(aio.AioRpcError) as refused:
        [reply async for reply in stub.SubmitStream(iter([submission("i-9")]))]
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert problem(refused.value).code == "rate.exceeded"


@pytest.mark.parametrize("party", [replace(LIMITS, burst=100)])
async def test_calls_under_way_are_bounded_by_party(
    ingress: GrpcIngress, pki: Pki, stub: ExchangeAsyncStub, service: FakeService
) -> None:
    service.gate.clear()
    waiting = [asyncio.create_task(code_of(stub, f"i-{n}")) for n in range(3)]
    await until(lambda: service.held == 3)
    async with channel(ingress, pki, pki.issue("post-b")) as connection:
        assert await code_of(stub, "i-9") == "concurrency.exceeded"
        other = asyncio.create_task(code_of(exchange(connection), "i-1"))
        await until(lambda: service.held == 4)
        service.gate.set()
        assert [await task for task in (*waiting, other)] == [""] * 4
    assert await code_of(stub, "i-9") == ""


@pytest.mark.parametrize("party", [replace(LIMITS, burst=1_000, concurrent=50)])
async def test_connections_in_use_are_bounded_by_party(
    ingress: GrpcIngress, pki: Pki, service: FakeService
) -> None:
    service.gate.clear()
    async with AsyncExitStack() as stack:
        stubs = [
            exchange(await stack.enter_async_context(channel(ingress, pki, pki.issue(name))))
            for name in ["post-a"] * 3 + ["post-b"]
        ]
        busy = [asyncio.create_task(code_of(stub, f"i-{n}")) for n, stub in enumerate(stubs[:2])]
        await until(lambda: service.held == 2)
        assert await code_of(stubs[2], "i-9") == "connections.exceeded"
        busy.append(asyncio.create_task(code_of(stubs[3], "i-1")))
        await until(lambda: service.held == 3)
        service.gate.set()
        assert [await task for task in busy] == [""] * 3
        assert await code_of(stubs[2], "i-9") == ""
