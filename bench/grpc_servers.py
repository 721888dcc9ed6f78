"""gRPC servers of `bench.grpc_ingress`, each a process of its own over mutual TLS.

``python -m bench.grpc_servers bare|instant CERTS PORT_FILE``; ends by SIGTERM. ``bare`` is
`grpc.aio` with empty handlers; ``instant`` our listener before a service that accepts at once.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import msgspec
import uvloop
from grpc import aio
from prometheus_client import CollectorRegistry

from gateway.core.envelope import Envelope
from gateway.core.identifiers import RecordNumber
from gateway.core.records import Outcome, State, Stored
from gateway.ingress.grpc import GrpcIngress, GrpcSettings
from gateway.ingress.limits import Limiter
from gateway.ingress.tls import ServerTls
from gateway.pipeline.settings import PartySettings
from gateway.telemetry import Metrics, Telemetry, event_log
from tests.fakes import FakeService
from translators.registry import standard
from translators.wire.exchange.v1 import exchange_pb2 as wire
from trust.authority import generate_key
from trust.identity import Identity, PartyId
from trust.keys import KeySigner

PARTY = PartyId("platform-shop")
GENEROUS = PartySettings(requests_per_second=1e6, burst=1_000_000, concurrent=1_000)
RECEIPT = "e30." * 150 + "c2ln"
"""As long as a receipt is."""


async def empty_call(_: wire.Submission, __: object) -> wire.SubmitReply:
    """An empty reply, without a look at the request."""
    return wire.SubmitReply()


async def empty_stream(
    requests: AsyncIterator[wire.Submission], _: object
) -> AsyncIterator[wire.SubmitReply]:
    """An empty reply for each."""
    async for _ in requests:
        yield wire.SubmitReply()


class Instant(FakeService):
    """Knows its only caller, and accepts at once: what is left is the ingress."""

    def __init__(self) -> None:
        super().__init__(formats=standard(), signer=KeySigner(generate_key("P-256"), kid="k"))
        self._identity = Identity(party=PARTY)
        self._outcomes = msgspec.json.encode([Outcome(ordinal=1, status=State.ACCEPTED)])

    async def identify(self, certificate: bytes) -> Identity:
        """The only caller."""
        return self._identity

    async def accept(self, identity: Identity, envelope: Envelope) -> Stored:
        """Accepted, with what would be the receipt."""
        return Stored(
            record=RecordNumber(1),
            party=identity.party,
            interchange_id=envelope.interchange_id,
            attempt=1,
            state=State.ACCEPTED,
            format=envelope.format,
            transport=envelope.transport,
            digest=envelope.digest,
            size=envelope.content.size,
            received_at=envelope.received_at,
            accepted=1,
            refused=0,
            receipt=RECEIPT,
            outcomes=self._outcomes,
        )


async def bare(tls: ServerTls) -> tuple[int, Callable[[], Any]]:
    """Empty handlers; their port and how they are stopped."""
    server = aio.server()
    form = wire.Submission.FromString, wire.SubmitReply.SerializeToString
    methods = {
        "Submit": grpc.unary_unary_rpc_method_handler(empty_call, *form),
        "SubmitStream": grpc.stream_stream_rpc_method_handler(empty_stream, *form),
    }
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("exchange.v1.Exchange", methods),)
    )
    credentials = grpc.ssl_server_credentials(
        [(tls.key.read_bytes(), tls.certificate.read_bytes())],
        tls.authorities.encode(),
        require_client_auth=True,
    )
    port = server.add_secure_port("127.0.0.1:0", credentials)
    await server.start()
    return port, lambda: server.stop(0)


async def instant(tls: ServerTls) -> tuple[int, Callable[[], Any]]:
    """Our listener; its port and how it is stopped."""

    def clock() -> datetime:
        return datetime.now(UTC)

    telemetry = Telemetry(
        metrics=Metrics(CollectorRegistry()), log=event_log(stream=sys.stdout, level="warning")
    )
    ingress = GrpcIngress(
        service=Instant(),
        telemetry=telemetry,
        clock=clock,
        tls=tls,
        host="127.0.0.1",
        port=0,
        settings=GrpcSettings(),
        limiter=Limiter.alone(telemetry=telemetry, clock=clock, settings=GENEROUS),
    )
    await ingress.start()
    return ingress.port, ingress.stop


async def serve(which: str, certs: Path, port_file: Path) -> None:
    """Serve until SIGTERM; the port is in the file as soon as there is one."""
    place = certs / "luxor/parties/gateway-lx"
    authorities = "".join((certs / f"luxor/{name}.pem").read_text() for name in ("root", "issuing"))
    tls = ServerTls(certificate=place / "tls.pem", key=place / "tls.key", authorities=authorities)
    port, stop = await {"bare": bare, "instant": instant}[which](tls)
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    waiting = port_file.with_suffix(".new")
    waiting.write_text(str(port))
    waiting.replace(port_file)
    await stopped.wait()
    await stop()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])))
