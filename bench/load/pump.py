"""Sends requests when they are due, or as the answers come, and notes what came of each.

No I/O here: a `Sender` writes, a clock is given, and `OpenPump.turn` is called whenever there is
time; `run` is the loop around it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import msgspec

from bench.load.observed import UNANSWERED, Observed, nothing

TICK_SECONDS = 0.001
"""The event loop's timers are no finer; a request is late by half of it on average."""
AT_ONCE = 32
"""Requests that are sent before answers are read again."""
LEAST_UNANSWERED = 64
"""So many may always be unanswered."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One request as it goes over the wire, made before the run."""

    name: str
    """The interchange id, or what is asked for."""
    wire: bytes
    expected: bytes = b"202"
    """The status of HTTP; gRPC tells by itself."""


class Call:
    """One request on its way. Its sender calls `wrote` when it does, and `answered` once."""

    __slots__ = ("_clock", "_noted", "due", "handed", "request", "written")

    def __init__(
        self,
        request: Request,
        *,
        due: float,
        handed: float,
        clock: Callable[[], float],
        noted: Callable[[Call, str], None],
    ) -> None:
        self.request = request
        self.due = due
        self.handed = handed
        self.written = handed
        self._clock = clock
        self._noted = noted

    def wrote(self) -> None:
        """It is written now, after it has waited for a connection."""
        self.written = self._clock()

    def answered(self, problem: str = "") -> None:
        """The answer is there; ``problem`` says what was not as expected."""
        self._noted(self, problem)


class Sender(Protocol):
    """Connections to a server."""

    reconnected: int

    async def open(self) -> None:
        """Connect; what this costs is not measured. Raises ``OSError``."""

    def send(self, call: Call) -> None:
        """Write it now or as soon as a connection is free; does not wait."""

    async def close(self) -> None:
        """Disconnect."""


class _Notes:
    """What came of the calls of one run."""

    def __init__(self, clock: Callable[[], float], *, planned: int) -> None:
        self._clock = clock
        self.start = clock()
        self.last = self.start
        self.observed = nothing()
        self.observed.planned = planned
        self.unanswered = 0

    def sent(self) -> None:
        self.observed.sent += 1
        self.unanswered += 1

    def note(self, call: Call, problem: str) -> None:
        now = self.last = self._clock()
        seen = self.observed
        self.unanswered -= 1
        seen.due.append(call.due - self.start)
        seen.latency.append(now - call.due)
        seen.waited.append(call.written - call.handed)
        seen.late.append(call.handed - call.due)
        if problem:
            seen.problems[problem] += 1

    def close(self) -> Observed:
        """What was seen; what is unanswered now is a problem each."""
        if self.unanswered:
            self.observed.problems[UNANSWERED] += self.unanswered
            self.last = self._clock()
        self.observed.elapsed = self.last - self.start
        return self.observed


class OpenPump:
    """Sends by the schedule, whatever the server does.

    When more is unanswered than ``patience`` seconds of arrivals, it stops sending: the rate is
    beyond the server, and waiting longer tells no more.
    """

    def __init__(
        self,
        requests: Sequence[Request],
        times: Sequence[float],
        sender: Sender,
        *,
        clock: Callable[[], float],
        patience: float = 2.0,
    ) -> None:
        """``times`` are seconds after now, as many as ``requests``."""
        if len(requests) != len(times):
            raise ValueError("each request has one time")
        self._requests, self._times, self._sender, self._clock = requests, times, sender, clock
        self._next = 0
        self._notes = _Notes(clock, planned=len(times))
        rate = len(times) / times[-1] if len(times) and times[-1] else float(len(times))
        self._most = max(LEAST_UNANSWERED, int(rate * patience))

    @property
    def unanswered(self) -> int:
        """Sent, or waiting for a connection."""
        return self._notes.unanswered

    def turn(self) -> float | None:
        """Send what is due; seconds until more is, ``None`` when there is no more to send.

        Of very much that is due at once only a part is sent, so that answers are read in between.
        """
        notes = self._notes
        for _ in range(AT_ONCE):
            if self._next == len(self._times):
                return None
            now = self._clock()
            at = notes.start + self._times[self._next]
            if at > now:
                return at - now
            if notes.unanswered >= self._most:
                return None
            call = self._call(self._requests[self._next], due=at, now=now)
            self._next += 1
            notes.sent()
            self._sender.send(call)
        return 0.0

    def _call(self, request: Request, *, due: float, now: float) -> Call:
        return Call(request, due=due, handed=now, clock=self._clock, noted=self._notes.note)

    def close(self) -> Observed:
        """What was seen until now."""
        return self._notes.close()

    async def run(self, *, drain: float) -> Observed:
        """The whole schedule, and up to ``drain`` seconds for the last answers."""
        while (pause := self.turn()) is not None:  # noqa: ASYNC110 - the schedule is the time
            await asyncio.sleep(pause and max(pause, TICK_SECONDS))
        until = self._clock() + drain
        while self.unanswered and self._clock() < until:  # noqa: ASYNC110 - one wait at the end
            await asyncio.sleep(0.005)
        return self.close()


class ClosedPump:
    """Keeps so many requests under way, each sent when another is answered.

    It tells what a server can do at most and what that costs; its latencies are those of callers
    who wait for their turn, so they say nothing about a fixed rate.
    """

    def __init__(
        self,
        requests: Sequence[Request],
        sender: Sender,
        *,
        in_flight: int,
        clock: Callable[[], float],
    ) -> None:
        self._waiting: Iterator[Request] = iter(requests)
        self._sender, self._clock, self._in_flight = sender, clock, in_flight
        self._notes = _Notes(clock, planned=len(requests))
        self._over = asyncio.Event()

    async def run(self, *, bound: float) -> Observed:
        """All of them, for at most ``bound`` seconds."""
        for _ in range(self._in_flight):
            self._send()
        try:
            async with asyncio.timeout(bound):
                await self._over.wait()
        except TimeoutError:
            self._waiting = iter(())
        return self._notes.close()

    def _send(self) -> None:
        request = next(self._waiting, None)
        if request is None:
            if not self._notes.unanswered:
                self._over.set()
            return
        now = self._clock()
        self._notes.sent()
        self._sender.send(Call(request, due=now, handed=now, clock=self._clock, noted=self._noted))

    def _noted(self, call: Call, problem: str) -> None:
        self._notes.note(call, problem)
        self._send()
