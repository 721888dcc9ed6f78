"""Deliveries and awaited answers on the operations listener: what commands do, asked over HTTP."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from gateway.core.awaiting import Asked as AskedAnswers
from gateway.core.deliveries import Act, Chosen, Deed
from gateway.core.identifiers import MessageId
from gateway.core.ports import Clock, Journal
from gateway.ingress.controls import Answer, Asked, Control
from gateway.pipeline.deliveries import carry_out, count, meant

LARGEST_PAGE = 1_000
STEPS = 20
"""Transactions of one call, 500 deliveries each; the answer says where to go on."""
_PAGING = frozenset({"limit", "after"})


class Order(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a call that changes something.

    ``filter`` without any condition means all, which must be said by ``all``. ``yes`` confirms
    what can not be undone.
    """

    by: str
    reason: str
    filter: Chosen = Chosen()
    all: bool = False
    yes: bool = False
    dry_run: bool = False
    after: str | None = None


def delivery_controls(journal: Journal, clock: Clock) -> tuple[Control, ...]:
    """Listing, showing and counting, the three acts, and answers that have not come."""
    desk = _Desk(journal, clock)
    return (
        Control("GET", "/control/deliveries", desk.page),
        Control("GET", "/control/deliveries/count", desk.count),
        Control("GET", "/control/deliveries/{message}", desk.show),
        *(Control("POST", f"/control/deliveries/{act.value}", desk.acting(act)) for act in Act),
        Control("GET", "/control/answers", desk.answers),
        Control("GET", "/control/answers/count", desk.answer_counts),
    )


class _Desk:
    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock

    async def page(self, asked: Asked) -> Answer:
        after, limit = _paging(asked.query)
        chosen = chosen_of(asked.query)
        return Answer(await self._journal.deliveries.page(chosen, after=after, limit=limit))

    async def count(self, asked: Asked) -> Answer:
        return Answer(await count(self._journal.deliveries, chosen_of(asked.query)))

    async def show(self, asked: Asked) -> Answer:
        shown = await self._journal.deliveries.show(MessageId(asked.path["message"]))
        if shown is None:
            return Answer({"error": "no message has this id here"}, 404)
        return Answer(shown)

    def acting(self, act: Act) -> _Acting:
        return _Acting(self._journal, self._clock, act)

    async def answers(self, asked: Asked) -> Answer:
        after, limit = _paging(asked.query)
        wanted = msgspec.convert(_conditions(asked.query), AskedAnswers, strict=False)
        awaiting = self._journal.awaiting
        page = await awaiting.page(wanted, now=self._clock(), after=after, limit=limit)
        return Answer(page)

    async def answer_counts(self, asked: Asked) -> Answer:
        return Answer(await self._journal.awaiting.counts(now=self._clock()))


class _Acting:
    """One act as a control."""

    def __init__(self, journal: Journal, clock: Clock, act: Act) -> None:
        self._journal = journal
        self._clock = clock
        self._act = act

    async def __call__(self, asked: Asked) -> Answer:
        order = msgspec.json.decode(asked.body, type=Order)
        deed = Deed(act=self._act, by=order.by, reason=order.reason)
        if order.filter == Chosen() and not order.all:
            raise ValueError("a filter without conditions means all: say so by all")
        if self._act is Act.SKIP and not (order.yes or order.dry_run):
            raise ValueError("what is skipped is never delivered: confirm by yes")
        chosen = meant(order.filter, self._act)
        deliveries = self._journal.deliveries
        if order.dry_run:
            return Answer(await count(deliveries, chosen))
        return Answer(
            await carry_out(
                deliveries, chosen, deed, clock=self._clock, after=order.after, steps=STEPS
            )
        )


def chosen_of(query: Mapping[str, str]) -> Chosen:
    """A filter out of the words of a query: ``states`` separated by commas; ``ValueError``."""
    conditions: dict[str, object] = {**_conditions(query)}
    if "states" in query:
        conditions["states"] = query["states"].split(",")
    return msgspec.convert(conditions, Chosen, strict=False)


def _conditions(query: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in query.items() if name not in _PAGING}


def _paging(query: Mapping[str, str]) -> tuple[str | None, int]:
    limit = int(query.get("limit", "100"))
    if not 1 <= limit <= LARGEST_PAGE:
        raise ValueError(f"limit is from 1 to {LARGEST_PAGE}")
    return query.get("after"), limit
