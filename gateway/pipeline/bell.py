"""Waking dispatchers: who made work rings, who does it waits, nobody polls in a hurry."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable


class Bell:
    """One event per destination. A ring is never lost: it stays until somebody waited for it."""

    def __init__(self) -> None:
        self._events: dict[str, asyncio.Event] = {}

    def ring(self, destinations: Iterable[str]) -> None:
        """Wake whoever waits for work of these destinations."""
        for destination in destinations:
            self._event(destination).set()

    def ring_all(self) -> None:
        """Wake everybody, to look again or to stop."""
        self.ring(tuple(self._events))

    async def wait(self, destination: str, *, seconds: float) -> None:
        """Return at the next ring, or after ``seconds`` at the latest."""
        event = self._event(destination)
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            return
        finally:
            event.clear()

    def _event(self, destination: str) -> asyncio.Event:
        event = self._events.get(destination)
        if event is None:
            event = self._events[destination] = asyncio.Event()
        return event
