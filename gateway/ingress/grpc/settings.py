"""Bounds of the gRPC interface, each with a name in the configuration."""

from __future__ import annotations

import msgspec


class GrpcSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sizes are bytes, times seconds."""

    message_bytes: int = 16 * 1024 * 1024
    """One submission; larger interchanges go over HTTPS, which streams."""
    streams: int = 100
    """Calls that are open at once on one connection."""
    calls: int = 1_000
    """Calls that are open at once in this process; the next is answered RESOURCE_EXHAUSTED."""
    window: int = 64
    """Unanswered submissions of one ``SubmitStream``."""
    stream_bytes: int = 32 * 1024 * 1024
    """Content of the unanswered submissions of one ``SubmitStream``."""
    in_flight: int = 256
    """Unacknowledged deliveries of one ``Subscribe``."""
    outcome_page: int = 1_000
    """Outcomes in one reply at most."""
    keepalive: float = 60.0
    """How often an idle connection is asked whether it is alive."""
    keepalive_timeout: float = 20.0
    connection_idle: float = 900.0
    """After how long without a call a connection is closed."""
    connection_age: float = 14_400.0
    """After how long a connection is closed in good order: its certificate is then shown anew."""
    connection_grace: float = 60.0
    """How long calls may go on after that."""
    handshake_timeout: float = 10.0
    drain: float = 30.0
    """How long a stop waits for calls under way."""
    reuse_port: bool = False
    """Share the port with other processes of this gateway."""
