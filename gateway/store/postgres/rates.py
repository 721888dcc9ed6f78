"""Token buckets that all processes on the store draw from."""

from __future__ import annotations

from gateway.core.bucket import Bucket, Drawn, Rate, draw
from gateway.store.postgres.connection import Connection

# The row is there and locked after it, by the one who draws: others wait for the commit, which is
# not synced to the disk.
_LOCK = """
INSERT INTO bucket AS b VALUES ($1, $2, $3)
ON CONFLICT (scope) DO UPDATE SET level = b.level RETURNING level, at, xmax = 0
"""
_WRITE = "UPDATE bucket SET level = $2, at = $3 WHERE scope = $1"


async def drawn(connection: Connection, scope: str, *, want: int, rate: Rate, now: float) -> Drawn:
    """Within a transaction: take up to ``want`` tokens of the bucket of that name."""
    fresh, taken = draw(None, want=want, rate=rate, now=now)
    row = await connection.fetchrow(_LOCK, scope, fresh.level, fresh.at)
    assert row is not None  # an insertion or an update, one of them
    level, at, new = row
    if new:
        return taken
    before = Bucket(level, at)
    after, taken = draw(before, want=want, rate=rate, now=now)
    if after != before:
        await connection.execute(_WRITE, scope, after.level, after.at)
    return taken
