"""Goal 11, first half: ten times the items cost at most eleven times as much.

``python -m bench.sizes``. ITMATT of 1 to 10,000 items, not signed, accepted by a gateway on SQLite:
CPU of its process, all threads, for one interchange; the least of the rounds, which take turns.
Those of 1,048,576 bytes and more are committed in chunks while they are read.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

from bench import serving
from bench.costing import Cost, Rounds, Subject
from bench.load.generating import Generators
from bench.results import Series, Told, goal_of
from tests.e2e.network import make_pki

COUNTS = {1: 400, 10: 160, 100: 40, 1_000: 6, 10_000: 1}
"""Interchanges of one round, by their items."""
AT_ONCE = 4
BAR = 11.0


def measure(*, quick: bool) -> Iterator[Told]:
    """The worst of the steps from one size to the next, and items a second of CPU by size."""
    sizes = [items for items in COUNTS if not quick or items <= 1_000]
    with tempfile.TemporaryDirectory() as name, Generators() as generators:
        folder = Path(name)
        certs = make_pki(folder / "certs")
        with serving.gateway(folder / "gateway", certs) as gateway:
            subjects = [
                Subject(
                    name=str(items),
                    served=gateway,
                    mix="item" if items == 1 else f"itmatt-{items}",
                    count=COUNTS[items] // (4 if quick else 1) or 1,
                    in_flight=min(AT_ONCE, COUNTS[items]),
                    connections=AT_ONCE,
                )
                for items in sizes
            ]
            costs = Rounds(generators, warm=5).run(subjects, rounds=1 if quick else 2)
    yield from told({items: costs[str(items)] for items in sizes})


def told(costs: Mapping[int, Cost]) -> Iterator[Told]:
    """The goal and the line of the plot."""
    for items, cost in costs.items():
        print(
            f"  {items:6} items: {cost.micros / 1e3:9.2f} ms of server CPU,"
            f" {cost.micros / items:6.0f} us an item",
            flush=True,
        )
    steps = {
        (small, large): costs[large].micros / costs[small].micros
        for small, large in pairwise(costs)
    }
    (small, large), worst = max(steps.items(), key=lambda step: step[1])
    yield goal_of(
        "11 ten times the items",
        baseline=costs[small].micros / 1e3,
        figure=costs[large].micros / 1e3,
        ratio=worst,
        at_most=BAR,
        unit="ms of server CPU an interchange",
        what=f"ITMATT of {small:,} / of {large:,} items accepted: the worst of the steps from 1",
    )
    yield Series(
        plot="throughput-against-items",
        name="ITMATT, accepted on SQLite",
        x=tuple(map(float, costs)),
        y=tuple(items / cost.micros * 1e6 for items, cost in costs.items()),
    )


def main() -> None:
    """Print it."""
    for found in measure(quick=False):
        print(found)


if __name__ == "__main__":
    main()
