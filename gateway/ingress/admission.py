"""Whether one more submission is taken now: a bound of bytes in memory, and an eye on the journal.

Asked before a body is read, so that a caller who is sent away costs next to nothing and memory does
not grow with the number of callers. All listeners of a process share one.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from functools import partial

from gateway.core.errors import Unavailable
from gateway.ingress.held import Held
from gateway.pipeline.settings import Limits
from gateway.pipeline.strain import Strain
from gateway.telemetry import Telemetry

OVERLOAD = "overload"
RETRY_S = 1.0
_LOOK_S = 0.05
_SAID_S = 10.0
"""Overload is logged once in so many seconds; the counter of refusals has all of it."""


class Admission:
    """``settings`` are asked each time: ``in_flight_bytes`` and ``longest_wait``."""

    def __init__(
        self, *, strain: Strain, settings: Callable[[], Limits], telemetry: Telemetry
    ) -> None:
        self._strain = strain
        self._settings = settings
        self._saturation = telemetry.metrics.saturation
        self._log = telemetry.of("admission")
        self._said = -math.inf
        self.bytes = 0

    @classmethod
    def alone(cls, telemetry: Telemetry) -> Admission:
        """With the default bounds, and a journal that is never slow."""
        return cls(strain=Strain(time.monotonic), settings=Limits, telemetry=telemetry)

    def check(self) -> None:
        """Raise ``Unavailable`` when nothing at all should be taken now."""
        strain, longest = self._strain, self._settings().longest_wait
        if (reason := strain.hopeless) is not None:
            raise self._refused("journal", reason)
        if strain.oldest > longest:
            raise self._refused("journal", "it does not keep up", retry_after=longest)

    def taken(self, size: int) -> Held:
        """Hold so many bytes; raises ``Unavailable`` when they are too many, or as ``check``."""
        self.check()
        if not self._fits(size):
            raise self._refused("bytes", "too many bytes are in flight")
        self.bytes += size
        return Held(partial(self.leave, size))

    async def room(self, size: int) -> None:
        """Wait until so many bytes may be held, and hold them: for what comes in a stream.

        Its caller is slowed down, and nothing refused. To be followed by ``leave``.
        """
        while not self._fits(size) or self._strain.oldest > self._settings().longest_wait:  # noqa: ASYNC110 - what is waited for passes with time
            await asyncio.sleep(_LOOK_S)
        self.bytes += size

    def leave(self, size: int) -> None:
        """Let go of what there was room for."""
        self.bytes -= size

    def tell(self) -> None:
        """Bring the metrics of saturation up to date."""
        settings = self._settings()
        self._saturation.labels(part="bytes").set(self.bytes / settings.in_flight_bytes)
        trouble = self._strain.trouble is not None
        waited = 1.0 if trouble else self._strain.oldest / settings.longest_wait
        self._saturation.labels(part="journal").set(waited)

    def _fits(self, size: int) -> bool:
        """One alone may be larger than the bound."""
        return not self.bytes or self.bytes + size <= self._settings().in_flight_bytes

    def _refused(self, part: str, reason: str, *, retry_after: float = RETRY_S) -> Unavailable:
        now = time.monotonic()
        if now - self._said >= _SAID_S:
            self._said = now
            self._log.warning("admission.refused", saturated=part, reason=reason, bytes=self.bytes)
        return Unavailable(OVERLOAD, retry_after=retry_after)
