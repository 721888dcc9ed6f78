"""What a second worker brings: signed orders accepted by one worker and by two, in one run.

``python -m bench.workers``. Both gateways stand side by side on SQLite, each group of acceptances
with its fsync, and take turns; their destination is switched off. The generator shares the cores
with them, so its part of the CPU stands beside the rates.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench import serving
from bench.costing import Cost, Rounds, Subject
from bench.load.generating import Generators
from bench.results import Told, goal_of
from tests.e2e.network import make_pki

BAR = 1.3
CALLERS = 64
"""At once, over as many connections: each worker gets about half of them."""


def measure(*, quick: bool) -> Iterator[Told]:
    """Two workers against one, by the most that each accepted a second in any of its turns."""
    rounds, count = (1, 400) if quick else (4, 2_500)
    with tempfile.TemporaryDirectory() as name, Generators() as generators:
        folder = Path(name)
        certs = make_pki(folder / "certs")
        with (
            serving.gateway(folder / "one", certs, changes=["gateway.workers=1"]) as one,
            serving.gateway(folder / "two", certs, changes=["gateway.workers=2"]) as two,
        ):
            subjects = [
                Subject(
                    name=name,
                    served=served,
                    mix="order",
                    count=count,
                    in_flight=CALLERS,
                    connections=CALLERS,
                )
                for name, served in (("one worker", one), ("two workers", two))
            ]
            costs = Rounds(generators, warm=200).run(subjects, rounds=rounds)
    for name, cost in costs.items():
        print(f"  {name}: {cost.rate:,.0f} a second, {_parts(cost)}", flush=True)
    single, double = costs.values()
    yield goal_of(
        "workers: two to one",
        baseline=single.rate,
        figure=double.rate,
        ratio=double.rate / single.rate,
        at_least=BAR,
        unit="signed orders accepted a second",
        what="--workers 1 / --workers 2, with the generator on the same cores",
        note=f"{os.cpu_count()} cores; generator {share(double):.0%} of the CPU of the run",
    )


def share(cost: Cost) -> float:
    """What the generator took of the CPU of a run, of it and the server together."""
    assert cost.seen is not None  # of every round something is seen
    generator = cost.seen.cpu / cost.seen.answered * 1e6
    return generator / (generator + cost.micros)


def _parts(cost: Cost) -> str:
    return f"{cost.micros:.0f} us of server CPU each, generator {share(cost):.0%} of the CPU"


def main() -> None:
    """Print it."""
    for told in measure(quick=False):
        print(told)


if __name__ == "__main__":
    main()
