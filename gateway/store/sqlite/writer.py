"""Group commit: one thread writes everything that is waiting as one transaction, then repeats.

While a group is being written and flushed the next one gathers (double buffering), so the number of
flushes depends on the disk and not on the number of callers. What can be done before the write lock
is held is done here too, for the whole group at once: the same few functions run again and again,
which costs half of what they cost between other work.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Generic, TypeVar

from gateway.core.errors import Unavailable
from gateway.core.records import Acceptance, Stored
from gateway.store.codec import Codec
from gateway.store.once import Once
from gateway.store.pace import Pace
from gateway.store.prepared import Prepared
from gateway.store.sqlite.accept import Committed, accept
from gateway.store.sqlite.connection import mapped, transaction
from gateway.store.sqlite.remembered import remember
from gateway.store.sqlite.turnstile import Turnstile

T = TypeVar("T")
Job = Callable[[sqlite3.Connection], Any]


class _Waiting(Generic[T]):
    __slots__ = ("future", "loop", "what")

    def __init__(self, what: T) -> None:
        self.what = what
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Any] = self.loop.create_future()


Prepare = Callable[[Acceptance], Prepared]
_Work = tuple[Acceptance, Prepare]
_Ready = tuple[_Waiting[_Work], Prepared]
"""Who waits, and what is to be written for it."""


class GroupWriter:
    """The thread that owns the accept connection.

    ``touched`` is called in the thread with the destinations that got work. ``limit`` bounds what
    waits, ``largest`` the messages of one transaction; ``linger`` is in seconds.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        turnstile: Turnstile,
        codec: Codec,
        *,
        limit: int,
        largest: int,
        linger: float,
        touched: Callable[[frozenset[str]], None],
    ) -> None:
        self._connection = connection
        self._turnstile = turnstile
        self._codec = codec
        self._limit, self._largest = limit, largest
        self._pace = Pace(linger=linger, largest=largest)
        self._touched = touched
        self._acceptances: deque[_Waiting[_Work]] = deque()
        self._onces: deque[_Waiting[Once]] = deque()
        self._jobs: deque[_Waiting[Job]] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._wanted = 1  # how many must wait before the thread is woken for them
        self.groups = 0
        self.committed = 0
        self._thread = threading.Thread(target=self._serve, name="journal-accept", daemon=True)
        self._thread.start()

    async def commit(self, acceptance: Acceptance, prepare: Prepare) -> Stored:
        """Write an acceptance durably with whatever else is waiting.

        ``prepare`` is called in the thread; what it raises is raised here.
        """
        stored: Stored = await self._hand_over(self._acceptances, (acceptance, prepare))
        return stored

    async def remember(self, once: Once) -> bool:
        """Whether a value is new, durably, asked with whatever else is."""
        fresh: bool = await self._hand_over(self._onces, once)
        return fresh

    async def run(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Run another write in a durable transaction of its own."""
        result: T = await self._hand_over(self._jobs, job)
        return result

    async def _hand_over(self, queue: deque[_Waiting[Any]], what: object) -> Any:
        waiting = _Waiting(what)
        with self._changed:
            if self._closing:
                raise Unavailable("the journal is closing")
            if len(queue) >= self._limit:
                raise Unavailable("too much waits to be written", retry_after=1.0)
            queue.append(waiting)
            if queue is not self._acceptances or len(queue) >= self._wanted:
                self._changed.notify()
        return await waiting.future

    def close(self) -> None:
        """Write what waits, then end the thread. Blocks; may be called twice."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    def _serve(self) -> None:
        while (taken := self._take()) is not None:
            group, onces, jobs = taken
            for job in jobs:
                _deliver([(job, self._attempt(job.what))])
            if onces:
                self._remember(onces)
            if group:
                self._commit(self._prepared(group))

    def _take(
        self,
    ) -> tuple[list[_Waiting[_Work]], list[_Waiting[Once]], list[_Waiting[Job]]] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._closing or self._waits())
            if not self._waits():
                return None
            self._gather()
            group: list[_Waiting[_Work]] = []
            messages = 0
            while self._acceptances:
                messages += max(1, len(self._acceptances[0].what[0].messages))
                if group and messages > self._largest:
                    break
                group.append(self._acceptances.popleft())
            onces, jobs = list(self._onces), list(self._jobs)
            self._onces.clear()
            self._jobs.clear()
            return group, onces, jobs

    def _gather(self) -> None:
        """Wait for as many acceptances as are worth a flush, unless something must not wait."""
        self._wanted = self._pace.wanted
        self._changed.wait_for(
            lambda: self._urgent() or len(self._acceptances) >= self._wanted,
            timeout=self._pace.patience,
        )
        self._wanted = 1
        if not self._urgent():
            self._pace.gathered(len(self._acceptances))

    def _urgent(self) -> bool:
        return bool(self._closing or self._onces or self._jobs)

    def _waits(self) -> bool:
        return bool(self._acceptances or self._onces or self._jobs)

    def _remember(self, onces: Sequence[_Waiting[Once]]) -> None:
        asked = [waiting.what for waiting in onces]
        result = self._attempt(lambda connection: remember(connection, asked))
        answers = result if isinstance(result, list) else [result] * len(onces)
        _deliver(list(zip(onces, answers, strict=True)))

    def _prepared(self, group: Sequence[_Waiting[_Work]]) -> list[_Ready]:
        """The group as far as it can be written; who breaks the contract is told at once."""
        ready: list[_Ready] = []
        for waiting in group:
            acceptance, prepare = waiting.what
            try:
                ready.append((waiting, prepare(acceptance)))
            except Exception as error:
                _deliver([(waiting, error)])
        return ready

    def _commit(self, group: Sequence[_Ready]) -> None:
        if not group:
            return
        began = time.monotonic()
        result = self._attempt(lambda connection: self._accept(connection, group))
        self._pace.wrote(time.monotonic() - began)
        if isinstance(result, Committed):
            self.groups += 1
            self.committed += len(group)
            self._touched(result.destinations)
            callers = [waiting for waiting, _ in group]
            _deliver(list(zip(callers, result.answers, strict=True)))
        elif len(group) == 1 or isinstance(result, Unavailable):
            _deliver([(waiting, result) for waiting, _ in group])
        else:
            # One of them cannot be written; alone it cannot harm its neighbours.
            for one in group:
                self._commit([one])

    def _accept(self, connection: sqlite3.Connection, group: Sequence[_Ready]) -> Committed:
        return accept(connection, [prepared for _, prepared in group], self._codec)

    def _attempt(self, job: Job) -> Any:
        try:
            with mapped(), transaction(self._connection, self._turnstile):
                return job(self._connection)
        except Exception as error:
            return error


def _deliver(answers: Sequence[tuple[_Waiting[Any], Any]]) -> None:
    """Give each caller its answer, with one wake-up for each event loop."""
    loops = {waiting.loop for waiting, _ in answers}
    for loop in loops:
        mine = [(w.future, answer) for w, answer in answers if w.loop is loop]
        # A loop that has been closed has no callers left to answer.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_resolve, mine)


def _resolve(answers: Sequence[tuple[asyncio.Future[Any], Any]]) -> None:
    for future, answer in answers:
        if future.done():  # its caller was cancelled
            continue
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)
