"""What we show to receivers is the certificate of now; what is under way goes on as it began."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from gateway.egress.registry import Surroundings, open_destination
from gateway.egress.tls import OwnPair
from gateway.ingress.grpc.server import GrpcIngress
from gateway.ingress.http.server import HttpIngress
from tests.fakes import FakeService
from tests.gateway.egress.conftest import OURS, outgoing, target_of
from tests.pki import Pki
from trust.certificates import fingerprint, fingerprint_of, load_certificates
from trust.identity import Identity


class Noting(FakeService):
    """Notes which certificate was shown."""

    shown: list[str]

    async def identify(self, certificate: bytes) -> Identity:
        """As the fake does."""
        self.shown.append(fingerprint(certificate))
        return await super().identify(certificate)


@pytest.fixture
async def service(service: FakeService) -> FakeService:
    """The fake, with a notebook."""
    service.__class__ = Noting
    assert isinstance(service, Noting)
    service.shown = []
    return service


def address_of(transport: str, port: int) -> str:
    """Where a listener is reached."""
    there = f"127.0.0.1:{port}"
    return f"https://{there}/v1/interchanges" if transport == "https" else there


@pytest.mark.parametrize("transport", ["https", "grpc"])
async def test_a_renewed_certificate_is_shown_from_the_next_delivery_on(
    transport: str,
    https_receiver: HttpIngress,
    grpc_receiver: GrpcIngress,
    service: FakeService,
    surroundings: Surroundings,
    pki: Pki,
) -> None:
    assert isinstance(service, Noting)
    pairs = []
    for revision in ("old", "new"):
        certificate, key = pki.issue(OURS)
        here = certificate.with_name(f"{transport}-{revision}.pem")
        here.write_bytes(certificate.read_bytes())
        there = key.with_name(f"{transport}-{revision}.key")
        there.write_bytes(key.read_bytes())
        pairs.append(OwnPair(certificate=here, key=there, revision=revision))
    old, new = (
        fingerprint_of(load_certificates(pair.certificate.read_bytes())[0]) for pair in pairs
    )
    now = [pairs[0]]
    port = (https_receiver if transport == "https" else grpc_receiver).port
    destination = open_destination(
        target_of(transport, address_of(transport, port), pki),
        replace(surroundings, own=lambda: now[0]),
    )

    await destination.deliver(outgoing("m-1"))
    await destination.deliver(outgoing("m-2"))
    assert {old} == set(service.shown)
    under_way = asyncio.gather(*(destination.deliver(outgoing(f"w-{n}")) for n in range(8)))
    await asyncio.sleep(0)
    now[0] = pairs[1]
    service.shown.clear()
    receipts = await asyncio.gather(*(destination.deliver(outgoing(f"n-{n}")) for n in range(8)))
    assert all(await under_way)
    assert all(receipts)
    service.shown.clear()

    await destination.deliver(outgoing("m-3"))

    assert {new} == set(service.shown)
    await destination.close()
