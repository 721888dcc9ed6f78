"""How many refusals of one party are written down: evidence must not be a way to fill the disk."""

from __future__ import annotations

from collections.abc import Callable

from gateway.core.bucket import Bucket, Rate, draw
from gateway.core.ports import Clock
from trust.identity import PartyId


class Notebook:
    """Counts what is left out. Only proven parties have a page, so it does not grow."""

    def __init__(self, *, per_minute: Callable[[], int], clock: Clock) -> None:
        """At most so many a party and minute, in this process."""
        self._per_minute = per_minute
        self._clock = clock
        self._buckets: dict[PartyId, Bucket] = {}
        self._omitted: dict[PartyId, int] = {}

    def omitted(self, party: PartyId) -> int | None:
        """How many refusals were left out since the last one that was written.

        ``None``: this one is left out as well.
        """
        now, most = self._clock().timestamp(), self._per_minute()
        rate = Rate(most / 60, most)
        bucket, drawn = draw(self._buckets.get(party), want=1, rate=rate, now=now)
        self._buckets[party] = bucket
        if not drawn.granted:
            self._omitted[party] = self._omitted.get(party, 0) + 1
            return None
        return self._omitted.pop(party, 0)
