"""What may be used once within its time, such as the nonces of signatures.

A row is the SHA-256 of scope and value, so that its size is the same whatever a caller sends. Rows
whose time is over go a few at a time, with the ones that come: no sweep holds up a write.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

import msgspec

from gateway.store.leaf import microseconds

GRACE = 60_000_000
"""Microseconds that a row stays after its time: whoever judged by a slightly earlier time still
finds it."""
REMOVED_EACH = 4
"""Old rows that go with each new one, at most: more than one, so that they do not gather."""


class Once(msgspec.Struct, frozen=True):
    """One question to the store: ``digest`` of the value, times in microseconds since 1970.

    ``holder`` may ask again, when it is not empty.
    """

    digest: bytes
    until: int
    now: int
    holder: str = ""

    @staticmethod
    def of(scope: str, value: str, *, until: datetime, now: datetime, holder: str = "") -> Once:
        """The question whether ``value`` is new within its scope."""
        scoped = scope.encode()
        whole = len(scoped).to_bytes(4, "big") + scoped + value.encode(errors="surrogatepass")
        return Once(hashlib.sha256(whole).digest(), microseconds(until), microseconds(now), holder)
