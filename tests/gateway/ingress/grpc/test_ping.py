"""Ping over gRPC: the question goes to the service as it came, its answer back with a signature."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
import pytest
from grpc import aio

from translators.wire.exchange.v1 import exchange_pb2 as wire

if TYPE_CHECKING:
    from translators.wire.exchange.v1.exchange_pb2_grpc import ExchangeAsyncStub


async def test_the_answer_has_the_signature_of_the_gateway(stub: ExchangeAsyncStub) -> None:
    reply = await stub.Ping(wire.PingRequest(content=b"question", signature="ours"))

    assert (b'{"party":"post-a","proved":"None"}', "over ours") == (reply.content, reply.signature)


async def test_a_question_is_small(stub: ExchangeAsyncStub) -> None:
    with pytest.raises(aio.AioRpcError) as refused:
        await stub.Ping(wire.PingRequest(content=b"x" * 1_025))

    assert (refused.value.details() or "").startswith("body.oversize")


async def test_a_mistake_of_ours_is_told_as_one(stub: ExchangeAsyncStub) -> None:
    with pytest.raises(aio.AioRpcError) as failed:
        await stub.Ping(wire.PingRequest(content=b"explode"))

    assert grpc.StatusCode.INTERNAL is failed.value.code()
