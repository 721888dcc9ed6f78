"""Bounds of the HTTPS interface, each with a name in the configuration."""

from __future__ import annotations

import msgspec

from gateway.core.bounds import Count, Pause, Seconds
from gateway.ingress.spool import SpoolSettings


class HttpSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sizes are bytes, times seconds."""

    spool: SpoolSettings = SpoolSettings()
    """Bounds of bodies."""
    connections: Count = 2_000
    """Open connections; more wait in the kernel's queue."""
    handshakes: Count = 64
    """TLS handshakes under way at once; more wait in the kernel's queue."""
    handshake_timeout: Seconds = 10.0
    submissions: Count = 256
    """Interchanges that are read or judged at once; the next is answered 503."""
    header_bytes: Count = 8_190
    """One header line, and the request line."""
    header_lines: Count = 64
    keep_alive: Seconds = 75.0
    """How long a connection may be idle, or take for its headers."""
    body_idle: Seconds = 15.0
    """How long nothing may come of a body."""
    body_timeout: Seconds = 300.0
    """How long a body may take as a whole."""
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
    backlog: Count = 512
    """Connections that the kernel holds until they are taken."""
    reuse_port: bool = False
    """Share the port with other processes of this gateway."""
