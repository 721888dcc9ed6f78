"""A token bucket: so much a time, and a bit more at once. Pure; whoever calls it has the time."""

from __future__ import annotations

import math

import msgspec


class Rate(msgspec.Struct, frozen=True):
    """``per_second`` on average, and at most ``burst`` at once."""

    per_second: float
    burst: int


class Bucket(msgspec.Struct, frozen=True):
    """``level`` tokens at the time ``at``, in seconds of any clock."""

    level: float
    at: float


class Drawn(msgspec.Struct, frozen=True):
    """How many tokens came, and after how many seconds there is another if none did."""

    granted: int
    wait: float = 0.0


_SET_BACK_S = 1.0


def draw(
    bucket: Bucket | None, *, want: int, rate: Rate, now: float, least: int = 1
) -> tuple[Bucket, Drawn]:
    """Take up to ``want`` tokens, but at least ``least`` or none; what is left, and what came.

    ``None`` is a bucket that nobody has drawn from: it is full. Clocks of processes differ a
    little, which adds nothing; where the clock was set back, the bucket fills from now on.
    """
    level = float(rate.burst)
    if bucket is not None:
        if bucket.at - now > _SET_BACK_S:
            bucket = Bucket(bucket.level, now)
        passed = max(0.0, now - bucket.at)
        level = min(level, bucket.level + passed * rate.per_second)
    granted = min(want, math.floor(level))
    if granted < least:
        return bucket or Bucket(level, now), Drawn(0, (least - level) / rate.per_second)
    return Bucket(level - granted, now), Drawn(granted)
