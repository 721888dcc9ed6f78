"""The generator's gRPC at a server of this process: answers in any order, refusals, an end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc import aio

from bench.load.grpc import WINDOW, StreamSender, UnarySender
from bench.load.pump import Call, Request, Sender
from bench.load.target import Target
from bench.serving import Served
from tests.e2e.network import make_pki
from translators.wire.exchange.v1 import exchange_pb2 as wire

BOUND_SECONDS = 30.0


@pytest.fixture(scope="module")
def certs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_pki(tmp_path_factory.mktemp("pki"))


Context = aio.ServicerContext[Any, Any]


async def submit(request: wire.Submission, context: Context) -> wire.SubmitReply:
    """Refuses what is called so."""
    if request.interchange_id == "refused":
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "refused")
    return answer(request)


async def stream(
    requests: AsyncIterator[wire.Submission], context: Context
) -> AsyncIterator[wire.SubmitReply]:
    """Answers in pairs, the later one first."""
    held: list[wire.Submission] = []
    async for request in requests:
        if request.interchange_id == "ends":
            await context.abort(grpc.StatusCode.UNAVAILABLE, "stopping")
        held.append(request)
        if len(held) == 2:
            for one in reversed(held):
                yield answer(one)
            held.clear()


def answer(request: wire.Submission) -> wire.SubmitReply:
    if request.interchange_id == "refused":
        return wire.SubmitReply(
            interchange_id="refused",
            status=wire.STATUS_REFUSED,
            problem=wire.Problem(code="format.unknown"),
        )
    return wire.SubmitReply(interchange_id=request.interchange_id, status=wire.STATUS_ACCEPTED)


def exchange() -> grpc.GenericRpcHandler:
    """The two methods that take submissions."""
    reads, writes = wire.Submission.FromString, wire.SubmitReply.SerializeToString
    return grpc.method_handlers_generic_handler(
        "exchange.v1.Exchange",
        {
            "Submit": grpc.unary_unary_rpc_method_handler(submit, reads, writes),
            "SubmitStream": grpc.stream_stream_rpc_method_handler(stream, reads, writes),
        },
    )


@asynccontextmanager
async def serving(certs: Path) -> AsyncIterator[Target]:
    """Over mutual TLS, as a gateway does."""
    place = certs / "luxor/parties/gateway-lx"
    credentials = grpc.ssl_server_credentials(
        [((place / "tls.key").read_bytes(), (place / "tls.pem").read_bytes())],
        root_certificates=(certs / "luxor/root.pem").read_bytes(),
        require_client_auth=True,
    )
    server = aio.server()
    server.add_generic_rpc_handlers((exchange(),))
    port = server.add_secure_port("localhost:0", credentials)
    await server.start()
    try:
        yield Served(0, certs, {"grpc": port}).target("platform-shop", transport="grpc")
    finally:
        await server.stop(None)


async def outcomes(sender: Sender, names: list[str]) -> dict[str, str]:
    """What came of each."""
    found: dict[str, str] = {}
    over = asyncio.Event()

    def noted(call: Call, problem: str) -> None:
        assert call.request.name not in found
        found[call.request.name] = problem
        if len(found) == len(names):
            over.set()

    clock = time.perf_counter
    async with asyncio.timeout(BOUND_SECONDS):
        await sender.open()
        for name in names:
            content = wire.Submission(interchange_id=name).SerializeToString()
            request = Request(name=name, wire=content)
            now = clock()
            sender.send(Call(request, due=now, handed=now, clock=clock, noted=noted))
        await over.wait()
        await sender.close()
    return found


async def test_a_call_tells_by_its_status(certs: Path) -> None:
    async with serving(certs) as target:
        found = await outcomes(UnarySender(target, connections=2), ["a", "refused", "b", "c"])

    assert {"a": "", "b": "", "c": "", "refused": "status INVALID_ARGUMENT"} == found


async def test_answers_of_a_stream_find_their_requests_in_any_order(certs: Path) -> None:
    names = [f"r-{number}" for number in range(2 * WINDOW)]
    names[7] = "refused"
    async with serving(certs) as target:
        found = await outcomes(StreamSender(target, connections=1), names)

    assert {**dict.fromkeys(names, ""), "refused": "format.unknown"} == found


async def test_what_a_stream_has_not_answered_when_it_ends_is_a_problem(certs: Path) -> None:
    async with serving(certs) as target:
        found = await outcomes(StreamSender(target, connections=1), ["a", "b", "c", "ends"])

    assert {
        "a": "",
        "b": "",
        "c": "status UNAVAILABLE",
        "ends": "status UNAVAILABLE",
    } == found


async def test_where_nobody_listens_there_is_no_connection(
    certs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.load.grpc.CONNECT_SECONDS", 0.2)
    nobody = Served(0, certs, {"grpc": 1}).target("platform-shop", transport="grpc")

    with pytest.raises(OSError, match="no connection"):
        await StreamSender(nobody, connections=1).open()
