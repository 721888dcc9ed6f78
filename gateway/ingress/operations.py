"""The operations listener: health, readiness, metrics and controls, for the operator's machines.

Plain HTTP without identity, so it belongs on loopback or on a network of the operator's own. It
tells nothing of parties beyond the labels of metrics; controls are guarded
(:mod:`gateway.ingress.controls`).
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping

import msgspec
from aiohttp import web
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_request import BaseRequest
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from gateway.ingress.controls import LARGEST, Control, Guard, routes
from gateway.ingress.security import SECURITY

Check = Callable[[], bool]


class OperationsIngress:
    """``/health/live``, ``/health/ready``, ``/metrics``, and what is controlled."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        metrics: CollectorRegistry,
        checks: Mapping[str, Check],
        controls: Iterable[Control] = (),
        token: str | None = None,
        listener: socket.socket | None = None,
        refresh: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """``checks`` are asked at each call of readiness: all must say yes. They do not block.

        ``controls`` are served on a loopback address, elsewhere only by ``token``. A ``listener``
        in the file system that listens already is served instead of ``host`` and ``port``.
        ``refresh`` is awaited before metrics are told.
        """
        self._host = host
        self._port = port
        self._metrics = metrics
        self._checks = checks
        self._controls = routes(tuple(controls), Guard(host=host, token=token))
        self._socket = listener
        self._refresh = refresh
        self._runner: web.AppRunner | None = None
        self._listener: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """The port that is listened on; before the start, the one that was asked for."""
        return self._port

    async def start(self) -> None:
        """Listen. Raises ``OSError`` when the address is taken."""
        application = web.Application(client_max_size=LARGEST)
        application.on_response_prepare.append(_secured)
        application.router.add_get("/health/live", self._live)
        application.router.add_get("/health/ready", self._ready)
        application.router.add_get("/metrics", self._scrape)
        application.router.add_routes(self._controls)
        runner = self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        loop, server = asyncio.get_running_loop(), runner.server
        assert server is not None  # after setup

        def connection() -> _Connection:
            return _Connection(server, loop=loop, access_log=None)  # type: ignore[arg-type]  # aiohttp's own word for "none"

        if self._socket is not None:
            self._listener = await loop.create_unix_server(connection, sock=self._socket)
        else:
            self._listener = await loop.create_server(connection, self._host, self._port)
            self._port = self._listener.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening. May be called twice."""
        listener, self._listener = self._listener, None
        runner, self._runner = self._runner, None
        if listener is not None:
            listener.close()
        if runner is not None:
            await runner.cleanup()

    async def _live(self, request: web.Request) -> web.Response:
        """The process answers, so it lives."""
        return _json({"live": True}, status=200)

    async def _ready(self, request: web.Request) -> web.Response:
        """503 until every check says yes; which one does not is told."""
        results = {name: _holds(check) for name, check in self._checks.items()}
        ready = all(results.values())
        return _json({"ready": ready, "checks": results}, status=200 if ready else 503)

    async def _scrape(self, request: web.Request) -> web.Response:
        """Prometheus text, or OpenMetrics for those who ask for it."""
        if self._refresh is not None:
            await self._refresh()
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(self._metrics), headers={"Content-Type": content_type})


class _Connection(RequestHandler):
    """Says no more of itself when a request is malformed than otherwise."""

    __slots__ = ()

    def handle_error(
        self,
        request: BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer of the library without its page: that shows what it stumbled over."""
        super().handle_error(request, status, exc, message)
        response = web.Response(status=status, headers=SECURITY)
        response.force_close()
        return response


async def _secured(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(SECURITY)


def _holds(check: Check) -> bool:
    try:
        return check()
    except Exception:  # a check that fails is an answer: not ready
        return False


def _json(value: object, *, status: int) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(value), status=status, content_type="application/json"
    )
