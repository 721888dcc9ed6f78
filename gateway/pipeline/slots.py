"""What waits to be delivered, and places for deliveries, some kept free for what is urgent."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

Work = TypeVar("Work")


class Slots(Generic[Work]):
    """``total`` places; all but ``reserved`` may be taken by what is not urgent.

    Urgent work comes before all other that waits, otherwise what came first is first.
    """

    def __init__(self, total: int, *, reserved: int) -> None:
        self._free = total
        self._common = max(1, total - reserved)
        self._urgent: deque[Work] = deque()
        self._others: deque[Work] = deque()

    def add(self, work: Work, *, urgent: bool) -> None:
        """Have it wait."""
        (self._urgent if urgent else self._others).append(work)

    def take(self) -> tuple[Work, bool] | None:
        """What is next, and whether it is urgent; it holds a place until that is left.

        ``None`` when nothing waits, or when there is no place for what does.
        """
        if self._free and self._urgent:
            self._free -= 1
            return self._urgent.popleft(), True
        if self._free and self._common and self._others:
            self._free -= 1
            self._common -= 1
            return self._others.popleft(), False
        return None

    def leave(self, *, urgent: bool) -> None:
        """Give a place back."""
        self._free += 1
        self._common += not urgent
