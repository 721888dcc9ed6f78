"""The HTTPS listener: starts, serves, and stops without failing what it began to read."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Collection

from aiohttp import web

from gateway.core.envelope import Transport
from gateway.core.ports import Clock
from gateway.ingress.admission import Admission
from gateway.ingress.http.acceptor import Acceptor
from gateway.ingress.http.clearance import Clearances
from gateway.ingress.http.connection import Connection
from gateway.ingress.http.inbox import Inbox
from gateway.ingress.http.lookups import Lookups
from gateway.ingress.http.openapi import openapi_document
from gateway.ingress.http.pinging import Pings
from gateway.ingress.http.responses import json_response
from gateway.ingress.http.router import Call, Handler, Route, Router
from gateway.ingress.http.settings import HttpSettings
from gateway.ingress.http.signed import Identification
from gateway.ingress.http.submit import Submit
from gateway.ingress.limits import Limiter
from gateway.ingress.problems import Problems
from gateway.ingress.reception import Reception
from gateway.ingress.tls import ServerTls, https_context, open_context, server_names
from gateway.pipeline.service import Service
from gateway.telemetry import Telemetry

_DRAIN_STEP_S = 0.02
_SETTLE_TURNS = 5
_IDLE_S = 0.25
"""How long a connection stays open that is idle when a stop begins: its client may be about to ask,
and hears with the answer that the connection ends."""
_FRESH_S = 2.0
"""The same for a connection by which nothing was asked yet."""


class HttpIngress:
    """One HTTPS listener of the gateway."""

    def __init__(
        self,
        *,
        service: Service,
        telemetry: Telemetry,
        clock: Clock,
        tls: ServerTls,
        host: str,
        port: int,
        settings: HttpSettings,
        limiter: Limiter | None = None,
        admission: Admission | None = None,
        names: Collection[str] = (),
        certificates: bool = True,
        listener: socket.socket | None = None,
    ) -> None:
        """``port`` 0 takes any free one. The files of ``tls`` are read when it starts.

        A ``listener`` that listens already is served instead of ``host`` and ``port``.

        Signatures of requests are for one of ``names`` (``host`` or ``host:port``), by default
        those of the server's certificate at the port that is listened on: what was signed for
        another gateway on the same host is not for this one. Without ``certificates`` no client
        shows one, and each request must be signed. Listeners of one gateway share a
        ``limiter`` and an ``admission``.
        """
        self._telemetry = telemetry
        self._tls = tls
        self._host = host
        self._port = port
        self._settings = settings
        self._listener = listener
        self._admission = admission or Admission.alone(telemetry)
        self._stopping = asyncio.Event()
        self._problems = Problems(transport=Transport.HTTPS, telemetry=telemetry)
        self._names = frozenset(name.lower() for name in names)
        self._context = https_context if certificates else open_context
        limiter = limiter or Limiter.alone(telemetry=telemetry, clock=clock)
        self._identification = Identification(
            service, names=self._names, certificates=certificates, foresee=limiter.foresee
        )
        self._limiter = limiter
        self._router = Router(
            self._routes(service, clock),
            identify=self._identification,
            limiter=limiter,
            problems=self._problems,
            stages=telemetry.metrics.stages,
        )
        self._server: web.Server | None = None
        self._acceptor: Acceptor | None = None

    @property
    def port(self) -> int:
        """The port that is listened on; before the start, the one that was asked for."""
        return self._port

    async def start(self) -> None:
        """Listen. Raises ``OSError`` when the address is taken or a file cannot be read."""
        context = self._context(self._tls)
        listener = self._listener or self._listen()
        listener.settimeout(0)
        self._port = listener.getsockname()[1]
        self._identification.names = self._called(self._tls)
        server = self._server = web.Server(self._router)
        self._acceptor = Acceptor(
            listener=listener,
            context=context,
            protocol=lambda lost: Connection(
                server,
                loop=asyncio.get_running_loop(),
                problems=self._problems,
                lost=lost,
                limiter=self._limiter,
                settings=self._settings,
            ),
            settings=self._settings,
            telemetry=self._telemetry,
        )
        self._acceptor.start()

    def _listen(self) -> socket.socket:
        return listening_socket(self._host, self._port, self._settings)

    def renew(self, tls: ServerTls) -> None:
        """Serve new connections with other certificates or authorities; open ones stay."""
        context = self._present(tls)
        self._tls = tls
        if self._acceptor is not None:
            self._acceptor.context = context

    def announce(self) -> None:
        """Say with each answer from now on that its connection ends; all are served still."""
        self._router.stopping = True

    async def stop(self) -> None:
        """Take nothing new, answer what was begun, close. May be called twice.

        Every request whose headers were read is answered if that takes at most
        ``settings.drain`` seconds. Handshakes under way are finished, and connections that are
        idle stay for a moment, so that a request that is on its way is answered too.
        """
        self._stopping.set()
        if self._acceptor is None or self._server is None:
            return
        acceptor, self._acceptor = self._acceptor, None
        self.announce()
        await acceptor.stop()
        for _ in range(_SETTLE_TURNS):  # what was parsed in this turn of the loop gets its handler
            await asyncio.sleep(0)
        loop = asyncio.get_running_loop()
        begun = loop.time()
        while self._close_idle(loop.time() - begun):
            if loop.time() > begun + self._settings.drain:
                break
            await asyncio.sleep(_DRAIN_STEP_S)
        await self._server.shutdown(timeout=_DRAIN_STEP_S)

    def _close_idle(self, seconds: float) -> bool:
        """So long after a stop began: whether any connection is still waited for."""
        assert self._server is not None
        waiting = False
        for connection in self._server.connections:
            asked = not isinstance(connection, Connection) or connection.has_asked
            if connection in self._router.busy or seconds < (_IDLE_S if asked else _FRESH_S):
                waiting = True
            else:
                connection.force_close()
        return waiting

    def _present(self, tls: ServerTls) -> ssl.SSLContext:
        """The context for new connections; what we are called follows the certificate."""
        context = self._context(tls)
        self._identification.names = self._called(tls)
        return context

    def _called(self, tls: ServerTls) -> frozenset[str]:
        """The authorities for which requests are signed that are for this listener."""
        return self._names or frozenset(f"{name}:{self._port}" for name in server_names(tls))

    def _routes(self, service: Service, clock: Clock) -> tuple[Route, ...]:
        settings, metrics = self._settings, self._telemetry.metrics
        reception = Reception(
            service=service, telemetry=self._telemetry, clock=clock, transport=Transport.HTTPS
        )
        submit = Submit(
            reception=reception,
            formats=lambda: service.formats,
            settings=settings,
            admission=self._admission,
        )
        lookups = Lookups(service=service, settings=settings)
        pings = Pings(service=service, settings=settings)
        clearances = Clearances(service=service, settings=settings)
        inbox = Inbox(service=service, metrics=metrics, settings=settings, stopping=self._stopping)
        document = openapi_document(self._problems.kinds, settings=settings)

        async def openapi(call: Call) -> web.Response:
            return json_response(document)

        reads: dict[str, Handler] = {
            "/v1/interchanges/{}": lookups.status,
            "/v1/interchanges/{}/outcomes": lookups.outcomes,
            "/v1/interchanges/{}/report": lookups.report,
            "/v1/trace/{}": lookups.trace,
            "/v1/quality": lookups.quality,
            "/v1/items/{}/clearance": clearances.one,
            "/v1/formats": lookups.formats,
            "/v1/keys": lookups.keys,
            "/openapi.json": openapi,
        }
        return (
            Route(method="POST", path="/v1/interchanges", handler=submit),
            Route(method="POST", path="/v1/inbox/acknowledgements", handler=inbox.acknowledge),
            Route(method="POST", path="/v1/items/clearance", handler=clearances.many),
            Route(method="POST", path="/v1/ping", handler=pings),
            # No HEAD here: a served page is leased, and HEAD must change nothing (RFC 9110, 9.2.1)
            Route(method="GET", path="/v1/inbox", handler=inbox.page),
            *(Route(method="GET", path=path, handler=handler) for path, handler in reads.items()),
            *(Route(method="HEAD", path=path, handler=handler) for path, handler in reads.items()),
        )


def listening_socket(host: str, port: int, settings: HttpSettings) -> socket.socket:
    """A socket that listens, as an ingress opens it; raises ``OSError``."""
    return socket.create_server(
        (host, port),
        family=socket.AF_INET6 if ":" in host else socket.AF_INET,
        backlog=settings.backlog,
        reuse_port=settings.reuse_port,
    )
