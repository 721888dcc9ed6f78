"""The outbound half for one destination: lease → minimise → encode → deliver → settle.

At least once: what was sent and not settled before a crash is sent again under the same message
id. A destination that can not be reached costs its messages nothing: their leases are given back
and the destination is left alone for a while.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from itertools import groupby

import msgspec

from gateway.core.errors import Refused, Unavailable
from gateway.core.ports import Clock, Destination, Journal
from gateway.core.records import Delivery, Lease, Result, Settlement
from gateway.pipeline.backoff import pause
from gateway.pipeline.bell import Bell
from gateway.pipeline.prepare import Prepared, Preparer
from gateway.pipeline.settings import DispatchSettings
from gateway.routing import Endpoint

Buried = Callable[[Delivery, Refused], Awaitable[None]]
"""Called for a message that its destination will never take, after it was buried."""
Observe = Callable[[Settlement], None]
"""Told of every attempt."""
Failed = Callable[[Delivery, Exception], None]
"""Told of mistakes of ours; the message is tried again, and the others go on."""


_NOT_REACHED = frozenset({"agreement.none", "permission.receive"})
"""Codes of refusals that are our own: they say nothing about the destination."""


class Outage(msgspec.Struct, frozen=True):
    """Since when a destination can not be reached, and until when it is left alone."""

    failures: int
    until: datetime


class Dispatcher:
    """Delivers what waits for one destination, until stopped."""

    def __init__(
        self,
        *,
        journal: Journal,
        destination: Destination,
        endpoint: Endpoint,
        preparer: Preparer,
        settings: DispatchSettings,
        bell: Bell,
        clock: Clock,
        random: Callable[[], float],
        buried: Buried,
        observe: Observe,
        failed: Failed,
    ) -> None:
        self._journal = journal
        self._destination = destination
        self._endpoint = endpoint
        self._preparer = preparer
        self._settings = settings
        self._bell = bell
        self._clock = clock
        self._random = random
        self._buried = buried
        self._observe = observe
        self._failed = failed
        self._slots = asyncio.Semaphore(settings.in_flight)
        self._outage: Outage | None = None
        self._delivered = 0
        self._stopping = asyncio.Event()

    @property
    def outage(self) -> Outage | None:
        """Set while the destination can not be reached."""
        return self._outage

    async def run(self) -> None:
        """Work until :meth:`stop`; what is under way then is finished and settled."""
        while not self._stopping.is_set():
            if self._outage is not None and not await self._waited_out(self._outage):
                return
            lease = await self._lease()
            if lease is None:
                await self._bell.wait(self._endpoint.id, seconds=self._settings.idle)
                continue
            await self._work(lease)

    def stop(self) -> None:
        """Begin no further lease."""
        self._stopping.set()
        self._bell.ring((self._endpoint.id,))

    async def _lease(self) -> Lease | None:
        # After an outage two keys show whether the destination is back: were it one, a message on
        # which the receiver hangs would be asked for again and again, and hold all others.
        limit = 2 if self._outage is not None else self._settings.batch
        try:
            return await self._journal.lease(
                self._endpoint.id, limit=limit, seconds=self._settings.lease, now=self._clock()
            )
        except Unavailable:
            await asyncio.sleep(self._settings.idle)
            return None

    async def _waited_out(self, outage: Outage) -> bool:
        seconds = (outage.until - self._clock()).total_seconds()
        try:
            async with asyncio.timeout(max(seconds, 0)):
                await self._stopping.wait()
        except TimeoutError:
            return True
        return False

    async def _work(self, lease: Lease) -> None:
        """Deliver a lease: keys side by side, the legs of one key one after the other."""
        settlements: list[Settlement] = []
        try:
            async with asyncio.TaskGroup() as group:
                for _, legs in groupby(lease.deliveries, key=lambda delivery: delivery.key):
                    group.create_task(self._deliver_key(lease, tuple(legs), settlements))
        finally:
            await asyncio.shield(self._settle(lease, settlements))

    async def _settle(self, lease: Lease, settlements: list[Settlement]) -> None:
        """Settle, then say what was buried: a notice never goes before its settlement."""
        if not settlements:
            return
        try:
            await self._journal.settle(lease, settlements, now=self._clock())
        except Unavailable:
            return  # the lease runs out and everything in it is delivered again
        for settlement in settlements:
            self._observe(settlement)

    async def _deliver_key(
        self, lease: Lease, legs: Iterable[Delivery], settlements: list[Settlement]
    ) -> None:
        for delivery in legs:
            async with self._slots:
                if self._is_over(lease) or self._is_unreachable():
                    settlement = Settlement(delivery=delivery, result=Result.RETURNED)
                else:
                    settlement = await self._attempt(delivery)
            settlements.append(settlement)
            if settlement.result is not Result.DELIVERED:
                return

    def _is_over(self, lease: Lease) -> bool:
        left = (lease.until - self._clock()).total_seconds()
        return left < self._settings.timeout or self._stopping.is_set()

    def _is_unreachable(self) -> bool:
        return self._outage is not None and self._outage.until > self._clock()

    async def _attempt(self, delivery: Delivery) -> Settlement:
        """One attempt; whatever came of it, it has the report of what was encoded for it."""
        before = self._delivered
        prepared: list[Prepared] = []
        try:
            settlement = await self._try(delivery, prepared.append)
        except Unavailable as unavailable:
            settlement = await self._later(delivery, unavailable)
        except TimeoutError:
            # Where others got through meanwhile, it is this message on which the receiver hangs.
            slow = Unavailable(
                f"no answer within {self._settings.timeout:g} s", reached=self._delivered > before
            )
            settlement = await self._later(delivery, slow)
        except Exception as error:
            self._failed(delivery, error)
            settlement = await self._later(delivery, Unavailable("internal", reached=True))
        report = prepared[0].report if prepared else None
        return msgspec.structs.replace(settlement, report=report)

    async def _try(self, delivery: Delivery, keep: Callable[[Prepared], None]) -> Settlement:
        try:
            prepared = await self._preparer.prepare(delivery, self._endpoint)
            keep(prepared)
            async with asyncio.timeout(self._settings.timeout):
                evidence = await self._destination.deliver(prepared.outgoing)
        except Refused as refused:
            self._outage = None if refused.code not in _NOT_REACHED else self._outage
            return await self._bury(delivery, refused)
        self._outage = None
        self._delivered += 1
        return Settlement(delivery=delivery, result=Result.DELIVERED, evidence=evidence)

    async def _bury(self, delivery: Delivery, refused: Refused) -> Settlement:
        await self._buried(delivery, refused)
        return Settlement(
            delivery=delivery,
            result=Result.BURIED,
            code=refused.code,
            detail="; ".join(
                [refused.detail, *(f"{f.code} {f.path}".strip() for f in refused.faults[:20])]
            ).strip("; "),
        )

    async def _later(self, delivery: Delivery, unavailable: Unavailable) -> Settlement:
        now = self._clock()
        if not unavailable.reached:
            failures = 1 if self._outage is None else self._outage.failures + 1
            until = now + self._wait(failures, unavailable.retry_after)
            if not self._is_unreachable():  # deliveries side by side fail together: count once
                self._outage = Outage(failures, until)
            return Settlement(delivery=delivery, result=Result.RETURNED, detail=unavailable.reason)
        tries = delivery.tries + 1
        if tries >= self._settings.attempts:
            return await self._bury(
                delivery, Refused("attempts.exhausted", f"{tries} attempts: {unavailable.reason}")
            )
        return Settlement(
            delivery=delivery,
            result=Result.RETRY,
            detail=unavailable.reason,
            not_before=now + self._wait(tries, unavailable.retry_after),
        )

    def _wait(self, failures: int, retry_after: float | None) -> timedelta:
        seconds = pause(
            failures,
            first=self._settings.first_pause,
            longest=self._settings.longest_pause,
            spread=self._random(),
        )
        return timedelta(seconds=max(seconds, retry_after or 0))
