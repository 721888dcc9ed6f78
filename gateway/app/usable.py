"""Whether the journal can be used now: said once when it changes, and by readiness."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

from gateway.core.errors import Unavailable
from gateway.core.ports import Journal
from gateway.core.records import Backlog
from gateway.telemetry import Telemetry

SHARE = 0.05
"""What counting the backlog may take of one connection's time."""


class Usable:
    """Without its journal a gateway answers 503 and delivers nothing; it waits, and goes on."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._gauge = telemetry.metrics.journal_usable
        self._log = telemetry.of("journal")
        self._now = True
        self._gauge.set(1)

    def __call__(self) -> bool:
        """True unless the last that was asked of the journal failed for want of it."""
        return self._now

    def told(self, error: Unavailable | None) -> None:
        """What came of asking it something: ``None`` for an answer."""
        usable = error is None
        if usable == self._now:
            return
        self._now = usable
        self._gauge.set(usable)
        if error is None:
            self._log.info("journal.back")
        else:
            self._log.error("journal.lost", reason=error.reason)


async def count_backlog(
    journal: Journal, counted: Callable[[tuple[Backlog, ...]], None], *, seconds: float
) -> None:
    """Count what waits, every ``seconds`` and less often where that takes long; until cancelled.

    After an outage of a destination millions of keys wait, and all of them are counted.
    """
    while True:
        begun = time.monotonic()
        with suppress(Unavailable):  # what was counted last stands until it can be counted again
            counted(await journal.backlog())
        await asyncio.sleep(pause_after(time.monotonic() - begun, seconds=seconds))


def pause_after(taken: float, *, seconds: float) -> float:
    """The time to the next count, after one that took so long (both in seconds)."""
    return max(seconds, taken / SHARE)
