"""Whether one destination can be reached: failures in a row, and what follows from them.

Deliveries that were under way together fail together, so they count once: a failure counts if its
delivery had begun after the one that was counted last.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import Enum

from gateway.core.destinations import (
    Breaker,
    Standing,
    closed,
    may_probe,
    opened,
    probing,
    yielded,
)
from gateway.core.errors import Unavailable
from gateway.core.ports import Clock
from gateway.pipeline.backoff import pause
from gateway.pipeline.settings import DispatchSettings
from gateway.pipeline.switchboard import Switchboard


class Pace(Enum):
    """What may be sent to a destination now."""

    NOTHING = 0
    ASK = 1
    """A few deliveries, if this node is given the right to probe."""
    FEW = 2
    """A few, to see whether it is back."""
    ALL = 3


class Reach:
    """One destination as one dispatcher sees it, beside how it stands for all nodes."""

    def __init__(
        self,
        board: Switchboard,
        destination: str,
        *,
        settings: DispatchSettings,
        clock: Clock,
        random: Callable[[], float],
    ) -> None:
        self._board = board
        self._destination = destination
        self._settings = settings
        self._clock = clock
        self._random = random
        self._failures = 0
        self._rest: datetime | None = None
        self.round = 0
        """Of whatever begins now; a delivery's end is told with the round in which it began."""

    @property
    def standing(self) -> Standing:
        """How the destination stands for all nodes."""
        return self._board.of(self._destination)

    @property
    def pace(self) -> Pace:
        """What may be sent now."""
        standing, now = self.standing, self._clock()
        if not standing.on:
            return Pace.NOTHING
        if standing.breaker is Breaker.OPEN:
            return Pace.ASK if (standing.open_until or now) <= now else Pace.NOTHING
        if standing.breaker is Breaker.HALF_OPEN:
            if standing.prober == self._board.node:
                return Pace.FEW
            return Pace.ASK if (standing.probe_until or now) <= now else Pace.NOTHING
        if self._rest is None:
            return Pace.ALL
        return Pace.FEW if self._rest <= now else Pace.NOTHING

    @property
    def sends(self) -> bool:
        """Whether what was claimed may be sent."""
        return self.pace in (Pace.FEW, Pace.ALL)

    @property
    def next_look(self) -> float:
        """Seconds until the pace may be another by time alone; at most until the next ring."""
        standing, now = self.standing, self._clock()
        times = [standing.open_until, standing.probe_until, self._rest]
        ahead = [(time - now).total_seconds() for time in times if time is not None and time > now]
        return min([*ahead, self._settings.idle])

    async def may_probe(self) -> bool:
        """Whether this node may send a few deliveries now; of several nodes one may."""
        if self.standing.breaker is Breaker.CLOSED:
            return self.pace is Pace.FEW
        now = self._clock()
        until = now + timedelta(seconds=self._settings.lease)
        step = probing(node=self._board.node, until=until, now=now)
        return may_probe(await self._board.change(self._destination, step), self._board.node)

    async def failed(self, begun: int, unavailable: Unavailable) -> None:
        """A delivery of that round did not reach the destination."""
        if begun != self.round:
            return
        self.round += 1
        self._failures += 1
        known = self.standing
        failures = max(self._failures, known.failures + 1)
        until = self._clock() + self.pause(failures, unavailable.retry_after)
        self._rest = until
        enough = self._failures >= self._settings.breaker.failures
        if enough or unavailable.retry_after or known.breaker is not Breaker.CLOSED:
            step = opened(
                node=self._board.node,
                failures=failures,
                until=until,
                reason=unavailable.reason,
                now=self._clock(),
            )
            await self._board.change(self._destination, step)

    async def succeeded(self, begun: int) -> None:
        """The destination has answered a delivery of that round."""
        self._failures, self._rest = 0, None
        if begun == self.round and may_probe(self.standing, self._board.node):
            step = closed(
                node=self._board.node,
                replay=self._settings.breaker.replay,
                now=self._clock(),
            )
            await self._board.change(self._destination, step)

    def rest(self) -> None:
        """Leave it alone for a moment, for a reason that lies with us."""
        self._rest = self._clock() + self.pause(1, None)

    async def leave(self) -> None:
        """Give up what was asked for: another node may probe at once."""
        if may_probe(self.standing, self._board.node):
            step = yielded(node=self._board.node, now=self._clock())
            await self._board.change(self._destination, step)

    def pause(self, failures: int, retry_after: float | None) -> timedelta:
        """How long to leave it alone after so many failures, or as long as it has said."""
        breaker = self._settings.breaker
        seconds = pause(
            failures,
            first=breaker.first_pause,
            longest=breaker.longest_pause,
            spread=self._random(),
        )
        return timedelta(seconds=max(seconds, retry_after or 0))
