"""What a gateway process tells of itself."""

from __future__ import annotations

from typing import TextIO

from prometheus_client import CollectorRegistry, ProcessCollector

from gateway.config import Config
from gateway.telemetry import Telemetry, event_log
from gateway.telemetry.metrics import Metrics


def new_telemetry(config: Config, *, stream: TextIO, worker: int | None = None) -> Telemetry:
    """Counters, and a log on ``stream`` as the configuration asks; a worker says which it is."""
    section = config.gateway
    log = event_log(stream=stream, rendering=section.log, level=section.log_level)
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)  # CPU, memory and descriptors, by their usual names
    return Telemetry(
        metrics=Metrics(registry), log=log if worker is None else log.bind(worker=worker)
    )
