"""How destinations stand, as metrics and events for who watches a gateway."""

from __future__ import annotations

from gateway.core.destinations import Breaker, Change, Standing
from gateway.telemetry import Telemetry


class Announcing:
    """Tells of switches and breakers; never why an operator has switched, which is free text."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._metrics = telemetry.metrics
        self._log = telemetry.of("dispatch")

    def show(self, standing: Standing) -> None:
        """Show how a destination stands."""
        for state in Breaker:
            gauge = self._metrics.breaker_state.labels(destination=standing.id, state=state.value)
            gauge.set(standing.breaker is state)
        self._metrics.switch_on.labels(destination=standing.id).set(standing.on)

    def changed(self, change: Change) -> None:
        """Show it, and say what an operator should hear of: probes come and go unheard."""
        before, after = change.before, change.after
        self.show(after)
        if before.on != after.on:
            say = self._log.info if after.on else self._log.warning
            say("destination.switched", destination=after.id, on=after.on)
        was_closed, is_closed = (s.breaker is Breaker.CLOSED for s in (before, after))
        if is_closed and not was_closed:
            self._log.info("breaker.closed", destination=after.id)
        elif was_closed and not is_closed:
            self._log.warning(
                "breaker.opened",
                destination=after.id,
                failures=after.failures,
                reason=after.reason,
            )
