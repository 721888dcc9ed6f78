"""Lanes: work of four degrees of urgency, 0 the most urgent."""

from __future__ import annotations

from datetime import timedelta

LANES = 4
WEIGHTS = (8, 4, 2, 1)
"""Shares of the lanes in one claim."""
PATIENCE = (
    timedelta(minutes=1),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=24),
)
"""What a leg without a deadline may wait, by lane: always finite, so age itself wins at last."""
