"""Warnings before something ends: in the log once a day for each thing, and as a gauge."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from gateway.telemetry.telemetry import Telemetry
from trust.expiry import Expiring, Level, in_order

LOOK_SECONDS = 60.0
AGAIN = timedelta(days=1)
MOST_THINGS = 10_000
"""So many are looked at, those first that end first."""


class ExpiryWatch:
    """Says what is about to end: ``expiry.near``, ``expiry.over``, ``luxor_expiry_seconds``."""

    def __init__(
        self,
        *,
        find: Callable[[], Iterable[Expiring]],
        telemetry: Telemetry,
        clock: Callable[[], datetime],
    ) -> None:
        """``find`` may read files; it is called in a thread."""
        self._find = find
        self._gauge = telemetry.metrics.expiry_seconds
        self._log = telemetry.of("expiry")
        self._clock = clock
        self._told: dict[tuple[str, str, str], tuple[Level, datetime]] = {}
        self._shown: set[tuple[str, str]] = set()

    def look(self, found: Iterable[Expiring]) -> None:
        """Say what is to be said of these, and set the gauge of each."""
        now = self._clock()
        things = in_order(found, now=now)[:MOST_THINGS]
        self._show(things, now)
        told: dict[tuple[str, str, str], tuple[Level, datetime]] = {}
        for one in things:
            level = one.level(now)
            if level == "ok":
                continue
            key = (one.kind, one.name, one.what)
            before = self._told.get(key)
            if before is not None and before[0] == level and now - before[1] < AGAIN:
                told[key] = before
                continue
            told[key] = (level, now)
            self._say(one, level, now)
        self._told = told

    async def watch(self, *, seconds: float = LOOK_SECONDS) -> None:
        """Look now and again until cancelled."""
        while True:
            self.look(await asyncio.to_thread(lambda: tuple(self._find())))
            await asyncio.sleep(seconds)

    def _say(self, one: Expiring, level: Level, now: datetime) -> None:
        event = "expiry.over" if level == "expired" else "expiry.near"
        write = self._log.error if level == "expired" else self._log.warning
        write(
            event,
            kind=one.kind,
            name=one.name,
            what=one.what,
            until=one.until.isoformat(),
            days=one.days(now),
            urgency=level,
        )

    def _show(self, things: Iterable[Expiring], now: datetime) -> None:
        """For each kind and name what ends first; what is gone from the registry goes here too."""
        soonest: dict[tuple[str, str], float] = {}
        for one in things:
            if one.replaced:
                continue
            key, left = (one.kind, one.name), one.left(now).total_seconds()
            soonest[key] = min(left, soonest.get(key, left))
        for kind, name in self._shown - soonest.keys():
            self._gauge.remove(kind, name)
        for (kind, name), left in soonest.items():
            self._gauge.labels(kind=kind, name=name).set(left)
        self._shown = set(soonest)
