"""What judging costs: microseconds of CPU for one message, by regime.

The least of several rounds, since other work on the machine only ever adds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from gateway.demo.generator import items, orders
from gateway.regimes import Regime, standard
from translators.canonical import Message

AT = datetime(2026, 11, 23, 8, tzinfo=UTC)
ROUNDS = 25


def least(work: Callable[[], object]) -> float:
    """Seconds of CPU of the quickest round."""
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        best = min(best, time.process_time() - began)
    return best


def per_message(regimes: Sequence[Regime], messages: Sequence[Message]) -> float:
    """Microseconds for one message."""

    def work() -> None:
        for message in messages:
            for regime in regimes:
                regime.check(message)

    return least(work) / len(messages) * 1e6


def main() -> None:
    """Print a line for each regime and kind, and for all together."""
    made = items("bench", 400, at=AT)
    placed = orders("bench", 100, made, at=AT).placed
    regimes = standard()
    for name, messages in (("items", made), ("orders", placed)):
        for regime in regimes:
            print(f"{name} {type(regime).__name__}: {per_message([regime], messages):.1f} µs")
        print(f"{name} together: {per_message(regimes, messages):.1f} µs")


if __name__ == "__main__":
    main()
