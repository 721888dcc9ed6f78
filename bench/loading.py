"""The highest rate of each mix with p99 within 100 ms, and latency against load.

``python -m bench.loading``. Open model: requests are due by a fixed schedule of independent
arrivals, and latency counts from the time due. The gateway runs on SQLite; its destination is
switched off but for what is called delivered, where a folder takes every leg. The generator shares
the machine's cores with the gateway.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from bench import serving
from bench.load.generating import Generators, Load, after
from bench.load.mixes import MIXES, SEEDED
from bench.load.observed import Observed
from bench.load.report import said
from bench.load.search import Bounds, Found, Step, highest
from bench.results import Series, Told
from bench.serving import Served
from tests.e2e.network import make_pki

P99 = 0.1
SEARCHED = ("order", "itmatt-100", "reads", "grpc-stream")
QUICKLY = ("order",)
SHARES = (0.2, 0.4, 0.6, 0.7, 0.8, 0.9)
"""Of the highest rate: where latency is looked at for the plot."""


class Effort(msgspec.Struct, frozen=True, kw_only=True):
    """How long it may take."""

    seconds: float
    """Of one run at one rate."""
    most: int
    """Runs of one search."""
    mixes: tuple[str, ...]


USUAL = Effort(seconds=2.5, most=6, mixes=SEARCHED)
QUICK = Effort(seconds=1.0, most=4, mixes=QUICKLY)
FULL = Effort(
    seconds=10.0, most=14, mixes=tuple(mix.name for mix in MIXES.values() if mix.items <= 100)
)
"""Larger documents take longer than the bound by themselves: see `bench.sizes`."""


class Drive:
    """Runs against one gateway, each with numbers of its own."""

    def __init__(self, served: Served, generators: Generators) -> None:
        self._served, self._generators = served, generators
        self._first = SEEDED
        self._seeded = False

    def at(self, mix: str, rate: float, seconds: float) -> Observed:
        """One run at a fixed rate."""
        return self._run(mix, rate=rate, seconds=seconds)

    def saturated(self, mix: str, count: int) -> Observed:
        """As the answers come: how much there is to be had at all."""
        return self._run(mix, count=count)

    def _run(
        self, mix: str, *, rate: float = 0.0, seconds: float = 0.0, count: int = 0
    ) -> Observed:
        one = MIXES[mix]
        load = Load(
            target=self._served.target(one.party, transport=one.transport),
            mix=mix,
            run="bench",
            first=self._first,
            rate=rate,
            seconds=seconds,
            count=count,
            connections=1 if one.transport == "grpc-stream" else 64,
            in_flight=64,
        )
        if one.seeds and not self._seeded:
            self._generators.seed(load)
            self._seeded = True
        self._first = after(load, processes=1)
        return self._generators.run(load)


def search(drive: Drive, mix: str, effort: Effort) -> Found:
    """The highest rate of a mix; it begins at half of what there is to be had at all."""
    # A trial of a second or so: 16 MB take seconds each, small ones a millisecond.
    items = MIXES[mix].items
    trial = drive.saturated(mix, 300 if items == 1 else max(2, 2_000 // items))
    bounds = Bounds(p99=P99, factor=1.3, close=0.1, most=effort.most, tries=2)
    return highest(
        lambda rate: drive.at(mix, rate, effort.seconds),
        start=max(0.5, trial.rate / 2),
        bounds=bounds,
        told=_print,
    )


def _print(step: Step) -> None:
    held = "held" if step.verdict.held else "NOT held"
    print(f"    {step.rate:9,.1f} a second: {held}, {step.verdict.why}", flush=True)


def measure(*, quick: bool) -> Iterator[Told]:
    """The highest rate by mix, and the latency of signed orders against load."""
    return _measure(QUICK if quick else USUAL)


def measure_full() -> Iterator[Told]:
    """Every mix, longer runs."""
    return _measure(FULL)


def _measure(effort: Effort) -> Iterator[Told]:
    rates: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name, Generators() as generators:
        folder = Path(name)
        certs = make_pki(folder / "certs")
        _reach(folder, certs, generators)
        with serving.gateway(folder / "accepts", certs) as gateway:
            drive = Drive(gateway, generators)
            for mix in effort.mixes:
                rates[MIXES[mix].what] = _searched(drive, mix, effort)
            yield from _latencies(drive, rates[MIXES["order"].what], effort)
        if effort is not QUICK:
            with serving.gateway(folder / "delivers", certs, delivers=True) as gateway:
                drive = Drive(gateway, generators)
                rates[f"{MIXES['order'].what}, delivered"] = _searched(drive, "order", effort)
    held = {what: rate for what, rate in rates.items() if rate}
    if held:
        yield Series(
            plot="highest-rate",
            name="p99 within 100 ms",
            x=tuple(map(float, range(len(held)))),
            y=tuple(held.values()),
            labels=tuple(held),
        )


def _reach(folder: Path, certs: Path, generators: Generators) -> None:
    """How far the generator comes by itself: what it gets from a server that does nothing."""
    with serving.empty(folder, certs) as bare:
        seen = Drive(bare, generators).saturated("order", 3_000)
    print(
        f"  the generator alone: {seen.rate:,.0f} a second from an empty server,"
        f" {seen.cpu / seen.answered * 1e6:.0f} us of its CPU each",
        flush=True,
    )


def _searched(drive: Drive, mix: str, effort: Effort) -> float:
    print(f"  {mix}: {MIXES[mix].what}", flush=True)
    found = search(drive, mix, effort)
    print(f"    {said(found, p99=P99)}", flush=True)
    return found.rate


def _latencies(drive: Drive, rate: float, effort: Effort) -> Iterator[Series]:
    """Percentiles of signed orders at shares of the highest rate."""
    if not rate:
        return
    shares = SHARES[::2] if effort is QUICK else SHARES
    seen = {share * rate: drive.at("order", share * rate, effort.seconds) for share in shares}
    latencies = [one.percentiles() for one in seen.values()]
    for name, values in (
        ("p50", [one.p50 for one in latencies]),
        ("p99", [one.p99 for one in latencies]),
    ):
        yield Series(
            plot="latency-against-load",
            name=f"signed order, {name}",
            x=tuple(seen),
            y=tuple(value * 1e3 for value in values),
        )


def main() -> None:
    """Print it."""
    for found in measure(quick=False):
        print(found)


if __name__ == "__main__":
    main()
