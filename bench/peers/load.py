"""How the servers are asked: by the generator of `bench.load`, with requests made beforehand.

Two runs each. `saturate` keeps every connection busy: what the server does at most, and what that
costs. `arrive` sends at a fixed rate whatever the server does, and an answer's time counts from
when its request was due.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Coroutine, Iterator, Sequence
from typing import overload

import uvloop

from bench.load.arrivals import due
from bench.load.https import HttpsSender, Place
from bench.load.observed import Observed
from bench.load.pump import ClosedPump, OpenPump, Request

DRAIN_SECONDS = 15.0
"""For the last answers of a run."""


def request(
    content: bytes, *, path: str, name: str, fields: dict[str, str], expected: bytes = b"200"
) -> Request:
    """A POST as it goes over the wire."""
    head = "".join(f"{key}: {value}\r\n" for key, value in fields.items())
    first = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(content)}\r\n{head}"
    return Request(name=name, wire=first.encode() + b"\r\n" + content, expected=expected)


class _Until(Sequence[Request]):
    """Requests that are at an end when the time is over, whatever is left of them; never none."""

    def __init__(self, requests: Sequence[Request], seconds: float) -> None:
        self._requests, self._seconds = requests, seconds

    def __len__(self) -> int:
        return len(self._requests)

    @overload
    def __getitem__(self, at: int) -> Request: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[Request]: ...

    def __getitem__(self, at: int | slice) -> Request | Sequence[Request]:
        return self._requests[at]

    def __iter__(self) -> Iterator[Request]:
        until = time.perf_counter() + self._seconds
        for number, one in enumerate(self._requests):
            if number and time.perf_counter() >= until:
                return
            yield one


def saturate(
    place: Place, requests: Sequence[Request], *, connections: int, seconds: float
) -> Observed:
    """As many of them as are answered in that time; what is asked then is still waited for."""

    async def run() -> Observed:
        sender = HttpsSender(place, connections=connections)
        await sender.open()
        clock, timed = time.perf_counter, _Until(requests, seconds)
        pump = ClosedPump(timed, sender, in_flight=connections, clock=clock)
        try:
            return await pump.run(bound=seconds + DRAIN_SECONDS)
        finally:
            await sender.close()

    return _alone(run())


def arrive(place: Place, requests: Sequence[Request], *, connections: int, rate: float) -> Observed:
    """So many a second, at random times, the same ones each time."""
    times = due(rate, len(requests) / rate)[: len(requests)]

    async def run() -> Observed:
        sender = HttpsSender(place, connections=connections)
        await sender.open()
        pump = OpenPump(requests[: len(times)], times, sender, clock=time.perf_counter)
        try:
            return await pump.run(drain=DRAIN_SECONDS)
        finally:
            await sender.close()

    return _alone(run())


def _alone(running: Coroutine[object, object, Observed]) -> Observed:
    """Without a collection in between, which would be a stall of our own; with our CPU time."""
    gc.collect()
    gc.disable()
    used = time.process_time()
    try:
        observed = uvloop.run(running)
    finally:
        gc.enable()
    observed.cpu = time.process_time() - used
    return observed
