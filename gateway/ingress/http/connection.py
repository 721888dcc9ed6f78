"""One HTTP connection: aiohttp's protocol with our words for what is not HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import web
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_request import BaseRequest

from gateway.core.errors import Refused
from gateway.ingress.http.responses import problem_response
from gateway.ingress.http.settings import HttpSettings
from gateway.ingress.problems import Problems


class Connection(RequestHandler):
    """Answers malformed requests with a problem document instead of a page.

    aiohttp offers no hook but this method for what its parser refuses. Everything else that goes
    wrong is answered in the router, so that an exception here is a malformed request or a bug.
    """

    __slots__ = ("_lost", "_problems")

    def __init__(
        self,
        server: web.Server,
        *,
        loop: asyncio.AbstractEventLoop,
        problems: Problems,
        lost: Callable[[], None],
        settings: HttpSettings,
    ) -> None:
        """``lost`` is called once, when the connection is over."""
        super().__init__(
            server,
            loop=loop,
            keepalive_timeout=settings.keep_alive,
            max_line_size=settings.header_bytes,
            max_field_size=settings.header_bytes,
            max_headers=settings.header_lines,
            lingering_time=settings.lingering,
            auto_decompress=False,
            access_log=None,  # type: ignore[arg-type]  # aiohttp's own word for "none"
        )
        self._problems = problems
        self._lost = lost

    def connection_lost(self, exc: BaseException | None) -> None:
        """The transport is gone."""
        super().connection_lost(exc)
        self._lost()

    def handle_error(
        self,
        request: BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to a request that could not be handled; the connection ends with it."""
        if request.writer.output_size > 0:
            raise ConnectionError("an answer is under way already")
        error: Exception = (
            Refused("request.invalid", "this is not a well-formed HTTP/1.1 request")
            if status == 400
            else exc
            if isinstance(exc, Exception)
            else RuntimeError("the request died")
        )
        response = problem_response(self._problems.tell(error))
        response.force_close()
        return response
