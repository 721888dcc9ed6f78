"""What stands in front of everything else: gRPC messages and HTTP requests."""

from __future__ import annotations

import asyncio
import io
import re
import sys
from collections.abc import Iterable
from datetime import UTC, datetime

from aiohttp import web
from aiohttp.web_request import BaseRequest
from google.protobuf.message import Message as Record
from prometheus_client import CollectorRegistry

from gateway.core.envelope import Transport
from gateway.core.errors import Refused
from gateway.ingress.grpc.reading import read
from gateway.ingress.http.body import check_announced, read_body
from gateway.ingress.http.connection import Connection
from gateway.ingress.http.responses import json_response
from gateway.ingress.http.router import Call, Caller, Route, Router
from gateway.ingress.http.settings import HttpSettings
from gateway.ingress.limits import Limiter
from gateway.ingress.problems import Problems
from gateway.ingress.spool import Intake, SpoolSettings
from gateway.pipeline.settings import PartySettings
from gateway.telemetry import Metrics, Telemetry, event_log
from tests.fuzz.target import Broken, Prepared, Target
from translators.wire.exchange.v1 import exchange_pb2
from trust.identity import Identity, PartyId

# gRPC

_REQUESTS: tuple[type[Record], ...] = (
    exchange_pb2.Submission,
    exchange_pb2.SubscribeRequest,
    exchange_pb2.Acknowledgement,
    exchange_pb2.TrackRequest,
)


def _grpc_target() -> Prepared:
    """Messages as gRPC hands them over: read, or refused as a bad request."""
    full = exchange_pb2.Submission(
        interchange_id="i-1", format="luxor.json.1", content=b"{}", signature="a..b"
    )

    def judge(data: bytes) -> bool:
        taken = False
        for kind in _REQUESTS:
            try:
                read(data, kind.FromString)
            except Refused as refused:
                if refused.code != "request.invalid":
                    raise Broken(refused.code) from refused
            else:
                taken = True
        return taken

    return Prepared(judge=judge, seeds=[full.SerializeToString()], words=[b"\x0a", b"\xff\x7f"])


# HTTP


class _Wire(asyncio.Transport):
    """A connection whose other end is the fuzzer; keeps what was answered."""

    def __init__(self) -> None:
        super().__init__()
        self.answer = bytearray()
        self._closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.answer += data

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        for data in list_of_data:
            self.answer += data

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        self._closing = True

    abort = close

    def pause_reading(self) -> None:
        """The fuzzer sent everything already."""

    def resume_reading(self) -> None:
        """The fuzzer sent everything already."""


SETTINGS = HttpSettings(
    spool=SpoolSettings(memory_bytes=65_536, max_bytes=65_536),
    keep_alive=5.0,
    body_idle=5.0,
    body_timeout=5.0,
    lingering=0,
)
_STATUS_LINE = re.compile(rb"HTTP/\d\.\d (\d{3}) ")
_TURNS = 30
"""Turns of the loop in which an answer must have come, or the request waits for more bytes."""


class _Listener:
    """Our protocol and router on a loop of their own, without a socket."""

    def __init__(self) -> None:
        self.log = io.StringIO()
        telemetry = Telemetry(
            metrics=Metrics(CollectorRegistry()), log=event_log(stream=self.log, level="debug")
        )
        self.loop = asyncio.new_event_loop()
        self._problems = Problems(transport=Transport.HTTPS, telemetry=telemetry)

        async def still() -> None:
            """The connection goes on to count."""

        async def identify(request: BaseRequest) -> Caller:
            identity = Identity(party=PartyId("post-a"), roles=frozenset())
            return Caller(identity=identity, still=still)

        async def submit(call: Call) -> web.Response:
            intake = Intake(SETTINGS.spool)
            try:
                check_announced(call.request, SETTINGS)
                content = await read_body(call.request, intake, SETTINGS)
                return json_response({"size": content.size})
            finally:
                intake.close()

        async def lookup(call: Call) -> web.Response:
            return json_response({"values": call.values, "query": call.query("limit", "offset")})

        routes = (
            Route(method="POST", path="/v1/interchanges", handler=submit),
            Route(method="GET", path="/v1/trace/{}", handler=lookup),
        )
        self._limiter = Limiter.alone(
            telemetry=telemetry,
            clock=lambda: datetime(2026, 11, 22, tzinfo=UTC),
            settings=PartySettings(requests_per_second=1e6, burst=sys.maxsize),
        )
        self._router = Router(
            routes,
            identify=identify,
            limiter=self._limiter,
            problems=self._problems,
            stages=telemetry.metrics.stages,
        )

    async def answer(self, data: bytes) -> bytes:
        """What comes back for these bytes on a connection of its own."""
        server = web.Server(self._router)
        wire = _Wire()
        connection = Connection(
            server,
            loop=self.loop,
            problems=self._problems,
            lost=lambda: None,
            limiter=self._limiter,
            settings=SETTINGS,
        )
        connection.connection_made(wire)
        connection.data_received(data)
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        connection.connection_lost(None)
        await server.shutdown(0)
        return bytes(wire.answer)


def _http_target() -> Prepared:
    """Bytes on an open connection: an answer of ours, or a wait for more; never an incident."""
    listener = _Listener()
    body = b'{"type":"Order"}'
    head = b"POST /v1/interchanges HTTP/1.1\r\nHost: localhost\r\n"
    seeds = [
        head + b"Luxor-Interchange-Id: i-1\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body),
        head + b"Transfer-Encoding: chunked\r\n\r\n10\r\n%s\r\n0\r\n\r\n" % body,
        b"GET /v1/trace/LX%20123?limit=5&offset=a HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ]

    def judge(data: bytes) -> bool:
        listener.log.seek(0)
        listener.log.truncate()
        answer = listener.loop.run_until_complete(listener.answer(data))
        if '"request.failed"' in listener.log.getvalue():
            raise Broken(f"an incident: {listener.log.getvalue()}")
        status = _STATUS_LINE.match(answer)
        if answer and status is None:
            raise Broken("an answer that is no HTTP")
        return status is not None and status[1] == b"200"

    words = [
        *(
            b"Content-Length: ",
            b"Transfer-Encoding: chunked",
            b"Expect: 100-continue",
            b"0\r\n\r\n",
        ),
        *(b"Content-Encoding: gzip", b"Upgrade: websocket", b"Connection: close", b"\r\n\r\n"),
        *(b"HTTP/1.0", b"HTTP/2.0", b"?limit=", b"&", b"//", b"http://x/", b"%00", b"%ff"),
    ]
    return Prepared(judge=judge, seeds=seeds, words=words)


TARGETS = (
    Target(name="grpc-message", prepare=_grpc_target),
    Target(name="http-request", prepare=_http_target, share=0.3),
)
