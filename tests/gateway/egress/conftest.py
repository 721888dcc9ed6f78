"""Receivers for every transport: real listeners with a service that can be told how to behave."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
import uvloop

from gateway.core.identifiers import MessageId
from gateway.core.ports import Destination
from gateway.core.records import Outgoing
from gateway.egress.registry import Surroundings, Target, open_destination
from gateway.egress.tls import OwnPair
from gateway.ingress.grpc.server import GrpcIngress
from gateway.ingress.grpc.settings import GrpcSettings
from gateway.ingress.http.server import HttpIngress
from gateway.ingress.http.settings import HttpSettings
from gateway.ingress.limits import Limiter
from gateway.ingress.tls import ServerTls
from gateway.pipeline.settings import PartySettings
from gateway.pipeline.signing import SigningDesk
from tests.fakes import FakeService, Seen, clock
from tests.pki import Pki
from translators.registry import Registry, standard
from translators.translator import FormatId
from trust.authority import generate_key
from trust.identity import PartyId
from trust.keys import KeySigner, PublicKey

PARTNER = PartyId("partner")
OURS = PartyId("gateway")


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


def outgoing(identifier: str = "m-1", content: bytes = b"good") -> Outgoing:
    return Outgoing(
        message_id=MessageId(identifier),
        kind="RiskAssessment",
        format=FormatId("luxor.json.1"),
        content=content,
    )


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="session")
def formats() -> Registry:
    return standard()


@pytest.fixture(scope="session")
def partner_signer() -> KeySigner:
    return KeySigner(generate_key("P-256"), kid="partner-1")


@pytest.fixture(scope="session")
def our_signer() -> KeySigner:
    return KeySigner(generate_key("P-256"), kid="gateway-1")


@pytest.fixture
async def service(formats: Registry, partner_signer: KeySigner) -> FakeService:
    return FakeService(formats=formats, signer=partner_signer, gateway_id=PARTNER)


@pytest.fixture
def registered(partner_signer: KeySigner) -> dict[str, PublicKey]:
    """The partner's keys as they are registered with us."""
    return {partner_signer.kid: partner_signer.public_key}


@pytest.fixture
def surroundings(
    pki: Pki, our_signer: KeySigner, formats: Registry, registered: dict[str, PublicKey]
) -> Surroundings:
    certificate, key = pki.issue(OURS)
    return Surroundings(
        sender=OURS,
        desk=SigningDesk(our_signer),
        own=lambda: OwnPair(certificate=certificate, key=key),
        keys=lambda _: registered,
        media_types=lambda format_id: formats.get(format_id).media_types,
        clock=lambda: datetime.now(UTC),
    )


@pytest.fixture
def server_tls(pki: Pki) -> ServerTls:
    certificate, key = pki.issue(PARTNER)
    return ServerTls(certificate=certificate, key=key, authorities=pki.authority)


def https_listener(service: FakeService, tls: ServerTls, *, port: int = 0) -> HttpIngress:
    return HttpIngress(
        service=service,
        telemetry=Seen().telemetry,
        clock=clock,
        tls=tls,
        host="127.0.0.1",
        port=port,
        settings=HttpSettings(drain=0.2),
    )


def grpc_listener(
    service: FakeService, tls: ServerTls, *, port: int = 0, limits: PartySettings | None = None
) -> GrpcIngress:
    telemetry = Seen().telemetry
    return GrpcIngress(
        service=service,
        telemetry=telemetry,
        clock=clock,
        limiter=Limiter.alone(telemetry=telemetry, clock=clock, settings=limits),
        tls=tls,
        host="127.0.0.1",
        port=port,
        settings=GrpcSettings(drain=0.2, message_bytes=2_000_000),
    )


LISTENERS: dict[str, Callable[..., HttpIngress | GrpcIngress]] = {
    "https": https_listener,
    "grpc": grpc_listener,
}


@pytest.fixture
async def https_receiver(service: FakeService, server_tls: ServerTls) -> AsyncIterator[HttpIngress]:
    listener = https_listener(service, server_tls)
    await listener.start()
    yield listener
    await listener.stop()


@pytest.fixture
async def grpc_receiver(service: FakeService, server_tls: ServerTls) -> AsyncIterator[GrpcIngress]:
    listener = grpc_listener(service, server_tls)
    await listener.start()
    yield listener
    await listener.stop()


@pytest.fixture
def target_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.fixture
async def https(
    https_receiver: HttpIngress, surroundings: Surroundings, pki: Pki
) -> AsyncIterator[Destination]:
    address = f"https://127.0.0.1:{https_receiver.port}/v1/interchanges"
    target = target_of("https", address, pki)
    destination = open_destination(target, surroundings)
    yield destination
    await destination.close()


@pytest.fixture
async def grpc(
    grpc_receiver: GrpcIngress, surroundings: Surroundings, pki: Pki
) -> AsyncIterator[Destination]:
    target = target_of("grpc", f"127.0.0.1:{grpc_receiver.port}", pki)
    destination = open_destination(target, surroundings)
    yield destination
    await destination.close()


@pytest.fixture
async def folder(
    target_folder: Path, surroundings: Surroundings, pki: Pki
) -> AsyncIterator[Destination]:
    destination = open_destination(target_of("folder", str(target_folder), pki), surroundings)
    yield destination
    await destination.close()


def target_of(transport: str, address: str, pki: Pki, *, receipt_required: bool = True) -> Target:
    return Target(
        id=f"to-{transport}",
        transport=transport,
        address=address,
        receiver=PARTNER,
        authority=pki.authority_file,
        receipt_required=receipt_required,
        timeout=5.0,
    )
