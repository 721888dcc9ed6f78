"""How long acceptances wait for one another before they are written as one group.

A transaction costs much the same for one as for many, above all its flush, so under load a group
is worth a wait; for a single caller none is. How many come together is learned: as many as came
last time are waited for, and now and then a few more.
"""

from __future__ import annotations

PATIENCE = 6
"""A group waits at most so many times as long as the transaction before it took."""
_SOON, _SELDOM = 4, 256
"""Groups between two attempts to gather more: after one that succeeded, and at the most."""


class Pace:
    """``linger`` is the longest wait in seconds; ``largest`` bounds what is waited for."""

    def __init__(self, *, linger: float, largest: int) -> None:
        self._linger, self._largest = linger, largest
        self._wanted = self._usual = 1
        self._patience = 0.0
        self._filled, self._attempted_every = 0, _SOON

    @property
    def wanted(self) -> int:
        """Acceptances that are written as soon as they are there."""
        return self._wanted

    @property
    def patience(self) -> float:
        """Seconds that fewer may wait for more."""
        return self._patience

    def gathered(self, count: int) -> None:
        """So many are written now: all that were wanted, or those that came in time."""
        if count < self._wanted:
            if self._wanted > self._usual:
                self._attempted_every = min(self._attempted_every * 4, _SELDOM)
            # One slow turn of the event loop is no sign that callers are gone.
            self._wanted = self._usual = max(1, count, self._wanted // 2)
            self._filled = 0
            return
        if self._wanted > self._usual:
            self._attempted_every = _SOON
        self._wanted = self._usual = min(count, self._largest)
        self._filled += 1
        if self._filled >= self._attempted_every and self._linger:
            self._filled = 0
            self._wanted = min(self._usual + max(1, self._usual // 4), self._largest)

    def wrote(self, seconds: float) -> None:
        """A transaction took so long."""
        self._patience = min(self._linger, PATIENCE * seconds)
