"""Bounds of the HTTPS interface, each with a name in the configuration."""

from __future__ import annotations

import msgspec

from gateway.core.bounds import Count, Pause, Seconds
from gateway.ingress.spool import SpoolSettings
from trust.members import PerSecond


class HttpSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sizes are bytes, times seconds."""

    spool: SpoolSettings = SpoolSettings()
    """Bounds of bodies."""
    connections: Count = 2_000
    """Open connections; more wait in the kernel's queue."""
    address_connections: Count = 512
    """Open connections from one address (IPv6: from one /64); more are closed at once."""
    handshakes: Count = 64
    """TLS handshakes under way at once; more wait in the kernel's queue."""
    handshakes_per_second: PerSecond = 200.0
    """TLS handshakes that begin, twice as many at once; more wait in the kernel's queue."""
    address_handshakes_per_second: PerSecond = 100.0
    """From one address, four times as many at once; more connections are closed at once."""
    handshake_timeout: Seconds = 10.0
    header_timeout: Seconds = 15.0
    """How long the first request of a connection may take for its headers."""
    submissions: Count = 256
    """Interchanges that are read or judged at once; the next is answered 503."""
    header_bytes: Count = 8_190
    """One header line, and the request line."""
    header_lines: Count = 64
    unidentified: Count = 20
    """Requests of one connection by nobody who is known; with the last of them it ends."""
    keep_alive: Seconds = 75.0
    """How long a connection may be idle, or take for the headers of its next request."""
    body_idle: Seconds = 15.0
    """How long nothing may come of a body."""
    body_timeout: Seconds = 300.0
    """How long a body may take as a whole."""
    answer_idle: Seconds = 60.0
    """How long the caller may take nothing of its answer."""
    lingering: Pause = 5.0
    """How long the rest of a refused body is read away, so that the answer is seen."""
    drain: Pause = 30.0
    """How long a stop waits for requests whose headers were read."""
    inbox_page: Count = 500
    """Messages in a page of the inbox at most."""
    inbox_wait: Seconds = 30.0
    """How long a call of the inbox may wait for messages."""
    outcome_page: Count = 1_000
    """Outcomes in one answer at most."""
    acknowledgement_bytes: Count = 262_144
    clearance_bytes: Count = 131_072
    """Size of a request about the clearance of many items."""
    backlog: Count = 512
    """Connections that the kernel holds until they are taken."""
    reuse_port: bool = False
    """Share the port with other processes of this gateway."""
