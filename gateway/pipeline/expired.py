"""Messages whose time passes while nothing is sent to their destination: their senders are told."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import groupby

from gateway.core.errors import Unavailable
from gateway.core.lanes import LANES
from gateway.core.ports import Clock, Journal
from gateway.core.records import Delivery, Lease, Result, Settlement
from gateway.pipeline.attempt import Buried, Failed, burial, given_up, is_over
from gateway.pipeline.settings import DispatchSettings

_LEAST_S, _MOST_S = 1.0, 60.0


class Expired:
    """Looks from time to time, lane by lane from what is due first.

    A look ends at the first claim with nothing overdue in it: what is due later comes later. It is
    made in steps of one claim: there may be days of messages, and the destination may come back, or
    the process be asked to stop, between any two.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        destination: str,
        settings: DispatchSettings,
        clock: Clock,
        bury: Buried,
        failed: Failed,
    ) -> None:
        self._journal = journal
        self._destination = destination
        self._settings = settings
        self._clock = clock
        self._bury = bury
        self._failed = failed
        self._next: datetime | None = None
        self._lane: int | None = None
        """Of the look that is under way."""

    async def bury(self) -> bool:
        """Bury some of what is overdue, if it is time to look; whether the look goes on.

        Raises ``Unavailable``.
        """
        if self._lane is None:
            longest, now = self._settings.give_up_after, self._clock()
            if not longest or (self._next is not None and self._next > now):
                return False
            self._next = now + timedelta(seconds=min(max(longest / 100, _LEAST_S), _MOST_S))
            self._lane = 0
        if not await self._bury_some(self._lane):
            self._lane = self._lane + 1 if self._lane + 1 < LANES else None
        return self._lane is not None

    async def _bury_some(self, lane: int) -> bool:
        lease = await self._journal.lease(
            self._destination,
            limit=self._settings.batch,
            seconds=self._settings.lease,
            now=self._clock(),
            lanes=(lane,),
        )
        if lease is None:
            return False
        settlements: list[Settlement] = []
        try:
            for _, legs in groupby(lease.deliveries, key=lambda delivery: delivery.key):
                settlements.append(await self._judged(next(legs)))
        finally:
            await self._settle(lease, settlements)
        return any(settlement.result is Result.BURIED for settlement in settlements)

    async def _judged(self, first: Delivery) -> Settlement:
        """Of a key only the first leg: those after it wait behind it."""
        if not is_over(first, self._settings, now=self._clock()):
            return Settlement(delivery=first, result=Result.RETURNED)
        refused = given_up(self._settings, "nothing is sent to the destination")
        try:
            await self._bury(first, refused)
        except Unavailable:
            raise
        except Exception as error:  # a mistake of ours with one message stops no other
            self._failed(first, error)
            return Settlement(delivery=first, result=Result.RETURNED)
        return burial(first, refused)

    async def _settle(self, lease: Lease, settlements: list[Settlement]) -> None:
        await self._journal.settle(lease, settlements, now=self._clock())
