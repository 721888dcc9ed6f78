"""What the pipeline does, as counters and events for who watches a gateway."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from prometheus_client import Counter as Series

from gateway.core.clearance import Clearance
from gateway.core.records import Backlog, Delivery, Outcome, Result, Settlement, Stored
from gateway.telemetry import Telemetry

MOST_FINDINGS = 10_000
"""Pairs of party and fault code that are counted apart."""
OTHER = "other"
REMINDED_S = 300.0
"""Seconds between events that a destination takes nothing: it is tried about once a second."""
REPEATING = (Result.RETURNED, Result.RETRY)
"""What may happen to thousands of messages at once for one reason, and is tried again by itself."""
STATES = ("ready", "leased", "waiting", "held")


class Counting:
    """Counts messages and deliveries of one process; never content, never personal data."""

    def __init__(self, telemetry: Telemetry, *, now: Callable[[], float] = time.monotonic) -> None:
        """``now``: seconds of a clock that only goes forward."""
        self._now = now
        self._told: dict[tuple[str, str], float] = {}
        self._untold: Counter[tuple[str, str]] = Counter()
        self._metrics = telemetry.metrics
        self._log = telemetry.of("dispatch")
        self._known: set[str] = set()
        # A series is looked up once: by its labels that takes as long as all the rest.
        self._messages: dict[tuple[str, str], Series] = {}
        self._findings: dict[tuple[str, str], Series] = {}
        self._deliveries: dict[tuple[str, Result], Series] = {}

    def judged(self, stored: Stored, outcomes: Sequence[Outcome], _: float) -> None:
        """Count messages and what was found in them; ingresses count the interchange itself."""
        counts: dict[tuple[str, str], int] = {}
        found: dict[str, int] = {}
        for outcome in outcomes:
            if outcome.ordinal > 0:
                pair = outcome.kind or "unknown", outcome.status.value
                counts[pair] = counts.get(pair, 0) + 1
                for fault in outcome.faults:
                    found[fault.code] = found.get(fault.code, 0) + 1
        for (kind, status), count in counts.items():
            self._judged(kind, status).inc(count)
        for code, count in found.items():
            self._found(stored.party, code).inc(count)

    def _judged(self, kind: str, status: str) -> Series:
        series = self._messages.get((kind, status))
        if series is None:
            series = self._metrics.messages.labels(kind=kind, status=status)
            self._messages[kind, status] = series
        return series

    def _found(self, party: str, code: str) -> Series:
        """The counter of a party and code; when there are too many, one for all others."""
        series = self._findings.get((party, code))
        if series is None:
            full = len(self._findings) >= MOST_FINDINGS
            pair = (OTHER, OTHER) if full else (party, code)
            series = self._metrics.findings.labels(party=pair[0], code=pair[1])
            if not full:
                self._findings[pair] = series
        return series

    def settled(self, settlement: Settlement) -> None:
        """Count an attempt of delivery; one that did not end well is an event.

        What is tried again by itself is an event once in :data:`REMINDED_S` for a destination and
        result, with the number of those that were none; each attempt is one of level debug.
        """
        destination, result = settlement.delivery.destination, settlement.result
        self._settled(destination, result).inc()
        if not (settlement.code or settlement.detail):
            return
        one = (destination, result.value)
        quiet = result in REPEATING and self._now() - self._told.get(one, -math.inf) < REMINDED_S
        if quiet:
            self._untold[one] += 1
        elif result in REPEATING:
            self._told[one] = self._now()
        more = {} if quiet or one not in self._untold else {"more": self._untold.pop(one)}
        (self._log.debug if quiet else self._log.warning)(
            f"delivery.{result.value}",
            destination=destination,
            message_id=settlement.delivery.message.message_id,
            code=settlement.code,
            reason=settlement.detail,
            **more,
        )

    def _settled(self, destination: str, result: Result) -> Series:
        series = self._deliveries.get((destination, result))
        if series is None:
            labels = {"destination": destination, "result": result.value}
            series = self._metrics.deliveries.labels(**labels)
            self._deliveries[destination, result] = series
        return series

    def cleared(self, answer: Clearance) -> None:
        """Count an answer whether an item may go."""
        self._metrics.clearances.labels(answer=answer.answer.value).inc()

    def failed(self, delivery: Delivery, error: Exception) -> None:
        """A delivery met a mistake of the program: a person must look."""
        self._log.error(
            "delivery.failed",
            destination=delivery.destination,
            message_id=delivery.message.message_id,
            error=error,
        )

    def backlog(self, entries: Iterable[Backlog]) -> None:
        """Show unsettled work. A destination that is done stays visible, with nothing waiting."""
        now = {entry.destination: entry for entry in entries}
        self._known |= now.keys()
        for destination in self._known:
            entry = now.get(destination)
            for state in STATES:
                value = 0 if entry is None else getattr(entry, state)
                self._metrics.backlog.labels(destination=destination, state=state).set(value)
