"""Stopping: what was begun is answered, what is idle is closed, nothing new is taken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

from gateway.ingress.http.server import HttpIngress
from tests.fakes import FakeService, until
from tests.gateway.ingress.http.conftest import Client


async def test_request_under_judgement_is_answered(
    client: Client, ingress: HttpIngress, service: FakeService
) -> None:
    service.gate.clear()
    request = asyncio.create_task(client.post(b"good"))
    await until(lambda: service.held)
    stop = asyncio.create_task(ingress.stop())
    await asyncio.sleep(0.05)
    service.gate.set()

    status, headers, _ = await request
    await stop

    assert (status, headers["Connection"]) == (202, "close")


async def test_body_that_is_still_coming_is_read_and_answered(
    client: Client, ingress: HttpIngress, service: FakeService
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b"go"
        begun.set()
        await go_on.wait()
        yield b"od"

    request = asyncio.create_task(client.post(body()))
    await begun.wait()
    await asyncio.sleep(0.05)  # the headers and the first piece are read
    stop = asyncio.create_task(ingress.stop())
    await asyncio.sleep(0.05)
    go_on.set()

    assert (await request)[0] == 202
    await stop
    assert service.contents == [b"good"]


async def test_idle_connection_is_closed_at_once_and_no_new_one_is_taken(
    client: Client, ingress: HttpIngress
) -> None:
    await client.post(b"good")
    begun = asyncio.get_running_loop().time()

    await ingress.stop()

    assert asyncio.get_running_loop().time() - begun < 2  # the drain bound
    with pytest.raises(aiohttp.ClientError):
        await client.post(b"good", identifier="late")


async def test_inbox_call_that_waits_does_not_hold_up_the_stop(
    client: Client, ingress: HttpIngress
) -> None:
    waiting = asyncio.create_task(client.call("GET", "/v1/inbox?wait=30"))
    await asyncio.sleep(0.1)

    async with asyncio.timeout(10):
        await ingress.stop()

    assert (await waiting)[0] == 200


async def test_request_that_never_ends_is_cut_after_the_drain_bound(
    client: Client, ingress: HttpIngress, service: FakeService
) -> None:
    service.gate.clear()
    request = asyncio.create_task(client.post(b"good"))
    await until(lambda: service.held)

    await ingress.stop()

    with pytest.raises(aiohttp.ClientError):
        await request


async def test_stop_may_be_called_twice_and_before_the_start(ingress: HttpIngress) -> None:
    await ingress.stop()
    await ingress.stop()
