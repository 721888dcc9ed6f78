"""The operations listener: health, readiness and metrics, for machines of the operator.

Plain HTTP without identity, so it belongs on loopback or on a network of the operator's own. It
tells nothing of parties beyond the labels of metrics.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec
from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

Check = Callable[[], bool]


class OperationsIngress:
    """``/health/live``, ``/health/ready`` and ``/metrics``."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        metrics: CollectorRegistry,
        checks: Mapping[str, Check],
    ) -> None:
        """``checks`` are asked at each call of readiness: all must say yes. They do not block."""
        self._host = host
        self._port = port
        self._metrics = metrics
        self._checks = checks
        self._runner: web.AppRunner | None = None

    @property
    def port(self) -> int:
        """The port that is listened on; before the start, the one that was asked for."""
        return self._port

    async def start(self) -> None:
        """Listen. Raises ``OSError`` when the address is taken."""
        application = web.Application()
        application.router.add_get("/health/live", self._live)
        application.router.add_get("/health/ready", self._ready)
        application.router.add_get("/metrics", self._scrape)
        runner = self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        await web.TCPSite(runner, self._host, self._port).start()
        self._port = runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening. May be called twice."""
        runner, self._runner = self._runner, None
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
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(self._metrics), headers={"Content-Type": content_type})


def _holds(check: Check) -> bool:
    try:
        return check()
    except Exception:  # a check that fails is an answer: not ready
        return False


def _json(value: object, *, status: int) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(value), status=status, content_type="application/json"
    )
