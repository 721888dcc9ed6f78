"""Limits at a running HTTPS listener, by a clock that stands still: nothing is a race."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta

import aiohttp
import pytest
from aiohttp import web
from msgspec.structs import replace

from gateway.core.envelope import Transport
from gateway.ingress.http.connection import Connection
from gateway.ingress.http.server import HttpIngress
from gateway.ingress.http.settings import HttpSettings
from gateway.ingress.limits import Limiter
from gateway.ingress.problems import Problems
from gateway.ingress.tls import ServerTls
from gateway.pipeline.settings import PartySettings
from tests.fakes import NOW, FakeService, Seen, clock, until
from tests.gateway.ingress.http.conftest import Client
from tests.pki import Pki

LIMITS = PartySettings(requests_per_second=2, burst=5, connections=2, concurrent=3)


class Time:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


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
    settings: HttpSettings,
    time: Time,
    party: PartySettings,
) -> AsyncIterator[HttpIngress]:
    limiter = Limiter.alone(telemetry=seen.telemetry, clock=time, settings=party)
    async with serving(pki, service, seen, settings, limiter) as listener:
        yield listener


@asynccontextmanager
async def serving(
    pki: Pki, service: FakeService, seen: Seen, settings: HttpSettings, limiter: Limiter | None
) -> AsyncIterator[HttpIngress]:
    certificate, key = pki.issue("gateway")
    listener = HttpIngress(
        service=service,
        telemetry=seen.telemetry,
        clock=clock,
        tls=ServerTls(certificate=certificate, key=key, authorities=pki.authority),
        host="127.0.0.1",
        port=0,
        settings=settings,
        limiter=limiter,
    )
    await listener.start()
    try:
        yield listener
    finally:
        await listener.stop()


@pytest.fixture
async def other(ingress: HttpIngress, pki: Pki) -> AsyncIterator[Client]:
    party = Client(ingress, pki.client("post-b"))
    yield party
    await party.session.close()


async def connections(client: Client) -> int:
    """How many the client has open to its gateway."""
    connector = client.session.connector
    assert connector is not None
    return sum(len(pool) for pool in connector._conns.values())


async def test_beyond_its_rate_a_party_is_told_when_to_come_again_and_keeps_its_connection(
    client: Client, service: FakeService, time: Time
) -> None:
    statuses = [(await client.post(b"good", identifier=f"i-{n}"))[0] for n in range(5)]
    status, headers, problem = await client.post(b"good", identifier="i-5")

    assert statuses == [202] * 5
    assert (status, problem["code"]) == (429, "rate.exceeded")
    assert headers["Retry-After"] == "1"
    assert headers["Content-Type"] == "application/problem+json"
    assert "Connection" not in headers
    assert await connections(client) == 1
    assert len(service.contents) == 5
    time.now += timedelta(seconds=1)
    assert [(await client.post(b"good", identifier="i-5"))[0] for _ in range(3)] == [202, 202, 429]


async def test_a_body_that_comes_after_the_answer_is_read_away(
    ingress: HttpIngress, pki: Pki, client: Client, service: FakeService
) -> None:
    for n in range(5):
        await client.post(b"good", identifier=f"i-{n}")
    head = b"POST /v1/interchanges HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"
    last = b"GET /v1/formats HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", ingress.port, ssl=pki.client("post-a"), server_hostname="127.0.0.1"
    )
    async with asyncio.timeout(10):
        writer.write(head + b"GE")
        first = await reader.readuntil(b"\r\n\r\n")
        writer.write(b"T /" + last)
        rest = await reader.read()
    writer.close()
    assert first.startswith(b"HTTP/1.1 429")
    assert rest.count(b"HTTP/1.1 429") == 1
    assert len(service.contents) == 5


async def test_who_waits_for_leave_to_send_is_not_kept_in_doubt(
    ingress: HttpIngress, pki: Pki, client: Client
) -> None:
    for n in range(5):
        await client.post(b"good", identifier=f"i-{n}")
    head = (
        b"POST /v1/interchanges HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
        b"Content-Length: 5\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", ingress.port, ssl=pki.client("post-a"), server_hostname="127.0.0.1"
    )
    async with asyncio.timeout(10):
        writer.write(head)
        answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 429")
    assert b"Connection: close" in answer


async def test_one_party_at_its_rate_leaves_all_to_the_others(
    client: Client, other: Client, service: FakeService
) -> None:
    flood = [(await client.post(b"good", identifier=f"i-{n}"))[0] for n in range(60)]
    calm = [(await other.post(b"good", identifier=f"i-{n}"))[0] for n in range(5)]

    assert (flood.count(202), flood.count(429)) == (5, 55)
    assert calm == [202] * 5


async def test_every_route_counts_and_so_do_mistakes(client: Client) -> None:
    paths = ["/v1/formats", "/v1/inbox", "/nowhere", "/v1/trace/x", "/v1/interchanges/none"]
    before = [(await client.call("GET", path))[0] for path in paths]
    after = [(await client.call("GET", path))[0] for path in paths]

    assert before == [200, 200, 404, 200, 404]
    assert after == [429] * 5


@pytest.mark.parametrize("party", [replace(LIMITS, burst=50, connections=9)])
async def test_a_request_above_the_bound_of_those_at_once_is_refused_and_others_go_on(
    ingress: HttpIngress, pki: Pki, service: FakeService, client: Client, other: Client
) -> None:
    service.gate.clear()
    waiting = [asyncio.create_task(client.post(b"good", identifier=f"i-{n}")) for n in range(3)]
    await until(lambda: service.held == 3)
    status, headers, problem = await client.post(b"good", identifier="i-9")
    theirs = asyncio.create_task(other.post(b"good"))
    await until(lambda: service.held == 4)
    service.gate.set()

    assert (status, problem["code"]) == (429, "concurrency.exceeded")
    assert headers["Retry-After"] == "1"
    assert [(await task)[0] for task in (*waiting, theirs)] == [202] * 4
    assert (await client.post(b"good", identifier="i-9"))[0] == 202


@pytest.mark.parametrize("party", [replace(LIMITS, burst=1_000)])
async def test_connections_are_bounded_by_party_and_come_back(
    ingress: HttpIngress, pki: Pki
) -> None:
    async with AsyncExitStack() as stack:
        clients = [Client(ingress, pki.client(name)) for name in ["post-a"] * 3 + ["post-b"]]
        for one in clients:
            stack.push_async_callback(one.session.close)
        first, second, third, foreign = clients
        statuses = [(await one.call("GET", "/v1/formats"))[0] for one in (first, second, first)]
        status, headers, problem = await third.call("GET", "/v1/formats")

        assert statuses == [200] * 3
        assert (status, problem["code"]) == (429, "connections.exceeded")
        assert headers["Connection"] == "close"
        assert (await foreign.call("GET", "/v1/formats"))[0] == 200
        await first.session.close()
        statuses = []
        while len(statuses) < 500 and 200 not in statuses:  # until the gateway has noticed
            statuses.append((await third.call("GET", "/v1/formats"))[0])
        assert statuses[-1] == 200


async def opened(ingress: HttpIngress, context: ssl.SSLContext) -> bool:
    """Whether a connection gets as far as its handshake."""
    try:
        _, writer = await asyncio.open_connection(
            "127.0.0.1", ingress.port, ssl=context, server_hostname="127.0.0.1"
        )
    except OSError:
        return False
    writer.close()
    return True


async def test_an_address_with_too_many_connections_is_cut_before_the_handshake(
    pki: Pki, service: FakeService, seen: Seen, settings: HttpSettings
) -> None:
    narrow = replace(settings, address_connections=2)
    async with serving(pki, service, seen, narrow, None) as ingress:
        async with AsyncExitStack() as stack:
            for _ in range(2):
                one = Client(ingress, pki.client("post-a"))
                stack.push_async_callback(one.session.close)
                assert (await one.post(b"good"))[0] == 202
            third = Client(ingress, pki.client("post-a"))
            stack.push_async_callback(third.session.close)
            with pytest.raises(aiohttp.ClientConnectionError):
                await third.post(b"good")
            for _ in range(20):
                assert not await opened(ingress, pki.client("post-a"))
        refused = seen.count("luxor_connections_refused_total", transport="https")
        assert refused >= 21
        assert len(seen.events("connection.refused")) == 1
        await until(lambda: not ingress._acceptor._addresses._open)  # type: ignore[union-attr] # it runs


async def test_handshakes_of_one_address_are_bounded_in_time(
    pki: Pki, service: FakeService, seen: Seen, settings: HttpSettings
) -> None:
    slow = replace(settings, address_handshakes_per_second=0.001)  # one at once, doubled twice
    async with serving(pki, service, seen, slow, None) as ingress:
        context = pki.client("post-a")
        assert [await opened(ingress, context) for _ in range(4)] == [True, True, False, False]


async def test_what_never_begins_is_ended(
    pki: Pki, service: FakeService, seen: Seen, settings: HttpSettings
) -> None:
    hasty = replace(settings, header_timeout=0.2)
    async with serving(pki, service, seen, hasty, None) as ingress:
        for content in (b"", b"GET /v1/formats HTTP/1.1\r\nHost", b"\r\n"):
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", ingress.port, ssl=pki.client("post-a"), server_hostname="127.0.0.1"
            )
            writer.write(content)
            async with asyncio.timeout(10):
                assert await reader.read() == b""
            writer.close()
        one = Client(ingress, pki.client("post-a"))
        assert (await one.post(b"good"))[0] == 202
        await asyncio.sleep(0.4)  # twice the bound: it is for the first request alone
        assert (await one.post(b"good"))[0] == 202
        assert await connections(one) == 1
        await one.session.close()


async def test_a_connection_ends_after_some_requests_by_nobody_who_is_known(
    pki: Pki, service: FakeService, seen: Seen, settings: HttpSettings
) -> None:
    service.suspended.add("post-a")
    asked = b"GET /v1/formats HTTP/1.1\r\nHost: x\r\n\r\n"
    strict = replace(settings, unidentified=3)
    async with serving(pki, service, seen, strict, None) as ingress:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", ingress.port, ssl=pki.client("post-a"), server_hostname="127.0.0.1"
        )
        async with asyncio.timeout(10):
            writer.write(asked * 10)
            answer = await reader.read()
        writer.close()
    assert answer.count(b"HTTP/1.1 403") == 3
    assert answer.count(b"Connection: close") == 1


class Wire(asyncio.Transport):
    """A transport that only knows whether it was aborted."""

    aborted = False

    def abort(self) -> None:
        self.aborted = True

    def close(self) -> None:
        """Called by the protocol when it is over."""


@pytest.mark.parametrize("taken", [False, True])
async def test_an_answer_that_nobody_takes_ends_its_connection(seen: Seen, taken: bool) -> None:
    async def never(_: object) -> web.Response:
        raise AssertionError("no request came")

    connection = Connection(
        web.Server(never),
        loop=asyncio.get_running_loop(),
        problems=Problems(transport=Transport.HTTPS, telemetry=seen.telemetry),
        lost=lambda: None,
        limiter=Limiter.alone(telemetry=seen.telemetry, clock=clock),
        settings=HttpSettings(answer_idle=0.05),
    )
    wire = Wire()
    connection.connection_made(wire)
    connection.pause_writing()
    if taken:
        connection.resume_writing()
        await asyncio.sleep(0.2)
    else:
        await until(lambda: wire.aborted)
    assert wire.aborted is not taken
    connection.connection_lost(None)
