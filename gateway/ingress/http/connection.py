"""One HTTP connection: aiohttp's protocol with our words for what is not HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from ssl import SSLObject

from aiohttp import web
from aiohttp.http_exceptions import LineTooLong
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_request import BaseRequest

from gateway.core.errors import Refused
from gateway.ingress.http.responses import problem_response
from gateway.ingress.http.settings import HttpSettings
from gateway.ingress.limits import Limiter
from gateway.ingress.problems import Problems
from trust.identity import PartyId


class Connection(RequestHandler):
    """Answers malformed requests with a problem document instead of a page.

    aiohttp offers no hook but this method for what its parser refuses. Everything else that goes
    wrong is answered in the router, so that an exception here is a malformed request or a bug.
    """

    __slots__ = (
        "_answering",
        "_beginning",
        "_certificate",
        "_limiter",
        "_lost",
        "_parties",
        "_problems",
        "_settings",
        "_unidentified",
    )

    def __init__(
        self,
        server: web.Server,
        *,
        loop: asyncio.AbstractEventLoop,
        problems: Problems,
        lost: Callable[[], None],
        limiter: Limiter,
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
        self._limiter = limiter
        self._settings = settings
        self._parties: set[PartyId] = set()
        self._unidentified = 0
        self._certificate: bytes | None = None
        # aiohttp gives the headers of a first request all the time in the world.
        self._beginning: asyncio.TimerHandle | None = loop.call_later(
            settings.header_timeout, self.force_close
        )
        self._answering: asyncio.TimerHandle | None = None

    @property
    def certificate(self) -> bytes | None:
        """The client's certificate as DER, shown in the handshake of this connection.

        It stays: TLS 1.3 asks for another one later only where a server offers that (RFC 8446,
        4.6.2), which this one does not.
        """
        if self._certificate is None and self.transport is not None:
            tls = self.transport.get_extra_info("ssl_object")
            if isinstance(tls, SSLObject):
                self._certificate = tls.getpeercert(binary_form=True)
        return self._certificate

    @property
    def has_asked(self) -> bool:
        """Whether the headers of any request were read."""
        return self._beginning is None

    def begun(self) -> None:
        """The headers of a request were read."""
        if self._beginning is not None:
            self._beginning.cancel()
            self._beginning = None

    def ends_for_strangers(self) -> bool:
        """One more request by nobody who is known; whether it was the last that is answered."""
        self._unidentified += 1
        return self._unidentified >= self._settings.unidentified

    def used_by(self, party: PartyId) -> None:
        """A proven party uses this connection; raises ``Unavailable`` when it has too many."""
        if party not in self._parties:
            self._limiter.connect(party, self)
            self._parties.add(party)

    def pause_writing(self) -> None:
        """The caller takes nothing more for now."""
        super().pause_writing()
        if self._answering is None:
            self._answering = self._loop.call_later(self._settings.answer_idle, self._abort)

    def resume_writing(self) -> None:
        """The caller takes its answer again."""
        super().resume_writing()
        self._taken()

    def connection_lost(self, exc: BaseException | None) -> None:
        """The transport is gone."""
        super().connection_lost(exc)
        self.begun()
        self._taken()
        for party in self._parties:
            self._limiter.disconnect(party, self)
        self._parties.clear()
        self._lost()

    def _taken(self) -> None:
        if self._answering is not None:
            self._answering.cancel()
            self._answering = None

    def _abort(self) -> None:
        if isinstance(self.transport, asyncio.WriteTransport):
            self.transport.abort()

    def handle_error(
        self,
        request: BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to a request that could not be handled; the connection ends with it."""
        self.begun()
        if request.writer.output_size > 0:
            raise ConnectionError("an answer is under way already")
        response = problem_response(self._problems.tell(_meant(status, exc)))
        response.force_close()
        return response


def _meant(status: int, error: BaseException | None) -> Exception:
    """What is to be said of what the parser or aiohttp itself stumbled over."""
    if isinstance(error, LineTooLong):
        return Refused("headers.oversize")
    if status == 400:
        return Refused("request.invalid", "this is not a well-formed HTTP/1.1 request")
    return error if isinstance(error, Exception) else RuntimeError("the request died")
