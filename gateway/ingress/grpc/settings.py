"""Bounds of the gRPC interface, each with a name in the configuration."""

from __future__ import annotations

import msgspec

from gateway.core.bounds import Count, Pause, Seconds


class GrpcSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sizes are bytes, times seconds."""

    message_bytes: Count = 16 * 1024 * 1024
    """One submission; larger interchanges go over HTTPS, which streams."""
    streams: Count = 100
    """Calls that are open at once on one connection."""
    calls: Count = 1_000
    """Calls that are open at once in this process; the next is answered RESOURCE_EXHAUSTED."""
    window: Count = 64
    """Unanswered submissions of one ``SubmitStream``."""
    stream_bytes: Count = 32 * 1024 * 1024
    """Content of the unanswered submissions of one ``SubmitStream``."""
    in_flight: Count = 256
    """Unacknowledged deliveries of one ``Subscribe``."""
    outcome_page: Count = 1_000
    """Outcomes in one reply at most."""
    keepalive: Seconds = 60.0
    """How often an idle connection is asked whether it is alive."""
    keepalive_timeout: Seconds = 20.0
    connection_idle: Seconds = 900.0
    """After how long without a call a connection is closed."""
    connection_age: Seconds = 14_400.0
    """After how long a connection is closed in good order: its certificate is then shown anew."""
    connection_grace: Seconds = 60.0
    """How long calls may go on after that."""
    handshake_timeout: Seconds = 10.0
    drain: Pause = 30.0
    """How long a stop waits for calls under way."""
    reuse_port: bool = False
    """Share the port with other processes of this gateway."""
