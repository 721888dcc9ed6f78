"""The dispatchers of a process, by destination: opened, run and stopped one by one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import AsyncExitStack, suppress

import msgspec

from gateway.app.parts import Parts
from gateway.core.ports import Destination
from gateway.pipeline.outbound import Dispatcher


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A destination that shall be delivered to.

    ``like`` is equal for one that may go on as it is. ``drain`` is how long, in seconds, what is
    under way there has to end.
    """

    like: object
    drain: float
    open: Callable[[], Destination]
    make: Callable[[Destination], Dispatcher]


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """Ids of destinations that were begun, opened anew, and left."""

    started: tuple[str, ...] = ()
    reopened: tuple[str, ...] = ()
    stopped: tuple[str, ...] = ()


AGAIN_S = 1.0
"""After so long a dispatcher that failed is followed by another; what it had in hand waits for the
end of its leases."""


class _Running:
    """A destination and who delivers to it. A mistake of ours costs a dispatcher, and no more."""

    def __init__(self, name: str, wanted: Wanted, parts: Parts) -> None:
        self.wanted = wanted
        self.destination = wanted.open()
        self._name = name
        self._parts = parts
        self._dispatcher = wanted.make(self.destination)
        self._stopping = asyncio.Event()
        self.task = parts.start(self._run(), "dispatch")

    def stop(self) -> None:
        """Finish what is under way and begin nothing."""
        self._stopping.set()
        self._dispatcher.stop()

    async def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                await self._dispatcher.run()
                return
            except Exception as error:
                self._parts.tell("dispatch", error, destination=self._name, again_in=AGAIN_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(AGAIN_S):
                    await self._stopping.wait()
            self._dispatcher = self.wanted.make(self.destination)


class Dispatching:
    """Whoever delivers. A destination is closed once its dispatcher has finished."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._running: dict[str, _Running] = {}
        self._leaving: list[_Running] = []
        self._stopped = False

    def __len__(self) -> int:
        """How many destinations are delivered to."""
        return len(self._running)

    async def change(self, wanted: Mapping[str, Wanted]) -> Changes:
        """Deliver to these and to no others. Those that stay as they are notice nothing.

        One that changes finishes what is under way, for as long as it may take, is closed and
        opened anew; what it had not begun waits in the journal meanwhile, in its order. For one
        change at a time.
        """
        before = dict(self._running)
        stopped = tuple(name for name in before if name not in wanted)
        reopened = tuple(
            name
            for name, running in before.items()
            if name in wanted and wanted[name].like != running.wanted.like
        )
        started = tuple(name for name in wanted if name not in before)
        for name in started:
            self._start(name, wanted[name])
        async with asyncio.TaskGroup() as group:  # one that hangs holds up none of the others
            for name in stopped:
                group.create_task(self._end([self._running.pop(name)]))
            for name in reopened:
                group.create_task(self._replace(name, wanted[name]))
        return Changes(started=started, reopened=reopened, stopped=stopped)

    async def stop(self) -> None:
        """Finish what is under way, then close all. May be called twice, and during a change."""
        self._stopped = True
        running = [*self._running.values(), *self._leaving]
        self._running.clear()
        await self._end(running)

    async def _replace(self, name: str, wanted: Wanted) -> None:
        await self._end([self._running.pop(name)])
        self._start(name, wanted)

    def _start(self, name: str, wanted: Wanted) -> None:
        if self._stopped:
            return
        self._running[name] = _Running(name, wanted, self._parts)

    async def _end(self, running: Iterable[_Running]) -> None:
        entries = list(running)
        self._leaving += entries
        for entry in entries:
            entry.stop()
        tasks = [entry.task for entry in entries]
        if tasks:
            await asyncio.wait(tasks, timeout=max(entry.wanted.drain for entry in entries))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        async with AsyncExitStack() as closing:
            for entry in entries:
                closing.push_async_callback(entry.destination.close)
        for entry in entries:
            self._leaving.remove(entry)
