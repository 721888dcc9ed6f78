"""TLS handshakes of the gRPC listener that ended badly.

gRPC's core tells nobody: it closes the connection and writes a line to standard error. The line
does not say whether the core was server or client, but the core asks for the server's certificate
at the beginning of each incoming handshake. So a line counts as a refusal while an incoming
handshake is open: begun, not older than the handshake timeout, and not yet followed by a call.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

from gateway.core.envelope import Transport
from gateway.telemetry import Telemetry

MAX_OPEN = 4_096
MAX_PEERS = 65_536


class Handshakes:
    """Counts refusals. Every method may be called from any thread."""

    def __init__(
        self,
        *,
        telemetry: Telemetry,
        timeout: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``timeout``: seconds after which the core gives up a handshake."""
        self._refused = telemetry.metrics.tls_refused.labels(transport=Transport.GRPC)
        self._log = telemetry.of("ingress.grpc")
        self._timeout = timeout
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._open: deque[float] = deque(maxlen=MAX_OPEN)
        self._peers: OrderedDict[str, None] = OrderedDict()

    def begun(self) -> None:
        """An incoming connection begins its handshake."""
        with self._lock:
            self._open.append(self._monotonic())

    def succeeded(self, peer: str) -> None:
        """A call came from ``peer`` (address and port); only the first of a peer matters."""
        if peer in self._peers:
            return
        with self._lock:
            self._peers[peer] = None
            if len(self._peers) > MAX_PEERS:
                self._peers.popitem(last=False)
            self._settle()

    def failed(self, reason: str) -> bool:
        """The core speaks of a failed handshake; whether it was an incoming one."""
        with self._lock:
            if not self._settle():
                return False
        self._refused.inc()
        self._log.warning("tls.refused", transport=Transport.GRPC.value, reason=reason)
        return True

    def _settle(self) -> bool:
        """Take the oldest open handshake out; whether there was one."""
        earliest = self._monotonic() - self._timeout
        while self._open and self._open[0] < earliest:
            self._open.popleft()
        if not self._open:
            return False
        self._open.popleft()
        return True
