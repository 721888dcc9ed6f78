"""Generators as processes of their own, so that what they cost is not the measuring program's."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Literal, Self

import msgspec
import uvloop

from bench.load.arrivals import Arrivals, due
from bench.load.grpc import StreamSender, UnarySender
from bench.load.https import HttpsSender
from bench.load.mixes import MIXES, SEEDED, Maker, Papers, Transport
from bench.load.observed import Observed, merged
from bench.load.pump import ClosedPump, OpenPump, Request, Sender
from bench.load.target import Target
from trust.errors import TrustError

PREPARE_SECONDS = 300.0
"""Making and signing the requests of one run."""
STOP_SECONDS = 5.0
_BEGIN_SECONDS = 0.2
"""From the word to begin until the schedule begins."""


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """One run of one generator."""

    target: Target
    mix: str
    run: str
    """A word that begins every interchange id; the same for all generators of a run."""
    first: int = SEEDED
    """The first number; those below are kept for what reads ask about."""
    seeded: int = 0
    """The first of the `SEEDED` numbers of what reads ask about."""
    rate: float = 0.0
    """Requests a second, on a fixed schedule; 0: as the answers come, ``count`` of them."""
    seconds: float = 0.0
    arrivals: Arrivals = "poisson"
    count: int = 0
    connections: int = 64
    """Connections of HTTPS, calls under way of gRPC, or streams: as the mix goes."""
    in_flight: int = 0
    """Without a rate: requests under way; 0: as many as there are connections."""
    patience: float = 2.0
    """Seconds of arrivals that may be unanswered before the generator gives up."""
    drain: float = 10.0
    """Seconds that the last answers may take."""

    @property
    def numbers(self) -> int:
        """How many numbers it takes at most."""
        planned = self.count or int(self.rate * self.seconds * 1.5) + 100
        return planned * MIXES[self.mix].items


def after(load: Load, *, processes: int) -> int:
    """The first number that a run by so many generators leaves to the next one."""
    last = split(load, processes)[-1]
    return last.first + last.numbers


class Failed(Exception):
    """A generator could not run; its text says why."""


_SENDERS: dict[Transport, Callable[..., Sender]] = {
    "https": HttpsSender,
    "grpc": UnarySender,
    "grpc-stream": StreamSender,
}


def split(load: Load, processes: int) -> list[Load]:
    """The same load by several generators, each with its share and numbers of its own."""
    shares: list[Load] = []
    first = load.first
    for _ in range(processes):
        share = msgspec.structs.replace(
            load,
            first=first,
            rate=load.rate / processes,
            count=load.count // processes,
            connections=max(1, load.connections // processes),
            in_flight=load.in_flight // processes,
        )
        shares.append(share)
        first += share.numbers
    return shares


class Generators:
    """Processes that generate, started once for many runs; a context manager.

    After a run has `Failed` it is only to be left.
    """

    def __init__(self, processes: int = 1) -> None:
        self._number = processes
        self._running: list[tuple[BaseProcess, Connection]] = []
        self._busy: list[Connection] = []
        self._bound = PREPARE_SECONDS

    def __enter__(self) -> Self:
        context = multiprocessing.get_context("spawn")
        for _ in range(self._number):
            here, there = context.Pipe()
            process: BaseProcess = context.Process(target=_serve, args=(there,), daemon=True)
            process.start()
            there.close()
            self._running.append((process, here))
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        for _process, pipe in self._running:
            pipe.close()
        patience = STOP_SECONDS if kind is None else 0.0
        for process, _pipe in self._running:
            process.join(patience)
            if process.is_alive():
                process.kill()
                process.join()

    def run(self, load: Load, *, begun: Callable[[], None] = lambda: None) -> Observed:
        """One run, by all of them together; raises `Failed`.

        ``begun`` is called when all is prepared and connected, just before the first request.
        """
        self.prepare(load)
        begun()
        self.begin(time.monotonic() + _BEGIN_SECONDS)
        return self.collect()

    def seed(self, load: Load) -> None:
        """Submit what reads of this load ask about; raises `Failed` when not all of it is taken."""
        seeds = msgspec.structs.replace(
            load,
            mix=MIXES[load.mix].seeds,
            first=load.seeded,
            count=SEEDED,
            rate=0.0,
            connections=8,
            drain=60.0,
        )
        self._prepare([seeds])
        self.begin(time.monotonic())
        observed = self.collect()
        if observed.errors or observed.answered < SEEDED:
            raise Failed(f"not all was taken that reads ask about: {dict(observed.problems)}")

    def prepare(self, load: Load) -> None:
        """Make all requests of a run and connect; raises `Failed`."""
        self._prepare(split(load, self._number))

    def begin(self, at: float) -> None:
        """Let what was prepared begin at this time of ``time.monotonic``; returns at once."""
        for pipe in self._busy:
            pipe.send(at)

    def collect(self) -> Observed:
        """Wait for what was begun; raises `Failed`."""
        return merged([_heard(pipe, "observed", self._bound) for pipe in self._busy])

    def _prepare(self, shares: Sequence[Load]) -> None:
        self._busy = [pipe for _, pipe in self._running[: len(shares)]]
        self._bound = max(PREPARE_SECONDS + share.seconds + share.drain for share in shares)
        for pipe, share in zip(self._busy, shares, strict=True):
            pipe.send(share)
        for pipe in self._busy:
            _heard(pipe, "ready", PREPARE_SECONDS)


Word = Literal["ready", "observed"]


def _heard(pipe: Connection, wanted: Word, bound: float) -> Observed:
    if not pipe.poll(bound):
        raise Failed(f"a generator said nothing for {bound:.0f} s")
    try:
        word, value = pipe.recv()
    except EOFError as error:
        raise Failed("a generator ended without a word") from error
    if word != wanted:
        raise Failed(str(value))
    observed: Observed = value
    return observed


def _serve(pipe: Connection) -> None:
    """The process: until there is no more to do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it ends it
    papers = Papers()
    with suppress(EOFError, BrokenPipeError):
        while True:
            _one(pipe.recv(), papers, pipe)


def _one(load: Load, papers: Papers, pipe: Connection) -> None:
    """One run: make the requests, connect, wait for the word, send, tell."""
    try:
        requests, times = prepared(load, papers)
        observed = uvloop.run(_run(load, requests, times, pipe))
    except (Failed, OSError, ValueError, TrustError) as error:
        pipe.send(("failed", f"{type(error).__name__}: {error}"))
    else:
        pipe.send(("observed", observed))


def prepared(load: Load, papers: Papers) -> tuple[list[Request], Sequence[float]]:
    """The requests of a run and the times at which they are due."""
    times: Sequence[float] = ()
    if load.rate:
        times = due(load.rate, load.seconds, arrivals=load.arrivals, seed=f"{load.run}{load.first}")
    count = len(times) or load.count
    maker = Maker(load.target, papers, run=load.run, seeded=load.seeded)
    return list(MIXES[load.mix].requests(maker, load.first, count)), times


async def _run(
    load: Load, requests: list[Request], times: Sequence[float], pipe: Connection
) -> Observed:
    sender = _SENDERS[MIXES[load.mix].transport](load.target, connections=load.connections)
    await sender.open()
    gc.collect()
    gc.disable()  # a collection would be a stall of the generator's own
    try:
        pipe.send(("ready", None))
        begin: float = await asyncio.to_thread(pipe.recv)
        await asyncio.sleep(max(0.0, begin - time.monotonic()))
        used = time.process_time()
        observed = await _pumped(load, requests, times, sender)
        observed.cpu = time.process_time() - used
        observed.reconnected = sender.reconnected
        return observed
    finally:
        gc.enable()
        await sender.close()


async def _pumped(
    load: Load, requests: list[Request], times: Sequence[float], sender: Sender
) -> Observed:
    clock = time.perf_counter
    if times:
        pump = OpenPump(requests, times, sender, clock=clock, patience=load.patience)
        return await pump.run(drain=load.drain)
    in_flight = load.in_flight or load.connections
    closed = ClosedPump(requests, sender, in_flight=in_flight, clock=clock)
    return await closed.run(bound=load.drain + load.seconds)
