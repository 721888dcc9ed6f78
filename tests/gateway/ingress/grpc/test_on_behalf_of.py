"""The claim to act for somebody, as a field of a submission."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
import pytest
from grpc import aio

from tests.fakes import FakeService
from tests.gateway.ingress.grpc.conftest import submission
from translators.wire.exchange.v1 import exchange_pb2 as wire

if TYPE_CHECKING:
    from translators.wire.exchange.v1.exchange_pb2_grpc import ExchangeAsyncStub


def claiming(claimed: str) -> wire.Submission:
    """A submission in somebody's name."""
    request = submission()
    request.on_behalf_of = claimed
    return request


@pytest.mark.parametrize(("claimed", "expected"), [("", None), ("post-b", "post-b")])
async def test_the_claim_reaches_the_service(
    stub: ExchangeAsyncStub, service: FakeService, claimed: str, expected: str | None
) -> None:
    await stub.Submit(claiming(claimed))

    [envelope] = service.envelopes
    assert envelope.on_behalf_of == expected


async def test_without_a_delegation_the_call_ends(
    stub: ExchangeAsyncStub, service: FakeService
) -> None:
    with pytest.raises(aio.AioRpcError) as caught:
        await stub.Submit(claiming("unheard-of"))

    assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
    assert service.envelopes == []


async def test_in_a_stream_each_submission_has_its_own(
    stub: ExchangeAsyncStub, service: FakeService
) -> None:
    requests = []
    for number, name in enumerate(("post-b", "", "unheard-of")):
        request = claiming(name)
        request.interchange_id = f"i-{number}"
        requests.append(request)

    replies = [reply async for reply in stub.SubmitStream(iter(requests))]

    codes = {reply.interchange_id: reply.problem.code for reply in replies}
    assert codes == {"i-0": "", "i-1": "", "i-2": "permission.on-behalf-of"}
    taken = {envelope.interchange_id: envelope.on_behalf_of for envelope in service.envelopes}
    assert taken == {"i-0": "post-b", "i-1": None}
