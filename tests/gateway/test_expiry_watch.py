"""A running gateway says in time what ends: once a day for each thing, and as a gauge."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from gateway.telemetry.expiry import ExpiryWatch
from tests.fakes import NOW, Seen, until
from trust.expiry import Expiring, Kind

DAY = timedelta(days=1)


class Bench:
    """A watch, a clock that can be moved, and what was said."""

    def __init__(self) -> None:
        self.seen = Seen()
        self.now = NOW
        self.things: list[Expiring] = []
        self.watch = ExpiryWatch(
            find=lambda: self.things, telemetry=self.seen.telemetry, clock=lambda: self.now
        )

    def look(self) -> None:
        """Look at what there is."""
        self.watch.look(self.things)

    def gauge(self, kind: Kind, name: str) -> float | None:
        """What the gauge of these labels says, if there is one."""
        labels = {"kind": kind, "name": name}
        return self.seen.registry.get_sample_value("luxor_expiry_seconds", labels)

    def told(self, name: str = "expiry.near") -> list[tuple[object, object]]:
        """What was said: which thing, how urgent."""
        return [(event["what"], event["urgency"]) for event in self.seen.events(name)]


def thing(what: str, days: float, *, kind: Kind = "key", name: str = "post-a") -> Expiring:
    """Something that ends in so many days."""
    return Expiring(kind=kind, name=name, what=what, until=NOW + days * DAY)


def test_what_is_far_off_is_not_mentioned() -> None:
    bench = Bench()
    bench.things = [thing("a", 61)]

    bench.look()

    assert [] == bench.told()


def test_each_thing_is_mentioned_once_a_day() -> None:
    bench = Bench()
    bench.things = [thing("a", 50), thing("b", 20)]
    for _ in range(3):
        bench.look()
    assert [("b", "warning"), ("a", "notice")] == bench.told()

    bench.now += DAY - timedelta(minutes=1)
    bench.look()
    assert 2 == len(bench.told())

    bench.now += timedelta(minutes=1)
    bench.look()
    assert 4 == len(bench.told())


def test_a_worse_level_is_mentioned_at_once() -> None:
    bench = Bench()
    bench.things = [thing("a", 7.25)]
    bench.look()

    bench.now += DAY / 2
    bench.look()
    bench.now += 7 * DAY
    bench.look()

    assert [("a", "warning"), ("a", "urgent")] == bench.told()
    (over,) = bench.seen.events("expiry.over")
    assert ("error", "a", -1) == (over["level"], over["what"], over["days"])


def test_what_was_renewed_is_forgotten() -> None:
    bench = Bench()
    bench.things = [thing("a", 5)]
    bench.look()
    bench.things = [thing("a", 90)]
    bench.look()
    bench.things = [thing("a", 5)]
    bench.look()

    assert 2 == len(bench.told())


def test_the_gauge_is_of_what_ends_first_and_goes_with_it() -> None:
    bench = Bench()
    bench.things = [thing("a", 50), thing("b", 20), thing("c", -1, kind="tls", name="gateway-lx")]
    bench.look()
    seconds = DAY.total_seconds()
    assert 20 * seconds == bench.gauge("key", "post-a")
    assert -seconds == bench.gauge("tls", "gateway-lx")

    bench.things = bench.things[:1]
    bench.look()

    assert 50 * seconds == bench.gauge("key", "post-a")
    assert bench.gauge("tls", "gateway-lx") is None


def test_what_is_replaced_has_no_gauge() -> None:
    bench = Bench()
    bench.things = [
        Expiring(kind="key", name="post-a", what="old", until=NOW - DAY, replaced=True),
        thing("new", 80),
    ]

    bench.look()

    assert 80 * DAY.total_seconds() == bench.gauge("key", "post-a")
    assert [] == bench.told() + bench.told("expiry.over")


async def test_it_looks_by_itself() -> None:
    bench = Bench()
    bench.things = [thing("a", 3)]
    task = asyncio.create_task(bench.watch.watch(seconds=0.01))

    await until(bench.told)
    bench.things = [thing("a", 3), thing("b", 4)]
    await until(lambda: len(bench.told()) == 2)

    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
