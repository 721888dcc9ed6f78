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
from gateway.core.identifiers import MessageId
from tests.e2e import documents
from tests.e2e.callers import metric, post
from tests.e2e.network import CONFIG, GatewayProcess, running

PULLER = "customs-risk"
PULLED = CONFIG.replace('to = ["archive"]', f'to = ["inbox:{PULLER}"]')


@pytest.fixture
def gateway(tmp_path: Path, certs: Path) -> Iterator[GatewayProcess]:
    """A gateway whose items wait in an inbox."""
    with running(tmp_path, certs, PULLED) as process:
        yield process


async def sent(gateway: GatewayProcess, number: int) -> MessageId:
    """A good item is sent; its message id."""
    answer = await post(
        gateway,
        "post-a",
        documents.good(number, control=f"i-{number}"),
        identifier=f"i-{number}",
        headers={"Luxor-Format": "upu.itmatt.1"},
    )
    assert answer.status == 202
    return MessageId(answer.body["outcomes"][0]["message_id"])


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


SHORT = PULLED + "\n[dispatch]\ninbox_lease = 1\nidle = 0.1\n"


@pytest.fixture
def forgetful(tmp_path: Path, certs: Path) -> Iterator[GatewayProcess]:
    """The same, with pages that belong to who fetched them for a second only."""
    with running(tmp_path, certs, SHORT) as process:
        yield process


async def acknowledged(gateway: GatewayProcess, number: int) -> None:
    """Wait until the gateway has settled so many messages since its start."""
    labels = f'luxor_inbox_messages_total{{party="{PULLER}",step="acknowledged"}}'
    async with asyncio.timeout(30):
        while await metric(gateway, labels) < number:  # noqa: ASYNC110 - another process counts
            await asyncio.sleep(0.02)


async def test_an_acknowledgement_on_a_new_stream_counts_after_a_kill_of_the_gateway(
    gateway: GatewayProcess,
) -> None:
    ids = [await sent(gateway, number) for number in (1, 2, 3)]
    async with subscribed(gateway) as first:
        stream = aiter(first)
        served = [await anext(stream) for _ in ids]
        gateway.kill()
    gateway.start()
    async with subscribed(gateway) as second:
        await second.acknowledge(*(delivery.delivery_id for delivery in served))
        await acknowledged(gateway, 3)
        ids.append(await sent(gateway, 4))
        following = await anext(aiter(second))

    assert set(ids[:3]) == {delivery.message_id for delivery in served}
    assert ids[3] == following.message_id


async def test_what_a_killed_gateway_had_served_by_grpc_comes_again_but_what_was_acknowledged(
    forgetful: GatewayProcess,
) -> None:
    ids = [await sent(forgetful, number) for number in (1, 2, 3)]
    async with subscribed(forgetful) as first:
        stream = aiter(first)
        served = [await anext(stream) for _ in ids]
        await first.acknowledge(served[0].delivery_id)
        await acknowledged(forgetful, 1)
        forgetful.kill()
    forgetful.start()
    async with subscribed(forgetful) as second:
        stream = aiter(second)
        again = {(await anext(stream)).message_id for _ in range(2)}

    assert {delivery.message_id for delivery in served[1:]} == again


async def test_what_a_killed_gateway_had_served_by_https_comes_again_but_what_was_acknowledged(
    forgetful: GatewayProcess,
) -> None:
    ids = [await sent(forgetful, number) for number in (1, 2, 3)]
    credentials, peer = development(forgetful.certs, PULLER)

    def client() -> PartyClient:
        return PartyClient(f"https://localhost:{forgetful.ports.https}", credentials, gateway=peer)

    async with client() as before:
        page = await before.inbox()
        assert page.cursor is not None
        await before.acknowledge(page.cursor, [ids[0]])
    forgetful.kill()
    forgetful.start()
    again = set[str]()
    async with asyncio.timeout(30), client() as after:
        while len(again) < 2:
            again |= {message.message_id for message in (await after.inbox(wait=5)).messages}

    assert set(ids) == {message.message_id for message in page.messages}
    assert set(ids[1:]) == again
