"""One attempt of one delivery, and what its end means for the message and the destination."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from gateway.core.errors import Refused, Unavailable
from gateway.core.ports import Clock, Destination
from gateway.core.records import Delivery, Result, Settlement
from gateway.pipeline.backoff import pause
from gateway.pipeline.prepare import Prepared
from gateway.pipeline.reach import Reach
from gateway.pipeline.settings import DispatchSettings
from gateway.routing import Endpoint

Buried = Callable[[Delivery, Refused], Awaitable[None]]
"""Called for a message that its destination does not take, before it is buried."""
Failed = Callable[[Delivery, Exception], None]
"""Told of mistakes of ours; the message is tried again, and the others go on."""

EXHAUSTED = "attempts.exhausted"
GIVEN_UP = "delivery.given-up"
FOR_WANT_OF_IT = frozenset({EXHAUSTED, GIVEN_UP})
"""Codes under which messages are buried because of their destination, and not of themselves."""


class Prepares(Protocol):
    """Whoever minimises and encodes: raises ``Refused``, or ``Unavailable``."""

    async def prepare(self, delivery: Delivery, endpoint: Endpoint) -> Prepared:
        """A delivery in the format of where it goes."""


def is_over(delivery: Delivery, settings: DispatchSettings, *, now: datetime) -> bool:
    """Whether the time in which a message is to be delivered has passed."""
    waited = (now - delivery.message.accepted_at).total_seconds()
    return 0 < settings.give_up_after <= waited


def given_up(settings: DispatchSettings, why: str) -> Refused:
    """What is said of a message whose time has passed."""
    return Refused(GIVEN_UP, f"not delivered within {settings.give_up_after:g} s: {why}")


def burial(delivery: Delivery, refused: Refused) -> Settlement:
    """The settlement of a message that is tried no more."""
    faults = (f"{fault.code} {fault.path}".strip() for fault in refused.faults[:20])
    return Settlement(
        delivery=delivery,
        result=Result.BURIED,
        code=refused.code,
        detail="; ".join([refused.detail, *faults]).strip("; "),
    )


class Attempts:
    """Attempts at one destination."""

    def __init__(
        self,
        *,
        destination: Destination,
        endpoint: Endpoint,
        preparer: Prepares,
        settings: DispatchSettings,
        reach: Reach,
        clock: Clock,
        random: Callable[[], float],
        buried: Buried,
        failed: Failed,
    ) -> None:
        self._destination = destination
        self._endpoint = endpoint
        self._preparer = preparer
        self._settings = settings
        self._reach = reach
        self._clock = clock
        self._random = random
        self._buried = buried
        self._failed = failed
        self._delivered = 0

    async def make(self, delivery: Delivery, *, until: datetime) -> Settlement:
        """One attempt; whatever came of it, it has the report of what was encoded for it.

        What is not sent by ``until`` is given back: the lease would end under it.
        """
        prepared: list[Prepared] = []
        try:
            settlement = await self._made(delivery, prepared.append, until)
        except Exception as error:  # also when its sender is to be told
            self._failed(delivery, error)
            settlement = self._retry(delivery, Unavailable("internal"))
        report = prepared[0].report if prepared else None
        if settlement.report is report:
            return settlement
        return msgspec.structs.replace(settlement, report=report)

    async def _made(
        self, delivery: Delivery, keep: Callable[[Prepared], None], until: datetime
    ) -> Settlement:
        before, begun = self._delivered, self._reach.round
        try:
            return await self._try(delivery, begun, keep, until)
        except Unavailable as unavailable:
            return await self._later(delivery, begun, unavailable)
        except TimeoutError:
            # Where others got through meanwhile, it is this message on which the receiver hangs.
            slow = Unavailable(
                f"no answer within {self._settings.timeout:g} s", reached=self._delivered > before
            )
            return await self._later(delivery, begun, slow)
        except Exception as error:
            self._failed(delivery, error)
            # It says nothing about the destination, which may not have been asked.
            return await self._again(delivery, Unavailable("internal", reached=True))

    async def _try(
        self,
        delivery: Delivery,
        begun: int,
        keep: Callable[[Prepared], None],
        until: datetime,
    ) -> Settlement:
        try:
            prepared = await self._preparer.prepare(delivery, self._endpoint)
        except Refused as refused:  # by us: nobody was asked
            return await self._bury(delivery, refused)
        if self._clock() > until:
            return Settlement(delivery=delivery, result=Result.RETURNED)
        keep(prepared)
        try:
            async with asyncio.timeout(self._settings.timeout):
                evidence = await self._destination.deliver(prepared.outgoing)
        except Refused as refused:
            await self._reach.succeeded(begun)
            return await self._bury(delivery, refused)
        self._delivered += 1
        await self._reach.succeeded(begun)
        return Settlement(
            delivery=delivery,
            result=Result.DELIVERED,
            report=prepared.report,
            evidence=evidence,
        )

    async def _bury(self, delivery: Delivery, refused: Refused) -> Settlement:
        """What can not be told now is given back: it is refused again, and told then."""
        try:
            await self._buried(delivery, refused)
        except Unavailable as untold:
            self._reach.rest()
            return Settlement(delivery=delivery, result=Result.RETURNED, detail=untold.reason)
        return burial(delivery, refused)

    async def _later(self, delivery: Delivery, begun: int, unavailable: Unavailable) -> Settlement:
        if unavailable.reached:
            await self._reach.succeeded(begun)
        else:
            await self._reach.failed(begun, unavailable)
        return await self._again(delivery, unavailable)

    async def _again(self, delivery: Delivery, unavailable: Unavailable) -> Settlement:
        """What becomes of the message: given back, tried later, or given up."""
        now = self._clock()
        if is_over(delivery, self._settings, now=now):
            return await self._bury(delivery, given_up(self._settings, unavailable.reason))
        if not unavailable.reached:
            return Settlement(delivery=delivery, result=Result.RETURNED, detail=unavailable.reason)
        tries = delivery.tries + 1
        if tries >= self._settings.attempts:
            exhausted = Refused(EXHAUSTED, f"{tries} attempts: {unavailable.reason}")
            return await self._bury(delivery, exhausted)
        return self._retry(delivery, unavailable)

    def _retry(self, delivery: Delivery, unavailable: Unavailable) -> Settlement:
        return Settlement(
            delivery=delivery,
            result=Result.RETRY,
            detail=unavailable.reason,
            not_before=self._clock() + self._wait(delivery.tries + 1, unavailable.retry_after),
        )

    def _wait(self, tries: int, retry_after: float | None) -> timedelta:
        seconds = pause(
            tries,
            first=self._settings.first_pause,
            longest=self._settings.longest_pause,
            spread=self._random(),
        )
        return timedelta(seconds=max(seconds, retry_after or 0))
