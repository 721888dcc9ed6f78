"""Revocation and suspension bite a connection that is open and sending."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import grpc
import pytest
from click.testing import CliRunner

from gateway.cli.certs import certs as certs_command
from gateway.cli.party import party as party_command
from tests.e2e import documents
from tests.e2e.callers import client_context, submit
from tests.e2e.network import GatewayProcess, running

BOUND_SECONDS = 30.0
"""A hang bound; the configured poll is 0.2 s."""


@pytest.fixture
def gateway(tmp_path: Path, certs: Path) -> Iterator[GatewayProcess]:
    """A gateway with a PKI of its own, which the test changes."""
    own = tmp_path / "certs"
    shutil.copytree(certs, own)
    with running(tmp_path / "gateway", own) as process:
        yield process


async def sent_until_refused(gateway: GatewayProcess, session: aiohttp.ClientSession) -> str:
    """Send good interchanges over one connection until one is refused; the code."""
    context = client_context(gateway, "post-a")  # one for all, so that the connection is kept
    async with asyncio.timeout(BOUND_SECONDS):
        number = 0
        while True:
            number += 1
            async with session.post(
                f"https://localhost:{gateway.ports.https}/v1/interchanges",
                data=documents.good(number, control=f"r-{number}"),
                headers={
                    "Luxor-Interchange-Id": f"r-{number}",
                    "Luxor-Format": "upu.itmatt.1",
                },
                ssl=context,
            ) as answer:
                if answer.status != 202:
                    assert answer.status == 403
                    return str((await answer.json(content_type=None))["code"])


async def test_a_revoked_certificate_is_refused_on_its_open_connection(
    gateway: GatewayProcess,
) -> None:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session:
        sending = asyncio.create_task(sent_until_refused(gateway, session))
        await asyncio.sleep(0.3)
        assert not sending.done()
        result = await asyncio.to_thread(
            CliRunner().invoke, certs_command, ["revoke", "post-a", "--dir", str(gateway.certs)]
        )
        assert result.exit_code == 0, result.output

        assert "certificate.revoked" == await sending
    status, code, _ = await submit(
        gateway,
        "post-a",
        documents.good(1, control="g"),
        identifier="g",
        format_id="upu.itmatt.1",
    )
    assert (grpc.StatusCode.PERMISSION_DENIED, "certificate.revoked") == (status, code)


async def test_a_suspended_party_is_refused_on_its_open_connection(
    gateway: GatewayProcess,
) -> None:
    registry = gateway.certs / "luxor/registry.toml"
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session:
        sending = asyncio.create_task(sent_until_refused(gateway, session))
        await asyncio.sleep(0.3)
        result = await asyncio.to_thread(
            CliRunner().invoke, party_command, ["suspend", "post-a", "--registry", str(registry)]
        )
        assert result.exit_code == 0, result.output

        assert "party.suspended" == await sending
