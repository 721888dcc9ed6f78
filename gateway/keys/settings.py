"""``[signing]``: the gateway's own keys, each with a name in the configuration."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from gateway.core.bounds import Seconds

Instant = Annotated[datetime, Meta(tz=True)]


class PreviousKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[[signing.previous]]``: a key that signed once, so that its receipts stay provable."""

    certificate: str | None = None
    public_key: str | None = None
    kid: str = ""
    algorithm: str = ""
    not_before: Instant | None = None
    not_after: Instant | None = None


class NextKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[[signing.next]]``: a key that signs from ``since`` on, without a restart."""

    key: str
    since: Instant
    certificate: str | None = None
    password: str | None = None
    kid: str = ""
    algorithm: str = ""


class SigningSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[signing]``: the key for receipts and deliveries.

    ``key`` is a PEM file or a PKCS #11 URI; ``password`` says where its password or PIN is;
    ``certificate`` is the chain that vouches for it, leaf first.
    """

    key: str
    certificate: str | None = None
    password: str | None = None
    kid: str = ""
    algorithm: str = ""
    timeout: Seconds = 10.0
    """How long one signature of a token may take, in seconds."""
    next: tuple[NextKey, ...] = ()
    previous: tuple[PreviousKey, ...] = ()
