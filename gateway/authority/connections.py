"""Connections of the authority's listener: so many in all, so many of one address, for so long."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

from aiohttp import web
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_request import BaseRequest

from gateway.authority.bounds import AskingBounds

_KEEP_ALIVE_SECONDS = 15.0
_HEADER_BYTES = 8_190  # a question in a path: RFC 5019, 5 has them at 255 bytes


class Lobby:
    """Counts who is in."""

    def __init__(self, bounds: AskingBounds) -> None:
        self.bounds = bounds
        self._addresses: Counter[str] = Counter()

    def admits(
        self, server: web.Server, loop: asyncio.AbstractEventLoop
    ) -> Callable[[], RequestHandler]:
        """What makes the protocol of each connection."""
        return lambda: _Visitor(server, loop=loop, lobby=self)

    def enter(self, address: str) -> bool:
        """Count a connection; whether there is room for it. It leaves in either case."""
        self._addresses[address] += 1
        return (
            self._addresses.total() <= self.bounds.connections
            and self._addresses[address] <= self.bounds.connections_each
        )

    def leave(self, address: str) -> None:
        """A connection of that address is over."""
        self._addresses[address] -= 1
        if self._addresses[address] <= 0:
            del self._addresses[address]


class _Visitor(RequestHandler):
    """One connection; aiohttp has no bound of its own for how long a request may take to come."""

    __slots__ = ("_address", "_end", "_lobby")

    def __init__(
        self, server: web.Server, *, loop: asyncio.AbstractEventLoop, lobby: Lobby
    ) -> None:
        super().__init__(
            server,
            loop=loop,
            keepalive_timeout=_KEEP_ALIVE_SECONDS,
            max_line_size=_HEADER_BYTES,
            max_field_size=_HEADER_BYTES,
            auto_decompress=False,
            access_log=None,  # type: ignore[arg-type]  # aiohttp's own word for "none"
        )
        self._lobby = lobby
        self._address = ""
        self._end: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Stay, if there is room."""
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        self._address = str(peer[0]) if peer else ""
        room = self._lobby.enter(self._address)
        seconds = self._lobby.bounds.connection_seconds if room else 0.0
        self._end = asyncio.get_running_loop().call_later(seconds, self._cut, transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """The transport is gone."""
        super().connection_lost(exc)
        if self._end is not None:
            self._end.cancel()
        self._lobby.leave(self._address)

    def handle_error(
        self,
        request: BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """What is no HTTP is answered and not logged: anybody can send it at any time."""
        if status >= 500 or request.writer.output_size > 0:
            return super().handle_error(request, status, exc, message)
        response = web.Response(status=status, text="this is not a well-formed HTTP/1.1 request\n")
        response.force_close()
        return response

    @staticmethod
    def _cut(transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            transport.abort()
