"""What holds back the upkeep of the journal's store, looked at now and then, for metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from gateway.core.errors import Unavailable
from gateway.store.status import StoreStatus
from gateway.telemetry import Telemetry

LOOK_SECONDS = 60.0
WARN_SECONDS = 300.0
"""A transaction that is open so long keeps dead rows of the queue, and claims grow slow."""


class Overseeing:
    """Tells how old the oldest transaction and snapshot of the database are."""

    def __init__(self, look: Callable[[], Awaitable[StoreStatus]], *, telemetry: Telemetry) -> None:
        self._look = look
        self._metrics = telemetry.metrics
        self._log = telemetry.of("journal")

    async def watch(self, *, seconds: float = LOOK_SECONDS) -> None:
        """Look until cancelled; a store that is away is told of by others."""
        while True:
            try:
                self.tell(await self._look())
            except Unavailable as error:
                self._log.debug("journal.not-looked-at", reason=error.reason)
            await asyncio.sleep(seconds)

    def tell(self, status: StoreStatus) -> None:
        """Set the gauges, and warn of a transaction that lasts too long."""
        oldest = status.oldest_transaction_seconds or 0.0
        self._metrics.journal_oldest_transaction.set(oldest)
        self._metrics.journal_snapshot_age.set(status.oldest_snapshot_age or 0)
        self._metrics.journal_processes.set(len(status.processes))
        if oldest > WARN_SECONDS:
            self._log.warning(
                "journal.vacuum-held-back",
                seconds=round(oldest),
                transactions=status.oldest_snapshot_age or 0,
            )
