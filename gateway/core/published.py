"""What a gateway publishes of its signing keys, so that its receipts can be proved anywhere."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

Use = Literal["current", "next", "previous"]


class PublishedKey(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The public half of one key.

    ``public_key`` is PEM; ``certificates`` the chain of its signing certificate, leaf first, PEM
    each, when there is one. It signs, or signed, from ``not_before`` to ``not_after``, as far as
    that is known.
    """

    kid: str
    algorithm: str
    use: Use
    public_key: str
    certificates: tuple[str, ...] = ()
    not_before: datetime | None = None
    not_after: datetime | None = None


class PublishedKeys(msgspec.Struct, frozen=True, kw_only=True):
    """All that one gateway publishes: the key that signs now first."""

    gateway: str
    keys: tuple[PublishedKey, ...]
