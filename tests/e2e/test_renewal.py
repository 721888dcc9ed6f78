"""A gateway's TLS certificate is renewed while it runs: new connections see it, old ones go on."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import pytest
from cryptography import x509

from tests.e2e import documents
from tests.e2e.callers import channel, client_context
from tests.e2e.network import GatewayProcess, running
from translators.wire.exchange.v1 import exchange_pb2, exchange_pb2_grpc
from trust.authority import (
    Issuer,
    Validity,
    generate_tls_key,
    issue_tls,
    load_tls_key,
    private_key_pem,
)
from trust.certificates import pem_of
from trust.identity import PartyId

BOUND_SECONDS = 30.0
"""A hang bound; the configured poll is 0.2 s."""


@pytest.fixture
def gateway(tmp_path: Path, certs: Path) -> Iterator[GatewayProcess]:
    """A gateway with a PKI of its own, which the test changes."""
    own = tmp_path / "certs"
    shutil.copytree(certs, own)
    with running(tmp_path / "gateway", own) as process:
        yield process


def renewed(gateway: GatewayProcess) -> tuple[bytes, bytes]:
    """A certificate and key in the place of the gateway's."""
    home = gateway.certs / "luxor"
    issuing = x509.load_pem_x509_certificate((home / "issuing.pem").read_bytes())
    issuer = Issuer(issuing, load_tls_key((home / "private/issuing.key").read_bytes()))
    key, now = generate_tls_key("P-256"), datetime.now(UTC)
    certificate = issue_tls(
        key,
        issuer=issuer,
        name="gateway-lx",
        party=PartyId("gateway-lx"),
        validity=Validity(now - timedelta(minutes=5), now + timedelta(days=90)),
        hosts=("localhost", "127.0.0.1"),
    )
    return f"{pem_of(certificate)}{pem_of(issuing)}".encode(), private_key_pem(key)


def events(gateway: GatewayProcess, name: str) -> list[dict[str, Any]]:
    """What the gateway said under that name."""
    lines = gateway.log.read_text("utf-8").splitlines()
    return [e for e in map(json.loads, lines) if e["event"] == name]


async def until(holds: Callable[[], bool]) -> None:
    """Wait for something, within the bound."""
    async with asyncio.timeout(BOUND_SECONDS):
        while not holds():  # noqa: ASYNC110 - another process tells through its log
            await asyncio.sleep(0.05)


async def shown(port: int) -> str:
    """The fingerprint of what a listener shows to a new connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2", "http/1.1"])
    _, writer = await asyncio.open_connection("localhost", port, ssl=context)
    der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.transport.abort()
    return hashlib.sha256(der).hexdigest()


async def post(gateway: GatewayProcess, session: aiohttp.ClientSession, number: int) -> int:
    """Submit over the session's one connection; the status."""
    async with session.post(
        f"https://localhost:{gateway.ports.https}/v1/interchanges",
        data=documents.good(number, control=f"t-{number}"),
        headers={"Luxor-Interchange-Id": f"t-{number}", "Luxor-Format": "upu.itmatt.1"},
    ) as answer:
        return answer.status


def submission(number: int) -> exchange_pb2.Submission:
    """One over gRPC."""
    return exchange_pb2.Submission(
        interchange_id=f"g-{number}",
        format="upu.itmatt.1",
        content=documents.good(number, control=f"g-{number}"),
    )


async def test_new_connections_see_the_new_certificate_and_old_ones_go_on(
    gateway: GatewayProcess,
) -> None:
    home = gateway.certs / "luxor/parties/gateway-lx"
    before = await shown(gateway.ports.https)
    connector = aiohttp.TCPConnector(limit=1, ssl=client_context(gateway, "post-a"))
    async with aiohttp.ClientSession(connector=connector) as session:
        assert 202 == await post(gateway, session, 1)
        async with channel(gateway, "post-a") as open_channel:
            stub = exchange_pb2_grpc.ExchangeStub(open_channel)
            await stub.Submit(submission(1), timeout=30)

            certificate, key = renewed(gateway)
            (home / "tls.pem").write_bytes(certificate)
            await until(lambda: bool(events(gateway, "tls.rejected")))
            # only half of it is there: the old pair stays
            assert before == await shown(gateway.ports.https)
            assert before == await shown(gateway.ports.grpc)

            (home / "tls.key").write_bytes(key)
            await until(lambda: bool(events(gateway, "tls.renewed")))
            now = events(gateway, "tls.renewed")[0]["fingerprint"]
            assert now != before
            assert now == await shown(gateway.ports.https)
            assert now == await shown(gateway.ports.grpc)

            # the connections from before
            assert 202 == await post(gateway, session, 2)
            await stub.Submit(submission(2), timeout=30)
    connector = aiohttp.TCPConnector(ssl=client_context(gateway, "post-a"))
    async with aiohttp.ClientSession(connector=connector) as session:
        assert 202 == await post(gateway, session, 3)
    async with channel(gateway, "post-a") as open_channel:
        await exchange_pb2_grpc.ExchangeStub(open_channel).Submit(submission(3), timeout=30)


async def test_a_registry_that_changes_while_the_pair_is_broken_still_counts(
    gateway: GatewayProcess,
) -> None:
    home = gateway.certs / "luxor"
    (home / "parties/gateway-lx/tls.key").write_bytes(b"rubbish")
    await until(lambda: bool(events(gateway, "tls.rejected")))
    registry = home / "registry.toml"
    text = registry.read_text("utf-8")

    registry.write_text(
        text.replace('id = "post-a"', 'id = "post-a"\nsuspended = true', 1), "utf-8"
    )
    await until(lambda: len(events(gateway, "registry.loaded")) > 1)

    connector = aiohttp.TCPConnector(ssl=client_context(gateway, "post-a"))
    async with aiohttp.ClientSession(connector=connector) as session:
        assert 403 == await post(gateway, session, 1)
    assert [] == events(gateway, "registry.not-reloaded")
    with pytest.raises(grpc.aio.AioRpcError, match="suspended"):
        async with channel(gateway, "post-a") as open_channel:
            await exchange_pb2_grpc.ExchangeStub(open_channel).Submit(submission(1), timeout=30)
