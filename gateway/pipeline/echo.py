"""The answer to a ping, as it travels."""

from __future__ import annotations

import msgspec


class Echo(msgspec.Struct, frozen=True, kw_only=True):
    """An answer as its bytes, and the gateway's detached JWS over them."""

    content: bytes
    signature: str
