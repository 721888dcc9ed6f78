"""Whether something stays as it is over a long run, by a rule that is stated.

The first tenth is left out: caches fill, and what is bounded grows to its bound. What is left is
cut into thirds, and the median of the last is compared with the median of the first: one bad
moment decides nothing, and what creeps is seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import msgspec

WARM_SHARE = 0.1
LEAST = 4
"""Samples without which nothing is said: one to leave out, one for each third."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What the first third of a run was like, and the last."""

    first: float
    last: float

    @property
    def ratio(self) -> float:
        """1 when nothing changed; of nothing, nothing is 1."""
        if not self.first:
            return 1.0 if not self.last else float("inf")
        return self.last / self.first

    @property
    def growth(self) -> float:
        """In the unit of the values."""
        return self.last - self.first


def change(values: Sequence[float]) -> Change:
    """From the first third to the last; raises ``ValueError`` for less than `LEAST` values."""
    if len(values) < LEAST:
        raise ValueError(f"{len(values)} samples say nothing; at least {LEAST} do")
    warm = max(1, round(len(values) * WARM_SHARE))
    kept = values[warm:]
    third = max(1, len(kept) // 3)
    return Change(first=median(kept[:third]), last=median(kept[-third:]))
