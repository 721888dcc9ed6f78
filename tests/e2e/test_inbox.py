"""A party without an endpoint pulls over HTTPS or gRPC; what it did not acknowledge comes again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.client.credentials import development
from gateway.client.grpc import GrpcPartyClient
from gateway.client.https import PartyClient
from gateway.client.subscription import Subscription
from tests.e2e import documents
from tests.e2e.callers import post
from tests.e2e.network import CONFIG, GatewayProcess, running

PULLER = "customs-risk"
PULLED = CONFIG.replace('to = ["archive"]', f'to = ["inbox:{PULLER}"]')


@pytest.fixture
def gateway(tmp_path: Path, certs: Path) -> Iterator[GatewayProcess]:
    """A gateway whose items wait in an inbox."""
    with running(tmp_path, certs, PULLED) as process:
        yield process


async def sent(gateway: GatewayProcess, number: int) -> str:
    """A good item is sent; its message id."""
    answer = await post(
        gateway,
        "post-a",
        documents.good(number, control=f"i-{number}"),
        identifier=f"i-{number}",
        headers={"Luxor-Format": "upu.itmatt.1"},
    )
    assert answer.status == 202
    return str(answer.body["outcomes"][0]["message_id"])


@asynccontextmanager
async def subscribed(gateway: GatewayProcess) -> AsyncIterator[Subscription]:
    """A subscription of the puller."""
    credentials, peer = development(gateway.certs, PULLER)
    target = f"localhost:{gateway.ports.grpc}"
    async with (
        asyncio.timeout(30),
        GrpcPartyClient(target, credentials, gateway=peer) as client,
        client.subscribe() as subscription,
    ):
        yield subscription


async def test_a_subscription_repeats_what_was_not_acknowledged(gateway: GatewayProcess) -> None:
    message_id = await sent(gateway, 1)
    async with subscribed(gateway) as first:
        delivery = await anext(aiter(first))
    async with subscribed(gateway) as second:
        again = await anext(aiter(second))
        await second.acknowledge(again.delivery_id)
        later_id = await sent(gateway, 2)
        later = await anext(aiter(second))
        await second.acknowledge(later.delivery_id)

    assert [message_id, message_id, later_id] == [
        delivery.message_id,
        again.message_id,
        later.message_id,
    ]


async def test_a_cursor_survives_a_kill_of_the_gateway(gateway: GatewayProcess) -> None:
    message_id = await sent(gateway, 1)
    credentials, peer = development(gateway.certs, PULLER)

    async with PartyClient(
        f"https://localhost:{gateway.ports.https}", credentials, gateway=peer
    ) as client:
        page = await client.inbox()
    gateway.kill()
    gateway.start()
    async with PartyClient(
        f"https://localhost:{gateway.ports.https}", credentials, gateway=peer
    ) as client:
        assert page.cursor is not None
        settled = await client.acknowledge(page.cursor)
        rest = await client.inbox()

    assert [message_id] == [message.message_id for message in page.messages]
    assert (1, ()) == (settled, rest.messages)
