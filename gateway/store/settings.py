"""Where the journal is, with names in the configuration (``[journal]``)."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class JournalSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[journal]``: a PostgreSQL database; without ``url`` it is a file in ``gateway.data``."""

    url: Annotated[str, Meta(pattern=r"^postgres(ql)?://\S*\Z")] | None = None
    """A connection URI (https://www.postgresql.org/docs/current/libpq-connect.html, 32.1.1.2)."""
    password: str | None = None
    """Where the password is: ``file:PATH``, ``env:NAME`` or ``credential:NAME``."""
