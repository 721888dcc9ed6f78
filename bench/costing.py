"""What one request costs a server, in CPU of all its threads, beside others in turn."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import msgspec

from bench.load.generating import Failed, Generators, Load, after
from bench.load.mixes import MIXES, SEEDED
from bench.load.observed import Observed
from bench.serving import Served

IN_FLIGHT = 64
"""Requests under way at once: as many callers share what each turn of a loop costs."""


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """A server under one kind of load."""

    name: str
    served: Served
    mix: str
    count: int
    """Requests of one round."""
    in_flight: int = IN_FLIGHT
    connections: int = IN_FLIGHT


class Cost(msgspec.Struct, kw_only=True):
    """The least of the rounds so far, and what was seen in it."""

    micros: float = math.inf
    """Of server CPU for one request."""
    rate: float = 0.0
    """Requests a second, the most of the rounds."""
    seen: Observed | None = None


class Rounds:
    """Rounds of several servers in turn, so that what slows the machine slows all of them."""

    def __init__(self, generators: Generators, *, warm: int = 50) -> None:
        """``warm`` requests of each come first, less of what is large."""
        self._generators = generators
        self._warm = warm
        self._first = SEEDED
        self._run = 0

    def run(self, subjects: Iterable[Subject], *, rounds: int) -> Mapping[str, Cost]:
        """What each costs, by its name; raises `Failed` when a request was not answered well."""
        several = list(subjects)
        costs = {subject.name: Cost() for subject in several}
        for subject in several:  # connections, caches and what the processor guesses settle
            self.once(msgspec.structs.replace(subject, count=min(self._warm, subject.count)))
        for _ in range(rounds):
            for subject in several:
                micros, seen = self.once(subject)
                cost = costs[subject.name]
                cost.rate = max(cost.rate, seen.rate)
                if micros < cost.micros:
                    cost.micros, cost.seen = micros, seen
        return costs

    def once(self, subject: Subject) -> tuple[float, Observed]:
        """Microseconds of server CPU for one request, and what was seen."""
        self._run += 1
        mix = MIXES[subject.mix]
        load = Load(
            target=subject.served.target(mix.party, transport=mix.transport),
            mix=mix.name,
            run=f"bench-{self._run}",
            first=self._first,
            count=subject.count,
            connections=subject.connections,
            in_flight=subject.in_flight,
            drain=120.0,
        )
        self._first = after(load, processes=1)
        before = 0.0

        def begun() -> None:
            nonlocal before
            before = subject.served.cpu()

        seen = self._generators.run(load, begun=begun)
        spent = subject.served.cpu() - before
        if seen.errors:
            raise Failed(f"{subject.name}: {dict(seen.problems)}")
        return spent / seen.answered * 1e6, seen
