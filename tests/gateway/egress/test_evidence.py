"""Fetching evidence: bounded in size and time, and nowhere but to the address that was given."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from gateway.egress.evidence import EvidenceClient, FetchFailed, Listed
from trust.ocsp import MAX_ANSWER_BYTES


class Site:
    """A server on the loopback; ``strayed`` counts who followed its redirect."""

    def __init__(self) -> None:
        self.url = ""
        self.strayed = 0
        self.release = asyncio.Event()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One path for each way to behave."""
        match request.path:
            case "/echo":
                kind = request.headers["Content-Type"].encode()
                return web.Response(body=kind + b":" + await request.read())
            case "/list":
                if request.headers.get("If-None-Match") == '"7"':
                    return web.Response(status=304)
                return web.Response(body=b"list", headers={"ETag": '"7"'})
            case "/away":
                return web.Response(status=302, headers={"Location": f"{self.url}/stray"})
            case "/stray":
                self.strayed += 1
                return web.Response(body=b"stray")
            case "/large":
                return web.Response(body=b"0" * (MAX_ANSWER_BYTES + 1))
            case "/bomb":
                body = web.Response(body=b"0" * 1_000)
                body.enable_compression(web.ContentCoding.gzip)
                return body
            case "/slow":
                await self.release.wait()
        return web.Response(status=500)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """A running site."""
    found, app = Site(), web.Application()
    app.router.add_route("*", "/{path:.*}", found.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield found
    found.release.set()
    await runner.cleanup()


@pytest.fixture
async def client() -> AsyncIterator[EvidenceClient]:
    """A client that waits for a fifth of a second."""
    found = EvidenceClient(answer_seconds=0.2, list_seconds=5)
    yield found
    await found.close()
    await found.close()


async def test_a_question_is_posted_and_the_answer_returned(
    site: Site, client: EvidenceClient
) -> None:
    assert b"application/ocsp-request:why" == await client.ask(f"{site.url}/echo", b"why")


async def test_a_list_that_has_not_changed_is_not_sent_again(
    site: Site, client: EvidenceClient
) -> None:
    assert Listed(b"list", '"7"') == await client.fetch(f"{site.url}/list")
    assert await client.fetch(f"{site.url}/list", tag='"7"') is None


async def test_a_redirect_is_not_followed(site: Site, client: EvidenceClient) -> None:
    with pytest.raises(FetchFailed, match="status 302"):
        await client.fetch(f"{site.url}/away")
    assert 0 == site.strayed


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("large", f"more than {MAX_ANSWER_BYTES} bytes"),
        ("slow", "nothing within 0.2 seconds"),
        ("wrong", "status 500"),
    ],
)
async def test_what_is_too_much_too_slow_or_wrong_fails(
    site: Site, client: EvidenceClient, path: str, reason: str
) -> None:
    with pytest.raises(FetchFailed, match=reason):
        await client.ask(f"{site.url}/{path}", b"why")


async def test_what_is_compressed_is_not_unpacked(site: Site, client: EvidenceClient) -> None:
    found = await client.fetch(f"{site.url}/bomb")

    assert found is not None
    assert found.content != b"0" * 1_000


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "http://", "http://[", "nowhere"])
async def test_nobody_there_fails(client: EvidenceClient, url: str) -> None:
    with pytest.raises(FetchFailed):
        await client.ask(url, b"why")
