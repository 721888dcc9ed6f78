"""What may be used once within its time, such as the nonces of signatures.

A row is the SHA-256 of scope and value, so that its size is the same whatever a caller sends. Rows
whose time is over go a few at a time, with the ones that come: no sweep holds up a write.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from datetime import datetime

import msgspec

from gateway.store.leaf import microseconds

TABLE = """
CREATE TABLE remembered (
  digest BLOB PRIMARY KEY, until INTEGER NOT NULL, holder TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;
CREATE INDEX remembered_until ON remembered (until);
"""
"""A step of ``schema.MIGRATIONS``."""

_GRACE = 60_000_000
"""Microseconds that a row stays after its time: whoever judged by a slightly earlier time still
finds it."""
_REMOVED_EACH = 4
"""Old rows that go with each new one, at most: more than one, so that they do not gather."""

_REMEMBER = """
INSERT INTO remembered VALUES (?1, ?2, ?4)
 ON CONFLICT (digest) DO UPDATE SET until = excluded.until, holder = excluded.holder
  WHERE until <= ?3 OR (?4 <> '' AND holder = ?4)
"""
_REMOVE = """
DELETE FROM remembered WHERE digest IN
 (SELECT digest FROM remembered WHERE until <= ? ORDER BY until LIMIT ?)
"""


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


def remember(connection: sqlite3.Connection, group: Sequence[Once]) -> list[bool]:
    """Within a write transaction: for each, in order, whether it was new; it is not any more."""
    fresh = [
        connection.execute(_REMEMBER, (one.digest, one.until, one.now, one.holder)).rowcount == 1
        for one in group
    ]
    over = min(one.now for one in group) - _GRACE
    connection.execute(_REMOVE, (over, _REMOVED_EACH * len(group)))
    return fresh
