"""How hard the journal is to write to, as seen by those who wait for it.

Whatever the store is: what counts is how many writes of acceptances are under way, since when the
oldest of them waits, and why the last ones failed.
"""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from typing import TypeVar

from gateway.core.errors import Unavailable

T = TypeVar("T")

TROUBLE_SECONDS = 5.0
"""How long a failed write tells of the next ones, unless one succeeds meanwhile."""
TRY_SECONDS = 1.0
"""How long after a failed write nothing is tried."""


class Strain:
    """``now`` is a monotonic clock in seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._begun: dict[int, float] = {}
        self._numbers = itertools.count()
        self._failed: tuple[float, str] | None = None

    async def during(self, write: Awaitable[T]) -> T:
        """A write to the journal, timed; its ``Unavailable`` is remembered."""
        number = next(self._numbers)
        self._begun[number] = self._now()
        try:
            result = await write
        except Unavailable as error:
            self._failed = self._now(), error.reason
            raise
        finally:
            del self._begun[number]
        self._failed = None
        return result

    @property
    def waiting(self) -> int:
        """Writes that have begun and not ended."""
        return len(self._begun)

    @property
    def oldest(self) -> float:
        """Seconds since the first of them began; 0 when there is none."""
        first = next(iter(self._begun.values()), None)  # a dictionary keeps the order of entry
        return 0.0 if first is None else self._now() - first

    @property
    def trouble(self) -> str | None:
        """Why nothing can be written, when that was so a moment ago."""
        return self._within(TROUBLE_SECONDS)

    @property
    def hopeless(self) -> str | None:
        """The same, when it was so just now: the next write would hardly do better."""
        return self._within(TRY_SECONDS)

    def _within(self, seconds: float) -> str | None:
        if self._failed is None:
            return None
        at, reason = self._failed
        return reason if self._now() - at < seconds else None
