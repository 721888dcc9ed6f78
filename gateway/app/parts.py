"""Background work of a process: each part is named, and one that dies is told of."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from gateway.telemetry import Telemetry


class Parts:
    """Tasks that live as long as the process, or until they are taken out again."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry
        self._tasks: set[asyncio.Future[None]] = set()
        self._failed = False

    @property
    def sound(self) -> bool:
        """True as long as no part has failed."""
        return not self._failed

    def start(self, work: Awaitable[None], name: str) -> asyncio.Future[None]:
        """Begin a part; it may end by itself, but not by an error."""
        task = asyncio.ensure_future(work)
        if isinstance(task, asyncio.Task):
            task.set_name(name)
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._ended(done, name))
        return task

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
            self._failed = True
            self.tell(name, error)

    def tell(self, name: str, error: BaseException, **more: object) -> None:
        """Say that a part failed."""
        self._telemetry.log.error("part.failed", part=name, error=error, **more)
