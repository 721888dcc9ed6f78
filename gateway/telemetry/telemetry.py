"""One value that carries the eyes and ears of a process to whoever needs them."""

from __future__ import annotations

import msgspec

from gateway.telemetry.events import EventLog
from gateway.telemetry.metrics import Metrics


class Telemetry(msgspec.Struct, frozen=True, kw_only=True):
    """Counters and the log, handed to every part of the rim."""

    metrics: Metrics
    log: EventLog

    def of(self, part: str) -> EventLog:
        """The log of one part; its name is the field ``part`` of each event."""
        bound: EventLog = self.log.bind(part=part)
        return bound
