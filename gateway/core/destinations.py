"""How destinations stand: switch and breaker, shared by all processes and nodes on a journal.

Pure: each step leads from one standing to the next, and a store makes a step in one transaction,
so that of several nodes one opens a breaker, one probes and one closes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

LONGEST_REASON = 200


class Breaker(StrEnum):
    """Whether deliveries to a destination are tried."""

    CLOSED = "closed"
    OPEN = "open"
    """It could not be reached several times in a row, and is left alone until a time."""
    HALF_OPEN = "half-open"
    """One node tries a few deliveries, to see whether it is back."""


class Standing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How one destination stands; as it is here without anything, where nothing was ever changed.

    ``since`` is when it became closed, or when it was first found unreachable; ``reason`` is why
    it was left alone last.
    """

    id: str
    on: bool = True
    switched_at: datetime | None = None
    switched_by: str = ""
    switch_reason: str = ""
    breaker: Breaker = Breaker.CLOSED
    since: datetime | None = None
    failures: int = 0
    """In a row; probes count one each."""
    open_until: datetime | None = None
    reason: str = ""
    prober: str = ""
    """The node that may probe while it is half-open."""
    probe_until: datetime | None = None
    replay_before: datetime | None = None
    """Set while what was buried before then, for want of the destination, is to be set free."""
    replayer: str = ""
    """The node that sets it free."""
    replay_until: datetime | None = None

    @property
    def delivers(self) -> bool:
        """True when everything that waits may be sent."""
        return self.on and self.breaker is Breaker.CLOSED


Step = Callable[[Standing], Standing]
"""From how a destination stands to how it stands next; the same value: nothing is changed."""


class Change(msgspec.Struct, frozen=True):
    """What a step has changed; both are equal when nothing was."""

    before: Standing
    after: Standing


class LaneBacklog(msgspec.Struct, frozen=True, kw_only=True):
    """Unsettled keys of one destination and lane; ``oldest`` was accepted then.

    ``next_try`` is the nearest time at which something that waits is tried again.
    """

    destination: str
    lane: int
    ready: int = 0
    leased: int = 0
    waiting: int = 0
    held: int = 0
    oldest: datetime | None = None
    next_try: datetime | None = None


class Destinations(Protocol):
    """What a store keeps of destinations."""

    async def all(self) -> Mapping[str, Standing]:
        """Every destination of which something was ever changed, by its id."""

    async def change(self, destination: str, step: Step) -> Change:
        """Make a step in one transaction; it may be called more than once, so it is pure."""

    async def lanes(self) -> tuple[LaneBacklog, ...]:
        """Unsettled keys by destination and lane. Reads the whole queue."""


def switched(*, on: bool, by: str, reason: str, now: datetime) -> Step:
    """By hand. Switching on makes an open breaker try at once. Raises ``ValueError``."""
    for text in (by, reason):
        if not 0 < len(text) <= LONGEST_REASON or not text.isprintable():
            raise ValueError(f"a reason of 1 to {LONGEST_REASON} printable characters is needed")

    def step(standing: Standing) -> Standing:
        is_open = standing.breaker is Breaker.OPEN
        return msgspec.structs.replace(
            standing,
            on=on,
            switched_at=now,
            switched_by=by,
            switch_reason=reason,
            open_until=now if on and is_open else standing.open_until,
        )

    return step


def opened(*, node: str, failures: int, until: datetime, reason: str, now: datetime) -> Step:
    """It can not be reached, says a node.

    Where it is left alone already, only who probes it has anything new to say.
    """

    def step(standing: Standing) -> Standing:
        if standing.breaker is Breaker.OPEN:
            return standing
        if standing.breaker is Breaker.HALF_OPEN and standing.prober != node:
            return standing
        closed = standing.breaker is Breaker.CLOSED
        return msgspec.structs.replace(
            standing,
            breaker=Breaker.OPEN,
            since=now if closed else standing.since,
            failures=failures if closed else standing.failures + 1,
            open_until=until,
            reason=reason[:LONGEST_REASON],
            prober="",
            probe_until=None,
        )

    return step


def probing(*, node: str, until: datetime, now: datetime) -> Step:
    """Ask for the right to probe. It was given if the node is the prober afterwards.

    A right that its node did not use until its end passes to who asks next.
    """

    def step(standing: Standing) -> Standing:
        due = standing.breaker is Breaker.OPEN and (standing.open_until or now) <= now
        abandoned = standing.breaker is Breaker.HALF_OPEN and (standing.probe_until or now) <= now
        if not (due or abandoned or may_probe(standing, node)):
            return standing
        return msgspec.structs.replace(
            standing, breaker=Breaker.HALF_OPEN, prober=node, probe_until=until
        )

    return step


def may_probe(standing: Standing, node: str) -> bool:
    """Whether a node has the right to probe."""
    return standing.breaker is Breaker.HALF_OPEN and standing.prober == node


def closed(*, node: str, replay: bool, now: datetime) -> Step:
    """It is back, says the node that probes; with ``replay`` what it missed is to be set free."""

    def step(standing: Standing) -> Standing:
        if not may_probe(standing, node):
            return standing
        return msgspec.structs.replace(
            standing,
            breaker=Breaker.CLOSED,
            since=now,
            failures=0,
            open_until=None,
            reason="",
            prober="",
            probe_until=None,
            replay_before=now if replay else standing.replay_before,
        )

    return step


def yielded(*, node: str, now: datetime) -> Step:
    """A node that stops gives up its right to probe: the next one need not wait for its end."""

    def step(standing: Standing) -> Standing:
        if not may_probe(standing, node):
            return standing
        return msgspec.structs.replace(
            standing, breaker=Breaker.OPEN, open_until=now, prober="", probe_until=None
        )

    return step


def replaying(*, node: str, until: datetime, now: datetime) -> Step:
    """Ask to be the one that sets free what was buried; or go on with it, until a later time."""

    def step(standing: Standing) -> Standing:
        taken = standing.replayer not in ("", node) and (standing.replay_until or now) > now
        if standing.replay_before is None or taken:
            return standing
        return msgspec.structs.replace(standing, replayer=node, replay_until=until)

    return step


def replayed(*, node: str, before: datetime) -> Step:
    """A node has set free what was buried before then, or gives up doing so if there is more."""

    def step(standing: Standing) -> Standing:
        if standing.replayer != node:
            return standing
        over = standing.replay_before == before
        return msgspec.structs.replace(
            standing,
            replay_before=None if over else standing.replay_before,
            replayer="",
            replay_until=None,
        )

    return step
