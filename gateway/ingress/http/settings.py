"""Bounds of the HTTPS interface, each with a name in the configuration."""

from __future__ import annotations

import msgspec

from gateway.ingress.spool import SpoolSettings


class HttpSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sizes are bytes, times seconds."""

    spool: SpoolSettings = SpoolSettings()
    """Bounds of bodies."""
    connections: int = 2_000
    """Open connections; more wait in the kernel's queue."""
    handshakes: int = 64
    """TLS handshakes under way at once; more wait in the kernel's queue."""
    handshake_timeout: float = 10.0
    submissions: int = 256
    """Interchanges that are read or judged at once; the next is answered 503."""
    header_bytes: int = 8_190
    """One header line, and the request line."""
    header_lines: int = 64
    keep_alive: float = 75.0
    """How long a connection may be idle, or take for its headers."""
    body_idle: float = 15.0
    """How long nothing may come of a body."""
    body_timeout: float = 300.0
    """How long a body may take as a whole."""
    lingering: float = 5.0
    """How long the rest of a refused body is read away, so that the answer is seen."""
    drain: float = 30.0
    """How long a stop waits for requests whose headers were read."""
    inbox_page: int = 500
    """Messages in a page of the inbox at most."""
    inbox_wait: float = 30.0
    """How long a call of the inbox may wait for messages."""
    outcome_page: int = 1_000
    """Outcomes in one answer at most."""
    acknowledgement_bytes: int = 262_144
    backlog: int = 512
    """Connections that the kernel holds until they are taken."""
    reuse_port: bool = False
    """Share the port with other processes of this gateway."""
