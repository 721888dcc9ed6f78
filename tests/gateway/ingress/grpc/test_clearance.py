"""Clearance over gRPC: the same answers as over HTTPS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
import pytest
from grpc import aio

from tests.fakes import FakeService
from translators.wire.exchange.v1 import exchange_pb2 as wire

if TYPE_CHECKING:
    from translators.wire.exchange.v1.exchange_pb2_grpc import ExchangeAsyncStub

ITEM = "EE471108151FR"


async def test_items_are_answered_in_order(stub: ExchangeAsyncStub, service: FakeService) -> None:
    reply = await stub.Clearance(wire.ClearanceRequest(items=[ITEM, "P-1"]))
    assert [ITEM, "P-1"] == [answer.item for answer in reply.answers] == service.asked
    assert (
        wire.ItemClearance(
            item=ITEM,
            answer=wire.CLEARING_WAIT,
            reason="decision.missing",
            as_of="2026-11-21T12:00:00+00:00",
            until="2026-11-21T13:00:00+00:00",
            then=wire.CLEARING_NO,
            message_ids=[f"m-{ITEM}"],
        )
        == reply.answers[0]
    )


@pytest.mark.parametrize("items", [[], ["x"] * 1_001])
async def test_none_and_too_many_are_refused(stub: ExchangeAsyncStub, items: list[str]) -> None:
    with pytest.raises(aio.AioRpcError) as refused:
        await stub.Clearance(wire.ClearanceRequest(items=items))
    assert grpc.StatusCode.INVALID_ARGUMENT is refused.value.code()
