"""Evidence that a gateway fetches: it bites open connections, and an outage does not."""

from __future__ import annotations

import asyncio
import itertools
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.e2e import documents
from tests.e2e.callers import client_context
from tests.e2e.network import GatewayProcess
from tests.e2e.responder import EvidenceServer
from trust.authority import issue_crl

BOUND_SECONDS = 30.0
"""A hang bound; an answer is asked for again after a second."""
PAUSE_SECONDS = 0.1
REFRESH = "registry.refresh=1"
RULES = """certificates = ["root.pem", "issuing.pem"]
crls = ["crl/root.crl", "crl/issuing.crl"]
"""
Send = Callable[[], Awaitable[tuple[int, str]]]


@asynccontextmanager
async def network(
    folder: Path, certs: Path, rules: str
) -> AsyncIterator[tuple[GatewayProcess, EvidenceServer, Send]]:
    """A gateway, a server of evidence, and a party that sends over one connection.

    ``rules`` are what the registry says of the authority; ``{url}`` is the server's address.
    """
    own = folder / "certs"
    shutil.copytree(certs, own)
    async with EvidenceServer(own / "luxor") as server:
        registry = own / "luxor/registry.toml"
        text = registry.read_text("utf-8")
        assert RULES in text
        registry.write_text(text.replace(RULES, rules.replace("{url}", server.url), 1), "utf-8")
        gateway = GatewayProcess(folder / "gateway", own)
        server.crl = revocation_list(server)
        await asyncio.to_thread(gateway.start, REFRESH)
        try:
            connector = aiohttp.TCPConnector(limit=1)
            async with aiohttp.ClientSession(connector=connector) as session:
                yield gateway, server, sender(gateway, session)
        finally:
            await asyncio.to_thread(gateway.stop)


def sender(gateway: GatewayProcess, session: aiohttp.ClientSession) -> Send:
    """Sends one more good interchange over the same connection; status and code."""
    context = client_context(gateway, "post-a")
    numbers = itertools.count(1)

    async def send() -> tuple[int, str]:
        number = next(numbers)
        async with session.post(
            f"https://localhost:{gateway.ports.https}/v1/interchanges",
            data=documents.good(number, control=f"o-{number}"),
            headers={"Luxor-Interchange-Id": f"o-{number}", "Luxor-Format": "upu.itmatt.1"},
            ssl=context,
        ) as answer:
            body = await answer.json(content_type=None)
            return answer.status, str(body.get("code", ""))

    return send


async def until(send: Send, status: int) -> str:
    """Send until that status comes; the code that came with it."""
    async with asyncio.timeout(BOUND_SECONDS):
        while True:
            found, code = await send()
            if found == status:
                return code
            await asyncio.sleep(PAUSE_SECONDS)


def certificate(gateway: GatewayProcess, party: str) -> x509.Certificate:
    """The client certificate of a party."""
    file, _ = gateway.party(party)
    return x509.load_pem_x509_certificate(Path(file).read_bytes())


def revocation_list(server: EvidenceServer, *revoked: int, number: int = 1) -> bytes:
    """The issuing CA's list of now."""
    now = datetime.now(UTC).replace(microsecond=0)
    return issue_crl(
        server.issuer,
        number=number,
        revoked=dict.fromkeys(revoked, now),
        this_update=now,
        next_update=now + timedelta(days=1),
    ).public_bytes(Encoding.DER)


ANSWERS = """certificates = ["root.pem", "issuing.pem"]
crls = ["crl/root.crl"]
require = "ocsp"
ocsp = ["{url}/ocsp"]
ocsp_nonce = true
"""
LISTS = """certificates = ["root.pem", "issuing.pem"]
crls = ["crl/root.crl"]
crl_urls = ["{url}/crl"]
"""


async def metrics_of(gateway: GatewayProcess) -> str:
    """What the gateway counts."""
    async with aiohttp.ClientSession() as session:
        url = f"http://127.0.0.1:{gateway.ports.operations}/metrics"
        async with session.get(url) as answer:
            return await answer.text()


async def test_an_outage_of_the_responder_is_not_felt_and_revoked_ends_an_open_connection(
    tmp_path: Path, certs: Path
) -> None:
    async with network(tmp_path, certs, ANSWERS) as (gateway, server, send):
        assert "" == await until(send, 202)  # a slow machine may need more than the first
        server.down = True
        asked = server.asked
        async with asyncio.timeout(BOUND_SECONDS):
            while server.asked == asked:  # until it was asked again, in vain
                assert (202, "") == await send()
                await asyncio.sleep(PAUSE_SECONDS)
        assert (202, "") == await send()
        server.revoked.add(certificate(gateway, "post-a").serial_number)
        server.down = False

        assert "certificate.revoked" == await until(send, 403)

        metrics = await metrics_of(gateway)
        labels = 'authority="luxor",kind="answer",result'
        assert f'luxor_revocation_fetches_total{{{labels}="failed"}}' in metrics
        assert f'luxor_revocation_fetches_total{{{labels}="fetched"}}' in metrics
        assert 'luxor_revocation_age_seconds{authority="luxor"}' in metrics


async def test_a_list_that_is_fetched_counts_and_bites(tmp_path: Path, certs: Path) -> None:
    async with network(tmp_path, certs, LISTS) as (gateway, server, send):
        assert "" == await until(send, 202)
        serial = certificate(gateway, "post-a").serial_number
        server.crl = revocation_list(server, serial, number=2)

        assert "certificate.revoked" == await until(send, 403)
