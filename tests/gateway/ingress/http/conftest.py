"""A listener with small bounds, and clients of it."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.ingress.http.server import HttpIngress
from gateway.ingress.http.settings import HttpSettings
from gateway.ingress.spool import SpoolSettings
from gateway.ingress.tls import ServerTls
from tests.fakes import FakeService, Seen, clock
from tests.pki import Pki


@pytest.fixture
def settings(spool_folder: Path) -> HttpSettings:
    return HttpSettings(
        spool=SpoolSettings(memory_bytes=4096, max_bytes=100_000, directory=str(spool_folder)),
        body_idle=0.3,
        body_timeout=2.0,
        lingering=0.5,
        handshake_timeout=1.0,
        submissions=4,
        drain=2.0,
    )


@pytest.fixture
async def ingress(
    pki: Pki, service: FakeService, seen: Seen, settings: HttpSettings
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
    )
    await listener.start()
    yield listener
    await listener.stop()


class Client:
    """A party that calls the listener over one connection."""

    def __init__(self, ingress: HttpIngress, context: ssl.SSLContext) -> None:
        self.url = f"https://127.0.0.1:{ingress.port}"
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=context), timeout=aiohttp.ClientTimeout(total=20)
        )

    async def post(
        self,
        content: Any = b"good",
        *,
        identifier: str | None = "i-1",
        path: str = "/v1/interchanges",
        **headers: str,
    ) -> tuple[int, dict[str, str], Any]:
        """Send content; status, headers and JSON of the answer."""
        given = {"Content-Type": "application/json"}
        if identifier is not None:
            given["Luxor-Interchange-Id"] = identifier
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.call("POST", path, data=content, headers=given)

    async def call(
        self, method: str, path: str, **arguments: Any
    ) -> tuple[int, dict[str, str], Any]:
        """Any call; status, headers and JSON of the answer (empty for HEAD)."""
        async with self.session.request(method, self.url + path, **arguments) as answer:
            body = {} if method == "HEAD" else await answer.json(content_type=None)
            return answer.status, dict(answer.headers), body


@pytest.fixture
async def client(ingress: HttpIngress, pki: Pki) -> AsyncIterator[Client]:
    party = Client(ingress, pki.client("post-a"))
    yield party
    await party.session.close()
