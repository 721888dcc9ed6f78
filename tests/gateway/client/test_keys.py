"""The keys that a gateway publishes, and bundles made of them, over either transport."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.client import Credentials, GrpcPartyClient, PartyClient, Peer
from gateway.client.bundle import bundle_of
from gateway.core.errors import Unavailable
from gateway.core.published import PublishedKey, PublishedKeys
from gateway.ingress.grpc.server import GrpcIngress
from gateway.ingress.http.server import HttpIngress
from tests.fakes import NOW, FakeService
from tests.gateway.client.conftest import JSON
from trust.errors import TrustError
from trust.keys import KeySigner


@pytest.fixture
def published(service: FakeService, signer: KeySigner) -> PublishedKeys:
    """What the gateway tells: one key with all that there is, one with the least."""
    service.published = PublishedKeys(
        gateway=service.gateway_id,
        keys=(
            PublishedKey(
                kid=signer.kid,
                algorithm=signer.alg,
                use="current",
                public_key=signer.public_pem.decode(),
                certificates=("first", "second"),
                not_before=NOW,
                not_after=NOW + timedelta(days=1),
            ),
            PublishedKey(kid="old", algorithm="Ed25519", use="previous", public_key="PEM"),
        ),
    )
    return service.published


async def test_both_transports_tell_the_same_keys(
    https: HttpIngress,
    grpc: GrpcIngress,
    credentials: Credentials,
    peer: Peer,
    published: PublishedKeys,
) -> None:
    url = f"https://127.0.0.1:{https.port}"
    async with PartyClient(url, credentials, gateway=peer) as client:
        over_https = await client.keys()
        answer = await client.submit(b"good", interchange_id="i-1", format=JSON)
        again = await client.receipt("i-1")
    async with GrpcPartyClient(f"127.0.0.1:{grpc.port}", credentials, gateway=peer) as client_:
        over_grpc = await client_.keys()
        once_more = await client_.receipt("i-1")

    assert published == over_https == over_grpc
    assert answer.receipt == again == once_more
    assert bundle_of(again, over_grpc).certificates == ("first", "second")


async def test_a_use_that_is_not_known_is_no_answer(
    grpc: GrpcIngress, credentials: Credentials, service: FakeService
) -> None:
    strange = PublishedKey(kid="k", algorithm="ES256", use="lost", public_key="PEM")  # type: ignore[arg-type] # the point
    service.published = PublishedKeys(gateway="gateway", keys=(strange,))
    async with GrpcPartyClient(f"127.0.0.1:{grpc.port}", credentials) as client:
        with pytest.raises(Unavailable, match="not understood"):
            await client.keys()


def test_a_bundle_of_a_key_that_is_not_published_stands_alone(signer: KeySigner) -> None:
    token = "eyJhbGciOiJFUzI1NiIsImtpZCI6Im5vbmUifQ.e30.AA"  # a header with kid "none"

    assert bundle_of(token, PublishedKeys(gateway="g", keys=())).certificates == ()
    with pytest.raises(TrustError, match=r"receipt\.invalid"):
        bundle_of("no token", PublishedKeys(gateway="g", keys=()))
