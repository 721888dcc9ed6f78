"""Callers without any code of the gateway: what a partner would write on its own."""

from __future__ import annotations

import io
import ssl
from datetime import UTC, datetime
from typing import Any

import aiohttp
import grpc
import msgspec

from tests.e2e.network import GatewayProcess
from translators.wire.exchange.v1 import exchange_pb2, exchange_pb2_grpc
from trust.keys import KeySigner
from trust.signatures.jws import sign_detached

GATEWAY = "gateway-lx"


class Answer(msgspec.Struct, frozen=True):
    """An HTTP answer."""

    status: int
    media_type: str
    body: Any
    headers: dict[str, str]

    @property
    def code(self) -> str:
        """The problem's code, or that of the judged interchange."""
        return str(self.body.get("code") or f"interchange.{self.body.get('status')}")

    @property
    def faults(self) -> list[dict[str, Any]]:
        """Every fault, of the request and of each message."""
        found = list(self.body.get("faults") or [])
        for outcome in self.body.get("outcomes") or []:
            found.extend(outcome.get("faults") or [])
        return found


def client_context(gateway: GatewayProcess, party: str) -> ssl.SSLContext:
    """TLS as that party, trusting the network's root."""
    certificate, key = gateway.party(party)
    context = ssl.create_default_context(cafile=str(gateway.certs / gateway.network / "root.pem"))
    context.load_cert_chain(certificate, key)
    return context


def signed(
    gateway: GatewayProcess, party: str, content: bytes, *, identifier: str, format_id: str
) -> str:
    """A detached JWS of that party for this gateway."""
    pem = (gateway.certs / "luxor/parties" / party / "signing.key").read_bytes()
    return sign_detached(
        content,
        signer=KeySigner.from_pem(pem),
        interchange_id=identifier,
        format=format_id,
        audience=GATEWAY,
        now=datetime.now(UTC),
    )


async def post(
    gateway: GatewayProcess,
    party: str,
    content: bytes,
    *,
    identifier: str,
    headers: dict[str, str],
) -> Answer:
    """Submit over HTTPS with exactly these headers and the id."""
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"https://localhost:{gateway.ports.https}/v1/interchanges",
            data=io.BytesIO(content),
            headers={"Luxor-Interchange-Id": identifier, **headers},
            ssl=client_context(gateway, party),
        ) as answer,
    ):
        text = await answer.read()
        return Answer(
            answer.status, answer.content_type, msgspec.json.decode(text), dict(answer.headers)
        )


async def get(gateway: GatewayProcess, party: str, path: str) -> Answer:
    """Read over HTTPS."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(
            f"https://localhost:{gateway.ports.https}{path}", ssl=client_context(gateway, party)
        ) as answer,
    ):
        text = await answer.read()
        return Answer(
            answer.status, answer.content_type, msgspec.json.decode(text), dict(answer.headers)
        )


async def metric(gateway: GatewayProcess, name: str) -> float:
    """The sum of a counter over its labels."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{gateway.ports.operations}/metrics") as answer,
    ):
        lines = (await answer.text()).splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))


def channel(gateway: GatewayProcess, party: str) -> grpc.aio.Channel:
    """A gRPC channel as that party."""
    certificate, key = gateway.party(party)
    return grpc.aio.secure_channel(
        f"localhost:{gateway.ports.grpc}",
        grpc.ssl_channel_credentials(
            root_certificates=(gateway.certs / "luxor/root.pem").read_bytes(),
            private_key=key.read_bytes(),
            certificate_chain=certificate.read_bytes(),
        ),
        options=[("grpc.max_send_message_length", -1)],
    )


async def submit(
    gateway: GatewayProcess,
    party: str,
    content: bytes,
    *,
    identifier: str,
    format_id: str,
    signature: str = "",
) -> tuple[grpc.StatusCode, str, list[str]]:
    """Submit over gRPC: status, problem code, fault codes."""
    submission = exchange_pb2.Submission(
        interchange_id=identifier, format=format_id, content=content, signature=signature
    )
    async with channel(gateway, party) as open_channel:
        stub = exchange_pb2_grpc.ExchangeStub(open_channel)
        try:
            reply = await stub.Submit(submission, timeout=30)
        except grpc.aio.AioRpcError as error:
            metadata = dict(error.trailing_metadata() or ())
            problem = exchange_pb2.Problem.FromString(metadata.get("luxor-problem-bin", b""))
            return error.code(), problem.code, [fault.code for fault in problem.faults]
        faults = [fault.code for outcome in reply.outcomes for fault in outcome.faults]
        return grpc.StatusCode.OK, "", faults
