"""``POST /v1/ping``: who the caller is here, proved both ways; nothing is kept of it."""

from __future__ import annotations

from aiohttp import web

from gateway.ingress.http.body import check_announced
from gateway.ingress.http.responses import raw_response
from gateway.ingress.http.router import Call
from gateway.ingress.http.settings import HttpSettings
from gateway.ingress.http.signed import content_of
from gateway.ingress.spool import Intake, SpoolSettings
from gateway.pipeline.ping import PING_BYTES
from gateway.pipeline.service import Service


class Pings:
    """Answers pings over HTTPS."""

    def __init__(self, *, service: Service, settings: HttpSettings) -> None:
        self._service = service
        self._settings = settings

    async def __call__(self, call: Call) -> web.Response:
        """The answer, with the gateway's signature in ``Luxor-Signature``."""
        call.query()
        check_announced(call.request, self._settings)
        intake = Intake(SpoolSettings(memory_bytes=PING_BYTES, max_bytes=PING_BYTES))
        content = await content_of(call, intake, self._settings)
        with content.open() as source:
            echo = await self._service.ping(
                call.identity,
                source.read(),
                signature=call.request.headers.get("Luxor-Signature"),
                proved=None if call.signed is None else call.signed.by.kid,
            )
        return raw_response(echo.content, headers={"Luxor-Signature": echo.signature})
