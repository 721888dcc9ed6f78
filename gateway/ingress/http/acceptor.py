"""Takes TCP connections, does their TLS handshake and hands them to the HTTP protocol.

The loops' own servers lose failed handshakes; here each is an event ``tls.refused`` with its
reason and the peer's address, and handshakes and connections have bounds: as a whole, where more
of them wait, and by address, where more are closed.
"""

from __future__ import annotations

import asyncio
import math
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from gateway.core.bucket import Bucket, Rate, draw
from gateway.core.envelope import Transport
from gateway.ingress.addresses import Addresses
from gateway.ingress.http.settings import HttpSettings
from gateway.telemetry import Telemetry

_FAULT_PAUSE_S = 0.5
_SHUTDOWN_S = 5.0
_SAID_S = 10.0
"""Connections that were closed at once are logged once in so many seconds."""

ProtocolFactory = Callable[[Callable[[], None]], asyncio.Protocol]
"""Makes the protocol of one connection, which calls the argument when it is lost."""


class Acceptor:
    """One listening socket. ``context`` may be replaced at any time; it serves new handshakes."""

    def __init__(
        self,
        *,
        listener: socket.socket,
        context: ssl.SSLContext,
        protocol: ProtocolFactory,
        settings: HttpSettings,
        telemetry: Telemetry,
    ) -> None:
        self.context = context
        self._listener = listener
        self._protocol = protocol
        self._settings = settings
        self._refused = telemetry.metrics.tls_refused.labels(transport=Transport.HTTPS)
        self._log = telemetry.of("ingress.https")
        self._connections = asyncio.Semaphore(settings.connections)
        self._places = asyncio.Semaphore(settings.handshakes)
        self._pace = Rate(settings.handshakes_per_second, _at_once(settings.handshakes_per_second))
        self._begun: Bucket | None = None
        each = settings.address_handshakes_per_second
        self._addresses = Addresses(
            connections=settings.address_connections, rate=Rate(each, 2 * _at_once(each))
        )
        self._closed = telemetry.metrics.connections_refused.labels(transport=Transport.HTTPS)
        self._said = -math.inf
        self._task: asyncio.Task[None] | None = None
        self._handshakes: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begin to take connections."""
        self._task = asyncio.create_task(self._accept(), name="https.accept")

    async def stop(self) -> None:
        """Take no more connections and finish the handshakes under way. May be called twice."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        self._listener.close()
        if self._handshakes:
            await asyncio.wait(self._handshakes)

    async def _accept(self) -> None:
        """Take connections until cancelled; none is lost by that which was taken already."""
        loop = asyncio.get_running_loop()
        while True:
            await self._connections.acquire()
            await self._places.acquire()
            await self._wait_for_pace(loop)
            while (taken := await self._take(loop)) is None:
                pass
            peer, address = taken
            task = loop.create_task(self._handshake(peer, address))
            self._handshakes.add(task)
            task.add_done_callback(self._handshakes.discard)

    async def _take(self, loop: asyncio.AbstractEventLoop) -> tuple[socket.socket, str] | None:
        """The next connection, or ``None`` when there was none that may be served."""
        try:
            peer, (address, *_) = self._listener.accept()
        except (BlockingIOError, InterruptedError):  # other processes may listen here as well
            await self._readable(loop)
            return None
        except OSError as error:  # out of descriptors, mostly: wait for some to be closed
            self._log.error("connection.not-taken", errno=error.errno)
            await asyncio.sleep(_FAULT_PAUSE_S)
            return None
        if not self._addresses.enter(address, now=loop.time()):
            peer.close()
            self._count_closed(address, loop.time())
            await asyncio.sleep(0)  # a flood of these must not hold up what is served
            return None
        peer.settimeout(0)
        return peer, address

    async def _readable(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wait until somebody connects. Unlike ``sock_accept``, cancelling it loses nobody."""
        ready = loop.create_future()

        def tell() -> None:
            if not ready.done():
                ready.set_result(None)

        loop.add_reader(self._listener, tell)
        try:
            await ready
        finally:
            loop.remove_reader(self._listener)

    async def _wait_for_pace(self, loop: asyncio.AbstractEventLoop) -> None:
        """A handshake is the dearest thing that a stranger can ask for."""
        while True:
            self._begun, drawn = draw(self._begun, want=1, rate=self._pace, now=loop.time())
            if drawn.granted:
                return
            await asyncio.sleep(drawn.wait)

    def _count_closed(self, address: str, now: float) -> None:
        self._closed.inc()
        if now - self._said >= _SAID_S:  # the counter has them all; the log must not be filled
            self._said = now
            self._log.warning("connection.refused", address=address)

    def _release(self, address: str) -> None:
        self._connections.release()
        self._addresses.leave(address)

    async def _handshake(self, peer: socket.socket, address: str) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.connect_accepted_socket(
                lambda: self._protocol(partial(self._release, address)),
                peer,
                ssl=self.context,
                ssl_handshake_timeout=self._settings.handshake_timeout,
                ssl_shutdown_timeout=_SHUTDOWN_S,
            )
        except OSError as error:
            self._release(address)
            self._explain(error, address)
        finally:
            self._places.release()

    def _explain(self, error: OSError, address: str) -> None:
        match error:
            case ssl.SSLError():
                reason = getattr(error, "verify_message", None) or error.reason or "unknown"
            case ConnectionAbortedError():  # what both loops raise when the time is over
                reason = "handshake timeout"
            case _:
                # The peer left without a word, as probes of load balancers do.
                self._log.debug("connection.abandoned", address=address)
                return
        self._refused.inc()
        self._log.warning(
            "tls.refused", transport=Transport.HTTPS.value, reason=reason, address=address
        )


def _at_once(per_second: float) -> int:
    return max(1, math.ceil(2 * per_second))
