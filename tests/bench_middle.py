"""What benchmarks of delivering share with the tests: a whole middle, and a gRPC receiver."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from gateway.core.envelope import Bytes, Envelope, Transport
from gateway.core.identifiers import InterchangeId
from gateway.core.ports import Clock, Journal
from gateway.core.records import State
from gateway.egress.correspondent import Correspondent
from gateway.egress.grpc import GrpcDestination, GrpcDestinationSettings
from gateway.egress.tls import ClientTls, OwnPair
from gateway.ingress.tls import ServerTls
from gateway.pipeline.bell import Bell
from gateway.pipeline.inbound import Inbound
from gateway.pipeline.prepare import Preparer
from gateway.pipeline.settings import Limits, PartySettings
from gateway.pipeline.signing import SigningDesk
from tests import samples
from tests.fakes import FakeService
from tests.fakes import clock as fixed
from tests.gateway.egress.conftest import OURS, PARTNER, grpc_listener
from tests.gateway.pipeline.conftest import FORMATS, JSON, Middle
from tests.pki import Pki
from translators.canonical import Interchange
from translators.registry import standard
from translators.translator import encode
from trust.authority import generate_key
from trust.keys import KeySigner


def accepting(journal: Journal, bell: Bell, *, clock: Clock) -> Callable[[int], Awaitable[None]]:
    """Accepts one item, of that serial number, for two destinations."""
    middle = Middle()
    inbound = Inbound(
        gateway_id="gateway-lx",
        journal=journal,
        bench=middle.bench,
        parties=lambda: middle.parties,
        desk=SigningDesk(middle.signer),
        limits=Limits,
        bell=bell,
        clock=clock,
        observe=lambda *_: None,
    )
    sender = middle.sender("post-a")

    async def accept(number: int) -> None:
        message = samples.item(item_id=samples.s10(number + 1))
        stored = await inbound.accept(
            sender,
            Envelope(
                interchange_id=InterchangeId(f"bench-{number}"),
                format=JSON,
                content=Bytes(encode(FORMATS.get(JSON), Interchange(messages=(message,)))),
                transport=Transport.HTTPS,
                received_at=clock(),
            ),
        )
        assert stored.state is State.ACCEPTED

    return accept


def preparer_of(journal: Journal) -> Preparer:
    """Minimises and encodes as a gateway does."""
    middle = Middle()
    return Preparer(
        gateway_id="gateway-lx",
        journal=journal,
        network=lambda: middle.network,
        parties=lambda: middle.parties,
    )


@asynccontextmanager
async def grpc_pair(stream_bytes: int) -> AsyncIterator[GrpcDestination]:
    """A destination and its receiver; above ``stream_bytes`` a message goes by its own call."""
    theirs = KeySigner(generate_key("P-256"), kid="partner-1")
    ours = KeySigner(generate_key("P-256"), kid="gateway-1")
    with tempfile.TemporaryDirectory() as folder:
        pki = Pki(Path(folder))
        certificate, key = pki.issue(PARTNER)
        service = FakeService(formats=standard(), signer=theirs, gateway_id=PARTNER)
        listener = grpc_listener(
            service,
            ServerTls(certificate=certificate, key=key, authorities=pki.authority),
            limits=PartySettings(requests_per_second=1e6, burst=sys.maxsize),  # its clock stands
        )
        await listener.start()
        own_certificate, own_key = pki.issue(OURS)
        own = OwnPair(certificate=own_certificate, key=own_key)
        destination = GrpcDestination(
            id="partner",
            address=f"127.0.0.1:{listener.port}",
            tls=lambda: ClientTls(own=own, authority=pki.authority_file),
            correspondent=Correspondent(
                sender=OURS,
                receiver=PARTNER,
                desk=SigningDesk(ours),
                keys=lambda: {theirs.kid: theirs.public_key},
                clock=fixed,
            ),
            settings=GrpcDestinationSettings(stream_bytes=stream_bytes),
        )
        try:
            yield destination
        finally:
            await destination.close()
            await listener.stop()
