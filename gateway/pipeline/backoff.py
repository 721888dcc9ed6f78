"""How long to wait before trying again."""

from __future__ import annotations


def pause(failures: int, *, first: float, longest: float, spread: float) -> float:
    """Seconds to wait after ``failures`` failures in a row: doubling, bounded, jittered.

    ``spread`` is a random number in [0, 1); the result lies between half and all of the full
    wait, so that many that failed together do not come back together.
    """
    full = min(longest, first * 2 ** min(max(failures - 1, 0), 30))
    return float(full * (0.5 + spread / 2))
