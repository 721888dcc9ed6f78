"""Sending again: what was accepted is answered with the first receipt, what was refused is judged
anew, and receivers know a message by one id whatever becomes of its attempts."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from gateway.core.deliveries import Act, Chosen, Deed
from gateway.core.envelope import Bytes, Envelope, Transport
from gateway.core.errors import Refused
from gateway.core.identifiers import InterchangeId
from gateway.core.records import Result, Settlement, State, Stored
from tests import samples
from tests.gateway.pipeline.conftest import FORMATS, JSON, Middle
from translators.canonical import Interchange
from translators.translator import encode

BAD = msgspec.structs.replace(samples.ITEM, item_id="EE471108150FR")


async def send(middle: Middle, transport: Transport, item: object = samples.ITEM) -> Stored:
    content = encode(FORMATS.get(JSON), Interchange(messages=(item,)))  # type: ignore[arg-type] # one of the samples
    return await middle.inbound.accept(
        middle.sender("post-a"),
        Envelope(
            interchange_id=InterchangeId("the-same"),
            format=JSON,
            content=Bytes(content),
            transport=transport,
            received_at=middle.now,
        ),
    )


@pytest.mark.parametrize("first", [Transport.HTTPS, Transport.GRPC, Transport.FOLDER])
@pytest.mark.parametrize("again", [Transport.HTTPS, Transport.GRPC, Transport.FOLDER])
async def test_a_repeat_gets_the_first_receipt_by_whatever_transport(
    middle: Middle, first: Transport, again: Transport
) -> None:
    accepted = await send(middle, first)
    middle.now = middle.now.replace(hour=23)
    repeated = await send(middle, again)

    assert repeated == msgspec.structs.replace(accepted, repeated=True)
    assert (await middle.journal.backlog())[0].ready == 1


async def test_a_resend_after_a_refused_attempt_is_judged_anew(middle: Middle) -> None:
    refused = await send(middle, Transport.HTTPS, BAD)
    accepted = await send(middle, Transport.GRPC)

    assert (refused.state, refused.attempt) == (State.REFUSED, 1)
    assert (accepted.state, accepted.attempt) == (State.ACCEPTED, 2)
    with pytest.raises(Refused, match=r"interchange\.conflict"):
        await send(middle, Transport.HTTPS, BAD)


async def test_a_receiver_gets_the_same_id_and_bytes_in_each_attempt(
    middles: Callable[..., Middle],
) -> None:
    middle = middles()
    await send(middle, Transport.HTTPS)
    sent = []
    for result in (Result.RETRY, Result.BURIED, Result.DELIVERED):
        await middle.journal.tick(now=middle.now)
        lease = await middle.journal.lease("risk", limit=1, seconds=60, now=middle.now)
        assert lease is not None
        (delivery,) = lease.deliveries
        endpoint = middle.network.endpoints.get("risk")
        prepared = await middle.preparer.prepare(delivery, endpoint)
        sent.append((prepared.outgoing.message_id, prepared.outgoing.content))
        settlement = Settlement(delivery=delivery, result=result, not_before=middle.now)
        await middle.journal.settle(lease, [settlement], now=middle.now)
        deed = Deed(act=Act.RETRY, by="tests", reason="again")
        await middle.journal.deliveries.act(Chosen(), deed, now=middle.now)

    assert len(set(sent)) == 1
