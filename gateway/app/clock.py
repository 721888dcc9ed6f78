"""The time of a running gateway."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> datetime:
    """The clock of a running gateway."""
    return datetime.now(UTC)
