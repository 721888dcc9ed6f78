"""Watches what a process is full of: its event loop, its memory bound, its journal."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta

from gateway.core.errors import Unavailable
from gateway.core.ports import Clock, Journal
from gateway.ingress.admission import Admission
from gateway.pipeline.strain import Strain
from gateway.telemetry import Telemetry

LOOK_SECONDS = 0.5
_TRIED = timedelta(seconds=1)


class Saturation:
    """Tells by metrics and events. While the journal takes nothing, it tries it by itself."""

    def __init__(
        self,
        admission: Admission,
        *,
        strain: Strain,
        journal: Journal,
        telemetry: Telemetry,
        clock: Clock,
    ) -> None:
        self._admission = admission
        self._strain = strain
        self._journal = journal
        self._lag = telemetry.metrics.loop_lag
        self._log = telemetry.of("journal")
        self._clock = clock
        self._said = False

    async def watch(self) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LOOK_SECONDS
            await asyncio.sleep(LOOK_SECONDS)
            self._lag.set(max(0.0, loop.time() - due))
            self._admission.tell()
            self._say()
            if self._strain.trouble is not None:
                await self._try()
                self._say()

    def _say(self) -> None:
        reason = self._strain.trouble
        if (reason is not None) == self._said:
            return
        self._said = reason is not None
        if reason is None:
            self._log.info("journal.writable")
        else:
            self._log.error("journal.not-writable", reason=reason)

    async def _try(self) -> None:
        """A small durable write: while it fails, the gateway is not ready."""
        now = self._clock()
        write = self._journal.remember(
            "saturation", "tried", until=now + _TRIED, now=now, holder="saturation"
        )
        with suppress(Unavailable):
            await self._strain.during(write)
