"""A party that signs its requests: each of them anew, and with all that it takes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result
from yarl import URL

from gateway.cli.main import luxor
from gateway.client.credentials import Credentials, Peer
from gateway.client.errors import CredentialsError
from gateway.client.grpc import GrpcPartyClient
from gateway.client.https import PartyClient
from gateway.client.requests import RequestSigner
from gateway.ingress.http.server import HttpIngress
from gateway.ingress.http.settings import HttpSettings
from gateway.ingress.tls import ServerTls
from tests.fakes import FakeService, Seen, clock, until
from tests.gateway.client.conftest import GATEWAY, JSON
from tests.gateway.client.cutting import Cutting
from tests.pki import Pki
from trust.authority import generate_key, private_key_pem
from trust.identity import PartyId
from trust.keys import KeySigner

SHOP = PartyId("shop")


@pytest.fixture
def key() -> KeySigner:
    return KeySigner(generate_key("P-256"), kid="shop-1")


@pytest.fixture
def shop(pki: Pki, tmp_path: Path, service: FakeService) -> Credentials:
    """What a party without a certificate has; the service knows its key."""
    private = generate_key("Ed25519")
    file = tmp_path / "signing.key"
    file.write_bytes(private_key_pem(private))
    signer = KeySigner(private)
    service.keys[SHOP] = {signer.kid: signer.public_key}
    return Credentials(authority=pki.authority_file, signing_key=file, name=SHOP)


@pytest.fixture
async def signed(pki: Pki, service: FakeService) -> AsyncIterator[HttpIngress]:
    """A listener that asks for no certificate."""
    certificate, private = pki.issue(GATEWAY)
    listener = HttpIngress(
        service=service,
        telemetry=Seen().telemetry,
        clock=clock,
        tls=ServerTls(certificate=certificate, key=private, authorities=pki.authority),
        host="127.0.0.1",
        port=0,
        settings=HttpSettings(drain=2.0, lingering=0.5),
        names=("127.0.0.1",),  # a connection that is cut goes through a port of its own
        certificates=False,
    )
    await listener.start()
    yield listener
    await listener.stop()


def client(url: str, credentials: Credentials, peer: Peer | None) -> PartyClient:
    """A party that signs its requests."""
    return PartyClient(url, credentials, gateway=peer, clock=clock, sign_requests=True)


async def test_everything_that_it_can_ask_is_signed(
    signed: HttpIngress, shop: Credentials, peer: Peer, service: FakeService
) -> None:
    async with client(f"https://127.0.0.1:{signed.port}", shop, peer) as party:
        answer = await party.submit(b"good", interchange_id="i-1", format=JSON)
        assert answer.proved
        await party.status("i-1")
        await party.outcomes("i-1")
        await party.report("i-1")
        await party.quality(daily=True)
        await party.trace("RR 12/34~ü")
        await party.inbox(limit=3, format=JSON)

    assert 7 <= len(service.nonces)
    assert {SHOP} == {party for party, _ in service.nonces}


async def test_a_file_is_signed_as_it_is_sent(
    signed: HttpIngress, shop: Credentials, peer: Peer, service: FakeService, tmp_path: Path
) -> None:
    file = tmp_path / "large"
    file.write_bytes(b"good" * 500_000)

    async with client(f"https://127.0.0.1:{signed.port}", shop, peer) as party:
        await party.submit(file, interchange_id="i-1", format=JSON)

    assert [file.read_bytes()] == service.contents


async def test_the_second_try_has_a_signature_of_its_own(
    signed: HttpIngress, shop: Credentials, peer: Peer, service: FakeService
) -> None:
    """The first one was taken before the line was cut, so it would be a replay."""
    service.gate.clear()
    async with Cutting(signed.port) as line, client(line.url, shop, peer) as party:
        sending = asyncio.create_task(party.submit(b"good", interchange_id="i-1", format=JSON))
        await until(lambda: service.held)
        line.cut()
        service.gate.set()
        answer = await sending

    assert answer.proved
    assert 2 == len(service.nonces)


def test_without_a_key_or_a_name_nothing_is_signed(shop: Credentials) -> None:
    for lacking, text in (
        (msgspec.structs.replace(shop, signing_key=None), "signing key"),
        (msgspec.structs.replace(shop, name=None), "named"),
    ):
        with pytest.raises(CredentialsError, match=text):
            client("https://localhost", lacking, None)


async def test_over_grpc_a_certificate_is_needed(shop: Credentials) -> None:
    with pytest.raises(CredentialsError, match="certificate"):
        async with GrpcPartyClient("grpc://localhost:1", shop):
            pass


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (("--to", "grpc://localhost:1", "--as", "shop"), "over gRPC the content is signed"),
        (("--to", "https://localhost:1"), "no certificate says who signs"),
        (("--to", "https://localhost:1", "--as", "shop", "--no-sign"), "contradict each other"),
    ],
)
def test_options_that_do_not_fit_together_are_told(
    shop: Credentials, tmp_path: Path, options: tuple[str, ...], text: str
) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"good")
    files = ("--ca", str(shop.authority), "--sign-key", str(shop.signing_key))

    result: Result = CliRunner().invoke(
        luxor, ["submit", str(file), "--format", JSON, "--sign", "http", *files, *options]
    )

    assert 2 == result.exit_code
    assert text in result.output


async def test_a_key_that_waits_for_a_device_signs_in_a_thread(key: KeySigner) -> None:
    key.waits = True
    fields = await RequestSigner(key, party=SHOP, clock=clock).sign(
        "GET", URL("https://localhost/v1/formats"), {}, None
    )

    assert {"Signature", "Signature-Input"} == set(fields)
