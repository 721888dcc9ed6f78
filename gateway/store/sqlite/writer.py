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
        self.seconds = {"pack": 0.0, "commit": 0.0}
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
            if queue is self._jobs or self._gathered() >= self._wanted:
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
            ready = self._prepared(group)
            if not (onces and ready and self._write_together(onces, ready)):
                self._remember(onces)
                self._commit(ready)
            # All else that this thread does is done to write.
            self.seconds["commit"] = time.thread_time() - self.seconds["pack"]

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
        """Wait for as many callers as are worth a flush, unless something must not wait."""
        self._wanted = self._pace.wanted
        self._changed.wait_for(
            lambda: self._closing or self._jobs or self._gathered() >= self._wanted,
            timeout=self._pace.patience,
        )
        self._wanted = 1
        if not (self._closing or self._jobs):
            self._pace.gathered(self._gathered())

    def _gathered(self) -> int:
        return len(self._acceptances) + len(self._onces)

    def _waits(self) -> bool:
        return bool(self._acceptances or self._onces or self._jobs)

    def _write_together(self, onces: Sequence[_Waiting[Once]], group: Sequence[_Ready]) -> bool:
        """Both in one transaction, with one flush; false, and nothing is written, if one cannot."""
        asked = [waiting.what for waiting in onces]
        result = self._attempt(lambda c: (remember(c, asked), self._accept(c, group)))
        if isinstance(result, Unavailable):
            callers: list[_Waiting[Any]] = [*onces, *(waiting for waiting, _ in group)]
            _deliver([(waiting, result) for waiting in callers])
            return True
        if isinstance(result, Exception):
            return False
        fresh, committed = result
        _deliver(list(zip(onces, fresh, strict=True)))
        self._tell(group, committed)
        return True

    def _remember(self, onces: Sequence[_Waiting[Once]]) -> None:
        if not onces:
            return
        asked = [waiting.what for waiting in onces]
        result = self._attempt(lambda connection: remember(connection, asked))
        answers = result if isinstance(result, list) else [result] * len(onces)
        _deliver(list(zip(onces, answers, strict=True)))

    def _prepared(self, group: Sequence[_Waiting[_Work]]) -> list[_Ready]:
        """The group as far as it can be written; who breaks the contract is told at once."""
        ready: list[_Ready] = []
        began = time.thread_time()
        for waiting in group:
            acceptance, prepare = waiting.what
            try:
                ready.append((waiting, prepare(acceptance)))
            except Exception as error:
                _deliver([(waiting, error)])
        self.seconds["pack"] += time.thread_time() - began
        return ready

    def _commit(self, group: Sequence[_Ready]) -> None:
        if not group:
            return
        result = self._attempt(lambda connection: self._accept(connection, group))
        if isinstance(result, Committed):
            self._tell(group, result)
        elif len(group) == 1 or isinstance(result, Unavailable):
            _deliver([(waiting, result) for waiting, _ in group])
        else:
            # One of them cannot be written; alone it cannot harm its neighbours.
            for one in group:
                self._commit([one])

    def _tell(self, group: Sequence[_Ready], committed: Committed) -> None:
        self.groups += 1
        self.committed += len(group)
        self._touched(committed.destinations)
        callers = [waiting for waiting, _ in group]
        _deliver(list(zip(callers, committed.answers, strict=True)))

    def _accept(self, connection: sqlite3.Connection, group: Sequence[_Ready]) -> Committed:
        return accept(connection, [prepared for _, prepared in group], self._codec)

    def _attempt(self, job: Job) -> Any:
        began = time.monotonic()
        try:
            with mapped(), transaction(self._connection, self._turnstile):
                return job(self._connection)
        except Exception as error:
            return error
        finally:
            self._pace.wrote(time.monotonic() - began)


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
