"""Background work of a process: each part is named, and one that fails is told of."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from gateway.pipeline.backoff import pause
from gateway.telemetry import Telemetry

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds before a part that failed is begun again; doubled for each failure that follows soon."""
SOUND_SECONDS = 60.0
"""A part that worked so long did not fail of its beginning."""


class Parts:
    """Tasks that live as long as the process, or until they are taken out again."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry
        self._tasks: set[asyncio.Future[None]] = set()
        self._failed: set[str] = set()

    @property
    def sound(self) -> bool:
        """True as long as every part works."""
        return not self._failed

    def start(self, work: Awaitable[None], name: str) -> asyncio.Future[None]:
        """Begin a part; it may end by itself, but not by an error."""
        task = asyncio.ensure_future(work)
        if isinstance(task, asyncio.Task):
            task.set_name(name)
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._ended(done, name))
        return task

    def keep(self, work: Callable[[], Awaitable[None]], name: str) -> asyncio.Future[None]:
        """Have a part for good: one that fails is begun again after a pause."""
        return self.start(self._again_and_again(work, name), name)

    async def _again_and_again(self, work: Callable[[], Awaitable[None]], name: str) -> None:
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            began = loop.time()
            try:
                return await work()
            except Exception as error:
                failures = 1 if loop.time() - began >= SOUND_SECONDS else failures + 1
                wait = pause(failures, first=FIRST_PAUSE, longest=LONGEST_PAUSE, spread=1.0)
                self.tell(name, error, again_in=round(wait, 1))
            self._failed.add(name)
            await asyncio.sleep(wait)
            self._failed.discard(name)

    async def stop(self) -> None:
        """Cancel what still works. May be called twice."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Future[None], name: str) -> None:
        """A part that died makes the process unready, and says why."""
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed.add(name)
            self.tell(name, error)

    def tell(self, name: str, error: BaseException, **more: object) -> None:
        """Say that a part failed."""
        self._telemetry.log.error("part.failed", part=name, error=error, **more)
