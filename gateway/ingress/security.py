"""Headers of every HTTP answer: nothing of it is to be kept, guessed at, shown or told on."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

SECURITY: Mapping[str, str] = MappingProxyType(
    {
        "Server": "luxor",  # no version: it helps nobody but an attacker
        "Cache-Control": "no-store",  # RFC 9111, 5.2.2.5
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        "Referrer-Policy": "no-referrer",
    }
)
