"""Who has got work: told by the threads that write, waited for by the dispatcher."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable
from contextlib import suppress


class Wakeups:
    """A set of destinations that grows until somebody takes it. For one waiter at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._destinations: set[str] = set()
        self._waiter: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None

    def add(self, destinations: Iterable[str]) -> None:
        """Note destinations; may be called from any thread."""
        with self._lock:
            self._destinations.update(destinations)
            if self._waiter is None or not self._destinations:
                return
            loop, event = self._waiter
        with suppress(RuntimeError):  # the loop was closed: nobody waits any more
            loop.call_soon_threadsafe(event.set)

    async def wait(self, seconds: float) -> frozenset[str]:
        """What was noted since the last call, as soon as there is any; empty after ``seconds``."""
        event = asyncio.Event()
        with self._lock:
            if self._destinations:
                event.set()
            self._waiter = (asyncio.get_running_loop(), event)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await event.wait()
        finally:
            with self._lock:
                self._waiter = None
        with self._lock:
            taken = frozenset(self._destinations)
            self._destinations.clear()
        return taken
