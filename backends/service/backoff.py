"""How long to wait before something is tried again."""

from __future__ import annotations

from collections.abc import Callable


class Backoff:
    """Waits that double up to a bound, with jitter of one half: many do not come at once."""

    def __init__(self, first: float, most: float, chance: Callable[[], float]) -> None:
        self._first = first
        self._most = most
        self._chance = chance

    def seconds(self, failures: int) -> float:
        """How long to wait after that many failures in a row (from 1)."""
        full = min(self._most, self._first * 2.0 ** min(failures - 1, 30))
        return full * (0.5 + 0.5 * self._chance())
