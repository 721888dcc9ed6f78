"""What was buried for want of its destination is set free when the destination is back.

One node does it, in steps that are one transaction each; what somebody sets free by hand meanwhile
is left as it is. What is buried after the destination came back stays buried.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from gateway.core.deliveries import Act, Chosen, Deed
from gateway.core.destinations import replayed, replaying
from gateway.core.errors import Unavailable
from gateway.core.ports import Clock, Journal
from gateway.core.records import LegState
from gateway.pipeline.attempt import FOR_WANT_OF_IT
from gateway.pipeline.switchboard import Switchboard

LEASE_S = 60.0
"""For which one node has the right to replay; it asks again before every step."""
DEED = Deed(act=Act.RETRY, by="luxor", reason="the destination is back", automatic=True)


class Replaying:
    """Replays of one destination."""

    def __init__(
        self, *, journal: Journal, board: Switchboard, destination: str, clock: Clock
    ) -> None:
        self._journal = journal
        self._board = board
        self._destination = destination
        self._clock = clock
        self._running = False

    @property
    def is_due(self) -> bool:
        """Whether there is anything to replay, and this node may ask to be the one that does it."""
        standing = self._board.of(self._destination)
        if self._running or standing.replay_before is None:
            return False
        other = standing.replayer not in ("", self._board.node)
        return not (other and (standing.replay_until or self._clock()) > self._clock())

    async def run(self, stopping: asyncio.Event) -> None:
        """Set free what is to be, unless another node does; may be broken off and begun again."""
        self._running = True
        try:
            before = await self._mine()
            if before is not None and await self._replay(before, stopping):
                step = replayed(node=self._board.node, before=before)
                await self._board.change(self._destination, step)
        except Unavailable:
            return  # it is still noted that there is something to replay
        finally:
            self._running = False

    async def _mine(self) -> datetime | None:
        """Until when what was buried is to be set free, by this node."""
        now = self._clock()
        step = replaying(node=self._board.node, until=now + timedelta(seconds=LEASE_S), now=now)
        standing = await self._board.change(self._destination, step)
        return standing.replay_before if standing.replayer == self._board.node else None

    async def _replay(self, before: datetime, stopping: asyncio.Event) -> bool:
        for code in sorted(FOR_WANT_OF_IT):
            chosen = Chosen(
                destination=self._destination,
                states=frozenset({LegState.BURIED}),
                until=before,
                code=code,
            )
            after: str | None = None
            while True:
                if stopping.is_set() or await self._mine() != before:
                    return False
                acted = await self._journal.deliveries.act(
                    chosen, DEED, now=self._clock(), after=after
                )
                after = acted.next
                if after is None:
                    break
        return True
