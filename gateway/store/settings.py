"""Where the journal is, with names in the configuration (``[journal]``)."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from gateway.core.bounds import Count, Seconds


class JournalSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[journal]``: a PostgreSQL database; without ``url`` it is a file in ``gateway.data``."""

    url: Annotated[str, Meta(pattern=r"^postgres(ql)?://\S*\Z")] | None = None
    """A connection URI (https://www.postgresql.org/docs/current/libpq-connect.html, 32.1.1.2)."""
    password: str | None = None
    """Where the password is: ``file:PATH``, ``env:NAME`` or ``credential:NAME``."""
    max_bytes: Count | None = None
    """What a journal in a file may grow to; then nothing more is accepted, and all else goes on."""
    waiting: Count = 4_096
    """Acceptances, and other calls by concern, that may wait before callers are sent away."""
    group_messages: Count = 512
    """Messages in one transaction, unless a single interchange has more."""
    lease_bytes: Count = 16_777_216
    """Stored bytes of the bodies of one claim, unless a single one has more."""
    answer_timeout: Seconds = 30.0
    """For a lock, a connection or one statement, in seconds."""
    readers: Count = 2
    """Connections that read."""
    writers: Count = 2
    """Connections to PostgreSQL for durable writes beside the one of acceptances."""
    claimers: Count = 2
    """Connections to PostgreSQL that claim what is to be delivered."""
    settlers: Count = 2
    """Connections to PostgreSQL that settle what was delivered."""
