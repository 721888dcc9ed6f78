"""How often one address may ask: a bucket of tokens for each, of a bounded number of addresses."""

from __future__ import annotations

from collections import OrderedDict

import msgspec


class AskingBounds(msgspec.Struct, frozen=True, kw_only=True):
    """What the server of an authority takes on."""

    per_second: float = 50.0
    """Requests per second and address, in the long run; 0: as many as come."""
    burst: int = 200
    """Requests of one address at once."""
    addresses: int = 10_000
    """Addresses that are counted; the one that was quiet longest is forgotten first."""
    connections: int = 1_000
    connections_each: int = 100
    """Of one address."""
    connection_seconds: float = 60.0
    """A connection ends after that, whatever it is doing: what is given out here is small."""


USUAL_BOUNDS = AskingBounds()


class Askers:
    """Counts requests by address. Times are seconds of any steady clock."""

    def __init__(self, bounds: AskingBounds) -> None:
        self._bounds = bounds
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, address: str, *, at: float) -> float:
        """0 when the request may be answered, otherwise how many seconds to wait."""
        bounds = self._bounds
        if bounds.per_second <= 0:
            return 0.0
        tokens, before = self._buckets.pop(address, (float(bounds.burst), at))
        tokens = min(float(bounds.burst), tokens + max(0.0, at - before) * bounds.per_second)
        allowed = tokens >= 1.0
        self._buckets[address] = (tokens - 1.0 if allowed else tokens, at)
        if len(self._buckets) > bounds.addresses:
            self._buckets.popitem(last=False)
        return 0.0 if allowed else (1.0 - tokens) / bounds.per_second
