"""What a supervisor counts of its workers."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge


class WorkerMetrics:
    """In a registry that the caller owns."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.ready = Gauge("luxor_workers_ready", "Workers that take work now", registry=registry)
        self.processes = Gauge(
            "luxor_workers", "Worker processes, those that are draining too", registry=registry
        )
        self.died = Counter(
            "luxor_workers_died", "Workers that ended without being asked", registry=registry
        )
