"""Inboxes: deliveries that a party fetches itself. The cursor is the acknowledgement.

An inbox is a destination like any other; a page is a lease. Asking again without acknowledging
returns the same page; what is never acknowledged comes back when its lease is over.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import timedelta

from gateway.core.errors import Refused, Unavailable
from gateway.core.identifiers import MessageId
from gateway.core.ports import Clock, Journal
from gateway.core.records import Delivery, Lease, Result, Settlement
from gateway.core.reports import Report
from gateway.pipeline.bell import Bell
from gateway.pipeline.outbound import Buried, Failed, Observe
from gateway.pipeline.prepare import Prepared, Preparer
from gateway.pipeline.service import InboxMessage, InboxPage
from gateway.pipeline.settings import DispatchSettings
from gateway.routing import INBOX, Endpoint, Endpoints
from translators.translator import FormatId
from trust.identity import PartyId

Sign = Callable[[bytes, MessageId, FormatId, PartyId], Awaitable[str]]
"""Signs content for a receiver: content, id, format, audience → detached JWS."""

_OF_THE_FORMAT = frozenset({"translation.failed", "permission.receive"})
"""Codes that another format may not meet."""
MAX_PAGE = 1_000
MAX_REPORTS = 20_000
"""Reports of served messages that wait in memory for the acknowledgement."""


class Inboxes:
    """All inboxes of a gateway."""

    def __init__(
        self,
        *,
        journal: Journal,
        preparer: Preparer,
        endpoints: Callable[[], Endpoints],
        spoken: Callable[[PartyId], Sequence[FormatId]],
        sign: Sign,
        settings: Callable[[], DispatchSettings],
        bell: Bell,
        clock: Clock,
        buried: Buried,
        observe: Observe,
        failed: Failed,
    ) -> None:
        self._journal = journal
        self._preparer = preparer
        self._endpoints = endpoints
        self._spoken = spoken
        self._sign = sign
        self._settings = settings
        self._bell = bell
        self._clock = clock
        self._buried = buried
        self._observe = observe
        self._failed = failed
        self._pages: dict[PartyId, str] = {}
        self._reports: dict[tuple[str, MessageId], Report] = {}

    async def page(
        self, party: PartyId, *, limit: int, wait: float, format_id: FormatId | None
    ) -> InboxPage:
        """The party's open page again, else the next one; empty after ``wait`` seconds."""
        destination = INBOX + party
        token = self._pages.get(party)
        lease = None if token is None else await self._journal.held(destination, token)
        if lease is None:
            lease = await self._next(destination, limit=min(limit, MAX_PAGE), wait=wait)
        if lease is None:
            return InboxPage(cursor=None, messages=())
        self._pages[party] = lease.token
        messages = await self._served(party, lease, format_id)
        return InboxPage(cursor=lease.token if messages else None, messages=messages)

    async def _next(self, destination: str, *, limit: int, wait: float) -> Lease | None:
        until = asyncio.get_running_loop().time() + wait
        while True:
            lease = await self._journal.lease(
                destination,
                limit=limit,
                seconds=self._settings().inbox_lease,
                now=self._clock(),
                legs=limit,
                lasting=True,
            )
            left = until - asyncio.get_running_loop().time()
            if lease is not None or left <= 0:
                return lease
            await self._bell.wait(destination, seconds=min(left, self._settings().idle))

    async def _served(
        self, party: PartyId, lease: Lease, format_id: FormatId | None
    ) -> tuple[InboxMessage, ...]:
        """The messages of a lease, encoded; what can not be encoded is buried at once."""
        endpoint = self._endpoints().inbox(party)
        served, stopped = [], set[int]()
        for delivery in lease.deliveries:
            if delivery.key in stopped:
                continue
            try:
                prepared = await self._prepared(
                    delivery, endpoint, (format_id, *self._spoken(party))
                )
            except Refused as refused:
                stopped.add(delivery.key)
                await self._buried(delivery, refused)
                await self._settle(lease, [_settlement(delivery, Result.BURIED, refused)])
                continue
            except Unavailable:
                raise
            except Exception as error:  # a mistake of ours hides this message, not the others
                stopped.add(delivery.key)
                self._failed(delivery, error)
                await self._settle(lease, [self._retry(delivery)])
                continue
            outgoing = prepared.outgoing
            self._remember(lease, prepared)
            served.append(
                InboxMessage(
                    message_id=outgoing.message_id,
                    kind=outgoing.kind,
                    format=outgoing.format,
                    content=outgoing.content,
                    accepted_at=delivery.message.accepted_at,
                    signature=await self._sign(
                        outgoing.content, outgoing.message_id, outgoing.format, party
                    ),
                )
            )
        return tuple(served)

    def _remember(self, lease: Lease, prepared: Prepared) -> None:
        self._reports[lease.token, prepared.outgoing.message_id] = prepared.report
        while len(self._reports) > MAX_REPORTS:
            del self._reports[next(iter(self._reports))]

    def _report(self, cursor: str, delivery: Delivery, endpoint: Endpoint) -> Report | None:
        """What was served under that cursor; after a restart only what is withheld is known."""
        told = self._reports.pop((cursor, delivery.message.message_id), None)
        return told or self._preparer.withheld(delivery, endpoint)

    async def _prepared(
        self, delivery: Delivery, endpoint: Endpoint, wishes: Sequence[FormatId | None]
    ) -> Prepared:
        """In the first of the wishes that can carry the message, otherwise in the inbox's format.

        One that the party may not receive is passed over too. A wish buries nothing: the inbox's
        own format can carry every message.
        """
        for wish in wishes:
            if wish is None:
                continue
            try:
                return await self._preparer.prepare(delivery, endpoint, format_id=wish)
            except Refused as refused:
                if refused.code not in _OF_THE_FORMAT:
                    raise
        return await self._preparer.prepare(delivery, endpoint)

    def _retry(self, delivery: Delivery) -> Settlement:
        pause = timedelta(seconds=self._settings().longest_pause)
        return Settlement(
            delivery=delivery,
            result=Result.RETRY,
            detail="internal",
            not_before=self._clock() + pause,
        )

    async def acknowledge(
        self, party: PartyId, cursor: str, message_ids: Sequence[MessageId] | None
    ) -> int:
        """Settle what a page held; raises ``Refused("inbox.cursor")`` when it is over."""
        lease = await self._journal.held(INBOX + party, cursor)
        if lease is None:
            raise Refused("inbox.cursor")
        named = None if message_ids is None else frozenset(message_ids)
        endpoint = self._endpoints().inbox(party)
        settlements, stopped = [], set[int]()
        for delivery in lease.deliveries:
            if delivery.key in stopped:
                continue
            if named is None or delivery.message.message_id in named:
                settlements.append(
                    Settlement(
                        delivery=delivery,
                        result=Result.DELIVERED,
                        report=self._report(cursor, delivery, endpoint),
                    )
                )
            else:  # legs of one key are settled in order
                stopped.add(delivery.key)
        await self._settle(lease, settlements)
        return len(settlements)

    async def _settle(self, lease: Lease, settlements: Sequence[Settlement]) -> None:
        if not settlements:
            return
        await self._journal.settle(lease, settlements, now=self._clock())
        for settlement in settlements:
            self._observe(settlement)

    async def subscribe(
        self, party: PartyId, *, format_id: FormatId | None, max_in_flight: int
    ) -> AsyncIterator[tuple[str, InboxMessage]]:
        """Messages as they come, each with its cursor; what was not acknowledged is given back."""
        destination, leases = INBOX + party, dict[str, Lease]()
        try:
            while True:
                leases = await self._open(destination, leases)
                room = max_in_flight - sum(len(lease.deliveries) for lease in leases.values())
                lease = None if room <= 0 else await self._next(destination, limit=room, wait=0)
                if lease is None:
                    await self._bell.wait(destination, seconds=self._settings().idle)
                    continue
                leases[lease.token] = lease
                for message in await self._served(party, lease, format_id):
                    yield lease.token, message
        finally:
            await asyncio.shield(self._give_back(destination, leases))

    async def _open(self, destination: str, leases: dict[str, Lease]) -> dict[str, Lease]:
        held = {token: await self._journal.held(destination, token) for token in leases}
        return {token: lease for token, lease in held.items() if lease is not None}

    async def _give_back(self, destination: str, leases: dict[str, Lease]) -> None:
        for lease in (await self._open(destination, leases)).values():
            first = {delivery.key: delivery for delivery in reversed(lease.deliveries)}
            await self._settle(
                lease, [_settlement(delivery, Result.RETURNED) for delivery in first.values()]
            )


def _settlement(delivery: Delivery, result: Result, refused: Refused | None = None) -> Settlement:
    if refused is None:
        return Settlement(delivery=delivery, result=result)
    return Settlement(delivery=delivery, result=result, code=refused.code, detail=refused.detail)
