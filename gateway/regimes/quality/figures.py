"""What can be said of values and weights. All amounts of one sum have the same currency."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from gateway.regimes.quality.settings import QualitySettings

VALUE_ZERO = "quality.value-zero"
VALUE_ONE = "quality.value-one"
VALUE_WEIGHT = "quality.value-weight"
VALUE_SUM = "quality.value-sum"
WEIGHT_SUM = "quality.weight-sum"
_ZERO = Decimal(0)
_CENT = Decimal("0.01")
"""By as much a sum may be off for each of its lines, for rounding."""


Sum = tuple[Decimal, str]
"""An amount and its currency."""


class Figures:
    """Judges values and weights; made once."""

    def __init__(self, settings: QualitySettings, per_euro: Mapping[str, float]) -> None:
        self._per_euro = per_euro
        self._least = settings.least_euro_per_kg
        self._most = settings.most_euro_per_kg
        self._weight = Decimal(1) + Decimal(str(settings.weight_tolerance))
        self._value = Decimal(str(settings.value_tolerance))

    def implausible(self, amount: Decimal, currency: str, weight: Decimal) -> bool:
        """True when so much weight can hardly have this value; unknown currencies are not judged.

        Nothing is said of a value of zero or below, nor of no weight: others do.
        """
        rate = self._per_euro.get(currency)
        if rate is None or amount <= 0 or weight <= 0:
            return False
        return not self._least <= float(amount) / rate / float(weight) <= self._most

    def outweighs(self, parts: Iterable[Decimal | None], whole: Decimal) -> bool:
        """True when the parts that are known weigh more than the whole."""
        return sum((part for part in parts if part is not None), _ZERO) > whole * self._weight

    def differs(self, total: Sum, lines: Sum, count: int) -> bool:
        """True when ``count`` lines do not add up to their total in the same currency."""
        if total[1] != lines[1]:
            return False
        return abs(total[0] - lines[0]) > self.allowed(total[0], count)

    def allowed(self, total: Decimal, count: int) -> Decimal:
        """By how much ``count`` lines together may be off their total."""
        return max(abs(total) * self._value, _CENT * count)


def total(amounts: Iterable[Any], currency: str | None = None) -> Sum | None:
    """The sum of amounts of money; ``None`` unless all are there and in one currency."""
    whole = _ZERO
    for money in amounts:
        if money is None or money.amount is None or money.currency is None:
            return None
        if currency is None:
            currency = money.currency
        elif currency != money.currency:
            return None
        whole += money.amount
    return None if currency is None else (whole, currency)
