"""The dispatchers of a process, by destination: opened, run and stopped one by one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack

from gateway.app.parts import Parts
from gateway.core.ports import Destination
from gateway.pipeline.outbound import Dispatcher


class Dispatching:
    """Whoever delivers. A destination is closed once its dispatcher has finished."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._running: dict[str, tuple[Dispatcher, Destination, asyncio.Future[None]]] = {}

    def __len__(self) -> int:
        """How many destinations are delivered to."""
        return len(self._running)

    def start(self, destination: Destination, make: Callable[[Destination], Dispatcher]) -> None:
        """Deliver to one more destination; its id must not be served yet."""
        if destination.id in self._running:
            raise ValueError(f"{destination.id} is delivered to already")
        dispatcher = make(destination)
        task = self._parts.start(dispatcher.run(), "dispatch")
        self._running[destination.id] = dispatcher, destination, task

    async def stop(self, *, seconds: float) -> None:
        """Finish what is under way, for so long; then close all. May be called twice."""
        running = list(self._running.values())
        self._running.clear()
        for dispatcher, _, _ in running:
            dispatcher.stop()
        tasks = [task for _, _, task in running]
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        async with AsyncExitStack() as closing:
            for _, destination, _ in running:
                closing.push_async_callback(destination.close)
