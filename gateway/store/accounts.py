"""What settlements say of each key, and where its head stands after them: rules of all stores."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

import msgspec

from gateway.core.records import Lease, Result, Settlement
from gateway.store.leaf import microseconds

READY, LEASED, WAITING, HELD = range(4)
"""What a head waits for, as ``head.state`` has it."""
_DONE = frozenset({Result.DELIVERED, Result.SKIPPED})


class Account(msgspec.Struct):
    """What the settlements say of one key: legs that are gone, and what ends its lease early."""

    done: list[int]
    stopped: Settlement | None = None


class Move(NamedTuple):
    """The new state of a head that has legs left.

    ``last`` is the last leg of its lease, ``tried`` whether its first leg has one try more.
    """

    state: int
    wake: int
    token: str
    last: int
    tried: bool


def by_key(settlements: Iterable[Settlement]) -> dict[int, Account]:
    """Settlements of one lease, taken together for each key."""
    accounts: dict[int, Account] = {}
    for settlement in sorted(settlements, key=lambda s: s.delivery.seq):
        account = accounts.setdefault(settlement.delivery.key, Account([]))
        if settlement.result in _DONE:
            account.done.append(settlement.delivery.seq)
        elif account.stopped is None:
            account.stopped = settlement
    return accounts


def moved(lease: Lease, stopped: Settlement | None, *, seq: int, last: int, now: datetime) -> Move:
    """Where a head goes whose first unsettled leg is ``seq``; ``last`` is the lease's last leg.

    What was to be returned, retried or buried while a leg before it is unsettled comes again after
    that one, which stays under its lease: whoever has it may still settle it. What is said of a leg
    that is gone already changes nothing.
    """
    if stopped is None or stopped.delivery.seq != seq:
        if stopped is not None and stopped.delivery.seq > seq:
            last = min(last, stopped.delivery.seq - 1)
        if seq <= last:
            return Move(LEASED, microseconds(lease.until), lease.token, last, tried=False)
    elif stopped.result is Result.RETRY:
        return Move(WAITING, microseconds(stopped.not_before or now), "", last, tried=True)
    elif stopped.result is Result.BURIED:
        return Move(HELD, 0, "", last, tried=True)
    return Move(READY, 0, "", last, tried=False)
