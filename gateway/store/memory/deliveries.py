"""Unsettled legs for an operator, on the plain lists of the memory journal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime

import msgspec

from gateway.core.deliveries import (
    AT_ONCE,
    RESULTS,
    TIMED,
    Act,
    Acted,
    Chosen,
    Deed,
    LeftOut,
    Page,
    Position,
    Recorded,
    Shown,
    Touched,
    Unsettled,
    Why,
    hindrance,
    state_of,
)
from gateway.core.identifiers import MessageId
from gateway.core.records import Attempt, LegState, StoredMessage
from gateway.store.memory.queue import Head, Outbox, Place, Queue, QueuedLeg
from gateway.store.memory.standing import Attempts, Kept, standing
from gateway.store.paging import Window, paging, position

PROCESS = "memory"


class MemoryDeliveries:
    """A :class:`gateway.core.deliveries.Deliveries` over the journal's own dictionaries and lists.

    ``touched`` is told who has got work, ``dropped`` what will never be delivered where.
    """

    def __init__(
        self,
        messages: Mapping[Place, Kept],
        attempts: Attempts,
        outbox: Outbox,
        *,
        touched: Callable[[Iterable[str]], None],
        dropped: Callable[[str, Iterable[Place]], None],
    ) -> None:
        self._messages = messages
        self._attempts = attempts
        self._outbox = outbox
        self._touched = touched
        self._dropped = dropped

    async def page(self, chosen: Chosen, *, after: str | None = None, limit: int = 100) -> Page:
        """See the protocol."""
        start = position(after, chosen)
        held = chosen.states == {LegState.BURIED} and chosen.message is None and chosen.key is None
        order = _by_acceptance if held else _by_key
        legs = sorted(self._unsettled(), key=lambda leg: order(leg.position))
        steps = paging(chosen, start, limit)
        at, size = next(steps)
        while True:
            rest = [leg for leg in legs if at is None or order(leg.position) > order(at)][:size]
            last = rest[-1].position if rest else None
            try:
                at, size = steps.send(Window(len(rest), last, tuple(rest)))
            except StopIteration as over:
                found: Page = over.value
                return found

    def _unsettled(self) -> Iterator[Unsettled]:
        for (destination, number), queue in self._outbox.queues.items():
            for leg in queue.legs:
                message = self._messages[leg.place].message
                yield self._leg(destination, number, queue, leg, message)

    def _leg(
        self, destination: str, number: int, queue: Queue, leg: QueuedLeg, message: StoredMessage
    ) -> Unsettled:
        state = state_of(
            queue.state, first=leg is queue.legs[0], within_lease=leg.seq <= queue.last
        )
        made = [
            attempt
            for place, attempt in self._attempts
            if place == leg.place and attempt.destination == destination
        ]
        return Unsettled(
            destination=destination,
            queue=number,
            seq=leg.seq,
            message_id=message.message_id,
            state=state,
            kind=message.kind,
            party=message.party,
            interchange_id=message.interchange_id,
            key=message.key,
            route=leg.route,
            lane=leg.lane,
            due=leg.due,
            accepted_at=message.accepted_at,
            tries=leg.tries,
            wake=queue.wake if state in TIMED else None,
            at=made[-1].at if made else None,
            code=made[-1].code if made else "",
            detail=made[-1].detail if made else "",
        )

    async def act(
        self,
        chosen: Chosen,
        deed: Deed,
        *,
        now: datetime,
        after: str | None = None,
        limit: int = AT_ONCE,
    ) -> Acted:
        """See the protocol."""
        page = await self.page(chosen, after=after, limit=min(limit, AT_ONCE))
        done: list[Touched] = []
        left: list[LeftOut] = []
        for leg in page.legs:
            why = self._why_not(leg, deed.act)
            if why is not None:
                left.append(LeftOut(leg.message_id, leg.destination, why))
                continue
            self._change(leg, deed, now)
            done.append(Touched(leg.message_id, leg.destination))
        return Acted(done=tuple(done), left_out=tuple(left), next=page.next)

    def _why_not(self, leg: Unsettled, act: Act) -> Why | None:
        queue = self._outbox.queues.get((leg.destination, leg.queue))
        if queue is None or leg.seq not in {queued.seq for queued in queue.legs}:
            return Why.GONE
        return hindrance(act, queue.state, first=queue.legs[0].seq == leg.seq)

    def _change(self, leg: Unsettled, deed: Deed, now: datetime) -> None:
        queue = self._outbox.queues[leg.destination, leg.queue]
        queued = next(one for one in queue.legs if one.seq == leg.seq)
        attempt = Attempt(
            destination=leg.destination,
            n=queued.tries,
            at=now,
            result=RESULTS[deed.act],
            code=deed.code,
            detail=deed.detail,
        )
        self._attempts.append((queued.place, attempt))
        if deed.act is Act.RETRY:
            queued.tries = 0
            queue.become(Head.READY)
        elif deed.act is Act.BURY:
            queue.become(Head.HELD)
        else:
            self._outbox.skip((leg.destination, leg.queue), queued)
            self._dropped(leg.destination, (queued.place,))
        if queue.state is Head.READY:
            self._touched((leg.destination,))

    async def show(self, message: MessageId) -> Shown | None:
        """See the protocol."""
        for place, kept in self._messages.items():
            if kept.message.message_id == message:
                return Shown(
                    message=msgspec.structs.replace(kept.message, body=None),
                    legs=tuple(standing(kept, self._attempts, self._outbox)),
                    attempts=tuple(
                        Recorded(attempt, PROCESS) for at, attempt in self._attempts if at == place
                    ),
                )
        return None


def _by_acceptance(position: Position) -> tuple[str, int, int]:
    return position.destination, position.seq, 0


def _by_key(position: Position) -> tuple[str, int, int]:
    return position.destination, position.queue, position.seq
