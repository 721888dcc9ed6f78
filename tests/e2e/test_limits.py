"""A party's limits in the registry bite on a connection that stands, and go as they came."""

from __future__ import annotations

import asyncio
import shutil
import ssl
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.e2e.callers import client_context
from tests.e2e.network import GatewayProcess, running

BOUND_SECONDS = 30.0
"""A hang bound; the configured poll is 0.2 s."""
ONE = 'id = "post-a"\n'
SMALL = "limits = { requests_per_second = 0.01, burst = 2 }\n"


@pytest.fixture
def gateway(tmp_path: Path, certs: Path) -> Iterator[GatewayProcess]:
    """A gateway with a registry of its own, which the test changes."""
    own = tmp_path / "certs"
    shutil.copytree(certs, own)
    with running(tmp_path / "gateway", own) as process:
        yield process


async def asked_until(
    gateway: GatewayProcess, session: aiohttp.ClientSession, context: ssl.SSLContext, status: int
) -> str:
    """Ask over one connection until that status is the answer; its ``Retry-After``."""
    async with asyncio.timeout(BOUND_SECONDS):
        while True:
            address = f"https://localhost:{gateway.ports.https}/v1/formats"
            async with session.get(address, ssl=context) as answer:
                assert answer.status in (200, 429)
                await answer.read()
                if answer.status == status:
                    return answer.headers.get("Retry-After", "")


async def test_limits_of_the_registry_come_and_go_without_a_restart(
    gateway: GatewayProcess, tmp_path: Path
) -> None:
    registry = tmp_path / "certs" / "luxor" / "registry.toml"
    text = registry.read_text("utf-8")
    assert text.count(ONE) == 1
    opened = 0

    async def counted(*_: object) -> None:
        nonlocal opened
        opened += 1

    trace = aiohttp.TraceConfig()
    trace.on_connection_create_end.append(counted)
    connector = aiohttp.TCPConnector(limit=1)
    context = client_context(gateway, "post-a")  # one for all, so that the connection is kept
    async with aiohttp.ClientSession(connector=connector, trace_configs=[trace]) as session:
        await asked_until(gateway, session, context, 200)
        registry.write_text(text.replace(ONE, ONE + SMALL), "utf-8")
        assert int(await asked_until(gateway, session, context, 429)) in range(1, 101)
        registry.write_text(text, "utf-8")
        await asked_until(gateway, session, context, 200)
    assert opened == 1
    log = gateway.log.read_text("utf-8")
    assert log.count('"limit.reached"') == 1
    assert '"request.failed"' not in log
