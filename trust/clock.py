"""What a refusal says about time, so that the other end sees whose clock is wrong and how much."""

from __future__ import annotations

from datetime import UTC, datetime


def stated(at: datetime) -> str:
    """An instant to the second, in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def clock_here(now: datetime) -> str:
    """The end of the sentence: what this clock says."""
    return f"the clock here says {stated(now)}"


def made_apart(made: int, now: datetime) -> str:
    """How far from now something was made; ``made`` in seconds since 1970."""
    here = int(now.timestamp())
    way = "before" if here > made else "after"
    return f"it was made {abs(here - made)} seconds {way} now; {clock_here(now)}"
