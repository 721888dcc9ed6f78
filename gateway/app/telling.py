"""What a gateway process tells of itself."""

from __future__ import annotations

from typing import TextIO

from prometheus_client import CollectorRegistry

from gateway.config import Config
from gateway.telemetry import Telemetry, event_log
from gateway.telemetry.metrics import Metrics


def new_telemetry(config: Config, *, stream: TextIO) -> Telemetry:
    """Counters, and a log on ``stream`` as the configuration asks."""
    return Telemetry(
        metrics=Metrics(CollectorRegistry()),
        log=event_log(stream=stream, rendering=config.gateway.log, level=config.gateway.log_level),
    )
