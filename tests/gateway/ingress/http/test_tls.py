"""Who gets through the handshake, and what is known of those who do not."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from msgspec.structs import replace

from gateway.ingress.http.server import HttpIngress
from gateway.ingress.http.settings import HttpSettings
from gateway.ingress.tls import ServerTls
from tests.fakes import FakeService, Seen, clock, until
from tests.gateway.ingress.http.conftest import Client
from tests.pki import Pki


@asynccontextmanager
async def calling(ingress: HttpIngress, context: ssl.SSLContext) -> AsyncIterator[Client]:
    client = Client(ingress, context)
    try:
        yield client
    finally:
        await client.session.close()


async def refusals(seen: Seen, count: int) -> list[object]:
    """The reasons of that many refused handshakes, once they are known."""
    await until(lambda: len(seen.events("tls.refused")) >= count)
    assert seen.count("luxor_tls_refused_total", transport="https") == count
    return [event["reason"] for event in seen.events("tls.refused")]


async def is_served(ingress: HttpIngress, pki: Pki) -> bool:
    async with calling(ingress, pki.client("post-a")) as client:
        return (await client.post(b"good"))[0] == 202


async def test_certificate_of_an_unknown_authority_dies_in_the_handshake(
    ingress: HttpIngress, seen: Seen, pki: Pki, foreign_pki: Pki
) -> None:
    context = pki.stranger()
    context.load_cert_chain(*foreign_pki.issue("post-a"))

    async with calling(ingress, context) as client:
        with pytest.raises(aiohttp.ClientError):
            await client.post(b"good")

    assert await refusals(seen, 1) == ["unable to get local issuer certificate"]
    assert await is_served(ingress, pki)


async def test_no_certificate_dies_in_the_handshake(
    ingress: HttpIngress, seen: Seen, pki: Pki
) -> None:
    async with calling(ingress, pki.stranger()) as client:
        with pytest.raises(aiohttp.ClientError):
            await client.post(b"good")

    assert await refusals(seen, 1) == ["PEER_DID_NOT_RETURN_A_CERTIFICATE"]
    assert await is_served(ingress, pki)


async def test_tls_1_2_dies_in_the_handshake(ingress: HttpIngress, seen: Seen, pki: Pki) -> None:
    context = pki.client("post-a")
    context.maximum_version = ssl.TLSVersion.TLSv1_2

    async with calling(ingress, context) as client:
        with pytest.raises(aiohttp.ClientError):
            await client.post(b"good")

    assert await refusals(seen, 1) == ["UNSUPPORTED_PROTOCOL"]
    assert await is_served(ingress, pki)


async def test_plain_http_dies_in_the_handshake(ingress: HttpIngress, seen: Seen, pki: Pki) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", ingress.port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")

    assert await reader.read() == b""
    writer.close()
    assert await refusals(seen, 1) == ["HTTP_REQUEST"]
    assert await is_served(ingress, pki)


async def test_handshake_that_never_comes_is_given_up(
    ingress: HttpIngress, seen: Seen, pki: Pki
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", ingress.port)

    assert await reader.read() == b""
    writer.close()
    assert await refusals(seen, 1) == ["handshake timeout"]
    assert await is_served(ingress, pki)


async def test_probe_that_only_connects_is_nobody_refused(
    ingress: HttpIngress, seen: Seen, pki: Pki
) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", ingress.port)
    writer.close()

    assert await is_served(ingress, pki)
    assert seen.count("luxor_tls_refused_total", transport="https") == 0


async def test_expired_certificate_gets_an_answer(
    ingress: HttpIngress, seen: Seen, pki: Pki
) -> None:
    async with calling(ingress, pki.client("post-a", expired=True)) as client:
        status, _, problem = await client.post(b"good")

    assert (status, problem["code"]) == (403, "certificate.expired")
    assert seen.count("luxor_tls_refused_total", transport="https") == 0
    assert await is_served(ingress, pki)


async def test_suspension_bites_a_connection_that_stands(
    ingress: HttpIngress, pki: Pki, service: FakeService
) -> None:
    async with calling(ingress, pki.client("post-a")) as client:
        before, _, _ = await client.post(b"good")
        service.suspended.add("post-a")
        after, _, problem = await client.post(b"good")

    assert (before, after, problem["code"]) == (202, 403, "party.suspended")


async def test_certificate_that_names_nobody_gets_an_answer(ingress: HttpIngress, pki: Pki) -> None:
    async with calling(ingress, pki.client(None)) as client:
        status, _, problem = await client.call("GET", "/v1/formats")

    assert (status, problem["code"]) == (403, "party.unknown")


async def test_authority_added_while_running_is_trusted_by_new_connections(
    ingress: HttpIngress, pki: Pki, foreign_pki: Pki
) -> None:
    certificate, key = pki.issue("gateway")
    context = pki.stranger()
    context.load_cert_chain(*foreign_pki.issue("partner"))

    ingress.renew(
        ServerTls(
            certificate=certificate,
            key=key,
            authorities=pki.authority + foreign_pki.authority,
        )
    )

    async with calling(ingress, context) as client:
        assert (await client.post(b"good"))[0] == 202


async def test_connections_above_the_bound_wait_for_their_turn(
    pki: Pki, service: FakeService, seen: Seen, settings: HttpSettings
) -> None:
    certificate, key = pki.issue("gateway")
    narrow = HttpIngress(
        service=service,
        telemetry=seen.telemetry,
        clock=clock,
        tls=ServerTls(certificate=certificate, key=key, authorities=pki.authority),
        host="127.0.0.1",
        port=0,
        settings=replace(settings, connections=1),
    )
    await narrow.start()
    async with calling(narrow, pki.client("post-b")) as waiting:
        async with calling(narrow, pki.client("post-a")) as client:
            assert (await client.post(b"good"))[0] == 202
            second = asyncio.create_task(waiting.post(b"good"))
            await asyncio.sleep(0.2)
            came_early = second.done()
        assert (await second)[0] == 202
    await narrow.stop()

    assert not came_early


async def test_resumed_session_is_the_same_party(ingress: HttpIngress, pki: Pki) -> None:
    context = pki.client("post-a")
    async with calling(ingress, context) as client:
        await client.post(b"good")
        _, writer = await asyncio.open_connection(
            "127.0.0.1", ingress.port, ssl=context, server_hostname="127.0.0.1"
        )
        writer.close()
        status, _, answer = await client.call("GET", "/v1/interchanges/i-1")

    assert status == 200
    assert answer["answer"]["interchange_id"] == "i-1"
