"""Retention in the background: forgets what is over, and watches how the store grows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from gateway.config.retention import RetentionSection
from gateway.core.errors import Unavailable
from gateway.core.ports import Clock, Journal
from gateway.core.retention import Pruned, Size, forecast
from gateway.telemetry import Telemetry

LOOK_SECONDS = 60.0
"""Between two looks at the size, which cost little."""
WARN_DAYS = 14.0
"""A store that will be full so soon is an event at each run."""


class Forgetting:
    """Runs retention at the configured pace. Of several processes one does the work at a time."""

    def __init__(
        self,
        *,
        journal: Journal,
        settings: Callable[[], RetentionSection],
        telemetry: Telemetry,
        clock: Clock,
    ) -> None:
        self._journal = journal
        self._settings = settings
        self._metrics = telemetry.metrics
        self._log = telemetry.of("retention")
        self._clock = clock
        self._forgotten: datetime | None = None

    def forgotten(self) -> datetime | None:
        """Before when interchange ids are not known any more, as of the last look."""
        return self._forgotten

    async def watch(self, *, look: float = LOOK_SECONDS) -> None:
        """Look, and prune when it is time, until cancelled; the first run is one period away.

        A store that is not there now is waited for.
        """
        loop = asyncio.get_running_loop()
        due = loop.time() + self._settings().every
        while True:
            try:
                await self.look()
                if self._settings().enabled and loop.time() >= due:
                    await self.run()
                    due = loop.time() + self._settings().every
            except Unavailable as error:
                self._log.warning("retention.postponed", reason=error.reason)
            await asyncio.sleep(max(0.0, min(look, due - loop.time())) or look)

    async def run(self) -> Pruned:
        """One run now, unless another process is at it."""
        settings = self._settings()
        pruned = await self._journal.retention.prune(
            settings.rules, now=self._clock(), budget=settings.budget, told=self._count
        )
        if pruned.busy:
            return pruned
        self._metrics.retention_left.set(pruned.left)
        if pruned or not pruned.over:
            self._log.info(
                "retention.pruned", **pruned.counts(), left=pruned.left, over=pruned.over
            )
        return pruned

    async def look(self) -> Size:
        """Tell the size and the forecast."""
        self._forgotten = await self._journal.retention.forgotten()
        now = self._clock()
        size = await self._journal.retention.size(now=now)
        size = size.within(self._settings().capacity)
        bytes_of = self._metrics.journal_bytes
        for part, count in (("used", size.used), ("free", size.free), ("log", size.log)):
            bytes_of.labels(part=part).set(count)
        age = 0.0 if size.oldest is None else (now - size.oldest).total_seconds()
        self._metrics.retention_oldest.set(age)
        told = forecast(size, now=now)
        if told is not None:
            self._metrics.journal_growth.set(told.per_day)
            endless = float("inf")
            left = endless if told.days_left is None else told.days_left
            self._metrics.journal_days_left.set(left)
            if left < WARN_DAYS:
                self._log.warning("journal.filling", days=round(left, 1), used=size.used)
        return size

    def _count(self, _: str, step: Pruned) -> None:
        for what, count in step.counts().items():
            if count:
                self._metrics.retention_pruned.labels(what=what).inc(count)
