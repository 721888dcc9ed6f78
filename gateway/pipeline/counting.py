"""What the pipeline does, as counters and events for who watches a gateway."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from gateway.core.records import Backlog, Delivery, Outcome, Settlement, Stored
from gateway.telemetry import Telemetry

STATES = ("ready", "leased", "waiting", "held")


class Counting:
    """Counts messages and deliveries of one process; never content, never personal data."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._metrics = telemetry.metrics
        self._log = telemetry.of("dispatch")
        self._known: set[str] = set()

    def judged(self, _: Stored, outcomes: Sequence[Outcome], __: float) -> None:
        """Count the messages of an interchange; ingresses count the interchange itself."""
        counts = Counter(
            (outcome.kind or "unknown", outcome.status.value)
            for outcome in outcomes
            if outcome.ordinal > 0
        )
        for (kind, status), count in counts.items():
            self._metrics.messages.labels(kind=kind, status=status).inc(count)

    def settled(self, settlement: Settlement) -> None:
        """Count an attempt of delivery; one that did not end well is an event."""
        destination, result = settlement.delivery.destination, settlement.result.value
        self._metrics.deliveries.labels(destination=destination, result=result).inc()
        if settlement.code or settlement.detail:
            self._log.warning(
                f"delivery.{result}",
                destination=destination,
                message_id=settlement.delivery.message.message_id,
                code=settlement.code,
                reason=settlement.detail,
            )

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
