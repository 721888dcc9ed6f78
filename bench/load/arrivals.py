"""When requests are due: seconds after the start, in order."""

from __future__ import annotations

from array import array
from random import Random
from typing import Literal

Arrivals = Literal["poisson", "even"]
"""``poisson``: independent senders, with the bursts that they make; ``even``: one each interval."""


def due(
    rate: float, seconds: float, *, arrivals: Arrivals = "poisson", seed: int | str = 7
) -> array[float]:
    """The times of so long a run at so many a second; the same for the same seed."""
    if rate <= 0 or seconds <= 0:
        raise ValueError("a rate and a time are above 0")
    if arrivals == "even":
        return array("d", (number / rate for number in range(max(1, round(rate * seconds)))))
    chance = Random(seed)
    times = array("d")
    now = chance.expovariate(rate)
    while now < seconds or not times:
        times.append(min(now, seconds))
        now += chance.expovariate(rate)
    return times
