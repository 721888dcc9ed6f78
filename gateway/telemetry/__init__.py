"""Events, counters and where they go: what an operator sees of a running gateway."""

from gateway.telemetry.events import EventLog, capture_libraries, event_log, frames
from gateway.telemetry.metrics import Metrics
from gateway.telemetry.telemetry import Telemetry

__all__ = ["EventLog", "Metrics", "Telemetry", "capture_libraries", "event_log", "frames"]
