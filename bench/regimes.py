"""What judging costs: microseconds of CPU for one message, by regime: `python -m bench.regimes`.

The least of several rounds, since other work on the machine only ever adds.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from bench.timing import least
from gateway.demo.generator import items, orders
from gateway.regimes import Regime, standard
from translators.canonical import Message

AT = datetime(2026, 11, 23, 8, tzinfo=UTC)
ROUNDS = 25


def per_message(regimes: Sequence[Regime], messages: Sequence[Message]) -> float:
    """Microseconds for one message."""

    def work() -> None:
        for message in messages:
            for regime in regimes:
                regime.check(message)

    (found,) = least(len(messages), work, rounds=ROUNDS)
    return found


def show() -> None:
    """Print a line for each regime and kind, and for all together."""
    made = items("bench", 400, at=AT)
    placed = orders("bench", 100, made, at=AT).placed
    regimes = standard()
    for name, messages in (("items", made), ("orders", placed)):
        for regime in regimes:
            print(f"{name} {type(regime).__name__}: {per_message([regime], messages):.1f} µs")
        print(f"{name} together: {per_message(regimes, messages):.1f} µs")


if __name__ == "__main__":
    show()
