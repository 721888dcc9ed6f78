"""Subscribing, tracking, health and reflection."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import grpc
import pytest
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from gateway.core.identifiers import MessageId
from gateway.ingress.grpc.server import SERVICE, GrpcIngress
from gateway.pipeline.service import InboxMessage
from tests.fakes import NOW, FakeService, Seen, until
from tests.gateway.ingress.grpc.conftest import channel, exchange, submission
from tests.pki import Pki
from translators.translator import FormatId
from translators.wire.exchange.v1 import exchange_pb2 as wire

if TYPE_CHECKING:
    from translators.wire.exchange.v1.exchange_pb2_grpc import ExchangeAsyncStub

OPTIONS = wire.SubscribeRequest(options=wire.SubscribeOptions(max_in_flight=5))


def message(identifier: str) -> InboxMessage:
    return InboxMessage(
        message_id=MessageId(identifier),
        kind="RiskAssessment",
        format=FormatId("luxor.json.1"),
        content=b"{}",
        accepted_at=NOW,
        signature="a..b",
    )


async def following(
    call: aio.StreamStreamCall[wire.SubscribeRequest, wire.Delivery],
) -> wire.Delivery:
    read = await call.read()
    assert isinstance(read, wire.Delivery)
    return read


def acknowledging(*delivery_ids: str) -> wire.SubscribeRequest:
    return wire.SubscribeRequest(acknowledgement=wire.Acknowledgement(delivery_ids=delivery_ids))


async def test_delivery_is_settled_when_it_is_acknowledged(
    stub: ExchangeAsyncStub, service: FakeService, seen: Seen
) -> None:
    service.waiting = [message("m-1"), message("m-2")]
    call = stub.Subscribe()
    await call.write(OPTIONS)

    deliveries = [await following(call), await following(call)]
    await call.write(acknowledging(deliveries[0].delivery_id))
    await until(lambda: service.acknowledged)
    call.cancel()

    assert [d.message_id for d in deliveries] == ["m-1", "m-2"]
    assert (deliveries[0].kind, deliveries[0].content) == ("RiskAssessment", b"{}")
    assert service.acknowledged == ["m-1"]
    assert seen.count("luxor_inbox_messages_total", party="post-a", step="served") == 2


async def test_unacknowledged_delivery_comes_again_on_the_next_stream(
    stub: ExchangeAsyncStub, service: FakeService
) -> None:
    service.waiting = [message("m-1")]
    first, second = stub.Subscribe(), stub.Subscribe()
    await first.write(OPTIONS)
    one = await following(first)
    first.cancel()

    await second.write(OPTIONS)
    again = await following(second)
    second.cancel()

    assert again == one


async def test_caller_that_ends_its_side_ends_the_stream(stub: ExchangeAsyncStub) -> None:
    assert [delivery async for delivery in stub.Subscribe(iter([OPTIONS]))] == []


async def test_unknown_and_repeated_acknowledgements_are_harmless(
    stub: ExchangeAsyncStub, service: FakeService
) -> None:
    service.waiting = [message("m-1"), message("m-2")]
    call = stub.Subscribe()
    await call.write(OPTIONS)
    first = await following(call)

    await call.write(acknowledging("nonsense", "no:thing", ""))
    await call.write(acknowledging(first.delivery_id))
    await call.write(acknowledging(first.delivery_id, first.delivery_id))
    second = await following(call)
    await call.write(acknowledging(second.delivery_id))
    await until(lambda: not service.waiting)
    call.cancel()

    assert service.acknowledged == ["m-1", "m-2"]


async def test_stream_without_options_first_is_refused(stub: ExchangeAsyncStub) -> None:
    call = stub.Subscribe(iter([acknowledging("a:b")]))

    with pytest.raises(aio.AioRpcError) as caught:
        await call.read()

    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_suspension_bites_a_subscription_that_stands(
    stub: ExchangeAsyncStub, service: FakeService
) -> None:
    call = stub.Subscribe()
    await call.write(OPTIONS)
    await until(lambda: service.subscribed)
    service.suspended.add("post-a")
    service.post(message("m-1"))

    with pytest.raises(aio.AioRpcError) as caught:
        await call.read()

    assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED


async def test_stop_ends_a_subscription_at_once(
    stub: ExchangeAsyncStub, ingress: GrpcIngress
) -> None:
    call = stub.Subscribe()
    await call.write(OPTIONS)
    await asyncio.sleep(0.1)
    begun = asyncio.get_running_loop().time()

    await ingress.stop()

    assert await call.read() is aio.EOF
    assert asyncio.get_running_loop().time() - begun < 1.5  # the drain bound is 2


async def test_caller_that_names_no_party_is_told_so_on_every_method(
    ingress: GrpcIngress, pki: Pki
) -> None:
    async with channel(ingress, pki, pki.issue(None)) as connection:
        nobody = exchange(connection)
        for call in (
            nobody.Submit(submission()),
            nobody.SubmitStream(iter([submission()])).read(),
            nobody.Subscribe(iter([OPTIONS])).read(),
            nobody.Track(wire.TrackRequest(interchange_id="i-1")),
        ):
            with pytest.raises(aio.AioRpcError) as caught:
                await call
            assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED


async def test_track_gives_the_same_receipt_and_its_outcomes(stub: ExchangeAsyncStub) -> None:
    reply = await stub.Submit(submission())

    found = await stub.Track(wire.TrackRequest(interchange_id="i-1"))

    assert found.receipt == reply.receipt
    assert list(found.outcomes) == list(reply.outcomes)
    assert found.next_page_token == ""


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (wire.TrackRequest(interchange_id="none"), grpc.StatusCode.NOT_FOUND),
        (wire.TrackRequest(), grpc.StatusCode.INVALID_ARGUMENT),
        (wire.TrackRequest(key="x" * 141), grpc.StatusCode.INVALID_ARGUMENT),
        (
            wire.TrackRequest(interchange_id="i-1", page_token="x"),
            grpc.StatusCode.INVALID_ARGUMENT,
        ),
    ],
)
async def test_senseless_track_is_refused(
    stub: ExchangeAsyncStub, request_: wire.TrackRequest, status: grpc.StatusCode
) -> None:
    with pytest.raises(aio.AioRpcError) as caught:
        await stub.Track(request_)

    assert caught.value.code() is status


async def test_track_of_a_key_without_history_is_empty(stub: ExchangeAsyncStub) -> None:
    assert await stub.Track(wire.TrackRequest(key="RR1")) == wire.TrackReply()


async def test_health_says_serving(ingress: GrpcIngress, pki: Pki) -> None:
    async with channel(ingress, pki, pki.issue("post-a")) as connection:
        stub = health_pb2_grpc.HealthStub(connection)
        answer = await stub.Check(health_pb2.HealthCheckRequest(service=SERVICE))

    assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_reflection_lists_the_exchange(ingress: GrpcIngress, pki: Pki) -> None:
    async with channel(ingress, pki, pki.issue("post-a")) as connection:
        stub = reflection_pb2_grpc.ServerReflectionStub(connection)
        asked = reflection_pb2.ServerReflectionRequest(list_services="")
        [answer] = [a async for a in stub.ServerReflectionInfo(iter([asked]))]

    names = [service.name for service in answer.list_services_response.service]
    assert names == ["exchange.v1.Exchange", "grpc.health.v1.Health", *names[2:]]
