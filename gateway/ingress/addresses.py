"""Who connects too often or too much, before anybody knows who it is: by network address.

What is held is bounded by the open connections and by ``MAX_KNOWN``, never by how many strangers
there are. An address is an IPv4 address or the /64 of an IPv6 one (RFC 6177: a site has as many of
the rest as it likes).
"""

from __future__ import annotations

import ipaddress
from collections import Counter, OrderedDict

from gateway.core.bucket import Bucket, Rate, draw

MAX_KNOWN = 4_096
"""Addresses whose rate is known; beyond that, who has not come for longest is forgotten."""


class Addresses:
    """Counts connections and their beginnings by address; for one event loop."""

    def __init__(self, *, connections: int, rate: Rate) -> None:
        """At most so many ``connections`` at once and begun at that ``rate``, from each."""
        self._connections = connections
        self._rate = rate
        self._open: Counter[str] = Counter()
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def __len__(self) -> int:
        """How many addresses something is known of."""
        return len(self._open.keys() | self._buckets.keys())

    def enter(self, address: str, *, now: float) -> bool:
        """Whether a connection from there may begin; each yes needs a ``leave``."""
        site = site_of(address)
        if self._open[site] >= self._connections:
            return False
        bucket, drawn = draw(self._buckets.pop(site, None), want=1, rate=self._rate, now=now)
        self._buckets[site] = bucket
        if len(self._buckets) > MAX_KNOWN:
            self._buckets.popitem(last=False)
        if not drawn.granted:
            return False
        self._open[site] += 1
        return True

    def leave(self, address: str) -> None:
        """A connection from there is over."""
        site = site_of(address)
        self._open[site] -= 1
        if self._open[site] <= 0:
            del self._open[site]


def site_of(address: str) -> str:
    """What counts as one address."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:  # no internet address: a socket of the same machine
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((int(parsed), 64), strict=False))
