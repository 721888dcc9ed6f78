"""The gRPC service of a back end: ``Exchange`` over mutual TLS, with health."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, NoReturn

import grpc
import structlog
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from backends.service.clerk import Clerk, problem_of, reply_of
from backends.service.configuration import LimitSettings
from backends.service.inbox import Stored
from backends.service.problems import PROBLEM_METADATA, Problem
from translators.wire.exchange.v1 import exchange_pb2, exchange_pb2_grpc

SERVICE = "exchange.v1.Exchange"
PING_MILLISECONDS = 10_000
"""A caller that asks more often whether we are still there is cut off."""

Replies = asyncio.Queue[tuple[str, asyncio.Future[Stored] | Problem] | None]
"""Interchange ids with what will be answered, in the order of the submissions; then ``None``."""

_log = structlog.get_logger("backends.server")


class Exchange(exchange_pb2_grpc.ExchangeServicer):
    """Takes deliveries of the gateway."""

    def __init__(self, clerk: Clerk, *, window: int) -> None:
        """``window`` bounds the unanswered submissions of one stream."""
        self._clerk = clerk
        self._window = window

    async def Submit(  # noqa: N802 - the contract's name
        self, request: exchange_pb2.Submission, context: Any
    ) -> exchange_pb2.SubmitReply:
        """Take one submission; the reply comes after the commit."""
        try:
            self._clerk.identify(_certificate(context))
            return reply_of(await self._clerk.submit(request))
        except Exception as error:
            await _abort(context, _explain(error, request.interchange_id))

    async def SubmitStream(  # type: ignore[override] # noqa: N802 - writes instead of yielding
        self, request_iterator: AsyncIterator[exchange_pb2.Submission], context: Any
    ) -> None:
        """Take submissions as they come, in their order; replies come as commits do."""
        try:
            certificate = _certificate(context)
            self._clerk.identify(certificate)
        except Problem as problem:
            await _abort(context, problem)
        replies: Replies = asyncio.Queue(maxsize=self._window)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._read(request_iterator, certificate, replies))
            while (item := await replies.get()) is not None:
                await context.write(await _reply(*item))

    async def _read(
        self,
        requests: AsyncIterator[exchange_pb2.Submission],
        certificate: bytes,
        replies: Replies,
    ) -> None:
        """Hand submissions to the clerk; waits when the window is full.

        The caller is judged for each: a revocation bites streams that stand.
        """
        async for request in requests:
            answer: asyncio.Future[Stored] | Problem
            try:
                self._clerk.identify(certificate)
                answer = self._clerk.submit(request)
            except Exception as error:  # one submission's trouble is not its neighbours'
                answer = _explain(error, request.interchange_id)
            await replies.put((request.interchange_id, answer))
        await replies.put(None)

    async def Subscribe(  # type: ignore[override] # noqa: N802 - ends before it yields
        self, request_iterator: AsyncIterator[exchange_pb2.SubscribeRequest], context: Any
    ) -> None:
        """Not offered: a back end brings its answers to the gateway itself."""
        await _abort(context, Problem("request.method", "answers are submitted to the gateway"))

    async def Track(  # noqa: N802 - the contract's name
        self, request: exchange_pb2.TrackRequest, context: Any
    ) -> exchange_pb2.TrackReply:
        """The receipt of an interchange again."""
        try:
            self._clerk.identify(_certificate(context))
            if not request.interchange_id:
                raise Problem("request.invalid", "ask by interchange_id")
            reply = reply_of(await self._clerk.find(request.interchange_id))
        except Exception as error:
            await _abort(context, _explain(error, request.interchange_id))
        return exchange_pb2.TrackReply(
            interchange_id=reply.interchange_id, receipt=reply.receipt, outcomes=reply.outcomes
        )

    async def Keys(  # noqa: N802 - the contract's name
        self, request: exchange_pb2.KeysRequest, context: Any
    ) -> exchange_pb2.KeysReply:
        """What proves our receipts."""
        try:
            self._clerk.identify(_certificate(context))
        except Exception as error:
            await _abort(context, _explain(error, ""))
        return self._clerk.keys()

    async def Ping(  # noqa: N802 - the contract's name
        self, request: exchange_pb2.PingRequest, context: Any
    ) -> exchange_pb2.PingReply:
        """Not offered: that a back end is there shows in its receipts."""
        await _abort(context, Problem("request.method", "back ends are not pinged"))

    async def Clearance(  # noqa: N802 - the contract's name
        self, request: exchange_pb2.ClearanceRequest, context: Any
    ) -> exchange_pb2.ClearanceReply:
        """Not offered: the gateway answers, from everybody's decisions."""
        await _abort(context, Problem("request.method", "ask the gateway"))


def _certificate(context: Any) -> bytes:
    """The caller's certificate (DER); raises :class:`Problem` for TLS that is not good enough."""
    auth = context.auth_context()
    # Python's gRPC server cannot be told to refuse TLS 1.2 in the handshake.
    if auth.get("ssl_tls_version", [b"TLSv1.3"])[0] != b"TLSv1.3":
        raise Problem("tls.version")
    pem = next(iter(auth.get("x509_pem_cert", [])), None)
    if pem is None:
        raise Problem("certificate.missing")
    try:
        return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
    except ValueError as error:
        raise Problem("certificate.profile", "not a certificate") from error


async def _reply(
    interchange_id: str, answer: asyncio.Future[Stored] | Problem
) -> exchange_pb2.SubmitReply:
    problem = answer if isinstance(answer, Problem) else None
    if not isinstance(answer, Problem):
        try:
            return reply_of(await answer)
        except Exception as error:  # whatever the ledger's work raised becomes a problem
            problem = _explain(error, interchange_id)
    assert problem is not None
    return exchange_pb2.SubmitReply(
        interchange_id=interchange_id,
        status=exchange_pb2.STATUS_REFUSED,
        problem=problem.message(),
    )


def _explain(error: Exception, interchange_id: str) -> Problem:
    problem = problem_of(error)
    if problem.code == "internal":
        _log.error("submission.failed", interchange_id=interchange_id, exc_info=error)
    else:
        _log.warning("submission.refused", interchange_id=interchange_id, code=problem.code)
    return problem


async def _abort(context: Any, problem: Problem) -> NoReturn:
    metadata = ((PROBLEM_METADATA, problem.message().SerializeToString()),)
    await context.abort(problem.status, f"{problem.code} {problem.detail}".strip(), metadata)
    raise AssertionError("abort does not return")


class Server:
    """The listening server. :meth:`start` gives the port; :meth:`stop` may be called twice."""

    def __init__(
        self, clerk: Clerk, credentials: grpc.ServerCredentials, limits: LimitSettings
    ) -> None:
        self._limits = limits
        self._credentials = credentials
        self._server = grpc.aio.server(
            options=(
                ("grpc.so_reuseport", 0),  # a second process on the port is a mistake
                ("grpc.max_receive_message_length", limits.message_bytes + 65_536),
                ("grpc.max_concurrent_streams", limits.calls),
                # Gateways keep their connection alive while they have nothing to deliver.
                ("grpc.http2.min_recv_ping_interval_without_data_ms", PING_MILLISECONDS),
                ("grpc.keepalive_permit_without_calls", 1),
            ),
            maximum_concurrent_rpcs=limits.calls,
        )
        exchange_pb2_grpc.add_ExchangeServicer_to_server(
            Exchange(clerk, window=limits.window), self._server
        )
        self._health = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)

    async def start(self, address: str) -> int:
        """Bind and serve; the port. Raises :class:`OSError` when the address is taken."""
        try:
            port = self._server.add_secure_port(address, self._credentials)
        except RuntimeError as error:
            raise OSError(f"cannot listen on {address}") from error
        if port == 0:
            raise OSError(f"cannot listen on {address}")
        await self._server.start()
        for name in ("", SERVICE):
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
        return port

    async def stop(self) -> None:
        """Say so, finish the calls in progress within the configured time, then close."""
        await self._health.enter_graceful_shutdown()
        await self._server.stop(self._limits.stop_seconds)
