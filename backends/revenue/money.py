"""Arithmetic of money: exact until it is rounded, rounded half up, shared without loss."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Context, Decimal

EXACT = Context(prec=80)
"""Enough for products and quotients of the longest decimals of the model (16 + 6 digits)."""
ZERO = Decimal(0)


def round_to(amount: Decimal, unit: Decimal) -> Decimal:
    """The nearest multiple of ``unit`` (as 0.01, 1 or 0.05); halves go away from zero."""
    steps = EXACT.divide(amount, unit).quantize(Decimal(1), ROUND_HALF_UP, EXACT)
    return EXACT.multiply(steps, unit)


def per_cent(basis: Decimal, rate: Decimal) -> Decimal:
    """``rate`` per cent of the basis, not rounded."""
    return EXACT.divide(EXACT.multiply(basis, rate), Decimal(100))


def share(total: Decimal, weights: Sequence[Decimal], unit: Decimal) -> list[Decimal]:
    """``total`` shared in proportion, each part a multiple of ``unit``, without loss.

    Each part is the difference of rounded running sums, so that the parts add up to the total
    rounded. Weights that are all zero count as equal.
    """
    if not any(weights):
        weights = [Decimal(1)] * len(weights)
    whole = sum(weights, ZERO)
    parts: list[Decimal] = []
    running, given = ZERO, ZERO
    for weight in weights:
        running = EXACT.add(running, weight)
        upto = round_to(EXACT.divide(EXACT.multiply(total, running), whole), unit)
        parts.append(EXACT.subtract(upto, given))
        given = upto
    return parts
