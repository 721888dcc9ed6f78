"""What bears on one item: of all that was said, what is about it, by its own name or another.

An authority may speak of an item by its identifier, by the receptacle that it travels in, or by
the number of a declaration that it is in. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from gateway.core.histories import Sought
from gateway.core.records import StoredMessage
from gateway.routing.subjects import S10
from translators.canonical import (
    CustomsResponse,
    Despatch,
    Document,
    GoodsDeclaration,
    ItemDeclaration,
    Message,
    Referral,
    RiskAssessment,
)
from trust.identity import PartyId

WITHDRAWN = frozenset({"withdrawal", "cancellation"})
"""Functions of messages that take back what was said before."""
ABOUT_ITEMS = (
    ItemDeclaration.__name__,
    GoodsDeclaration.__name__,
    CustomsResponse.__name__,
    Referral.__name__,
    RiskAssessment.__name__,
    Despatch.__name__,
)
"""Kinds of messages that bear on whether an item may go."""


class Said(msgspec.Struct, frozen=True):
    """One accepted message with its content."""

    stored: StoredMessage
    content: Message

    @property
    def author(self) -> PartyId:
        """Whose message it is, whoever sent it."""
        return self.stored.on_behalf_of or self.stored.party

    @property
    def place(self) -> tuple[int, int]:
        """Its place in the order of acceptance."""
        return self.stored.record, self.stored.ordinal


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """By what an item is spoken of."""

    item: str
    receptacles: frozenset[str] = frozenset()
    mrns: frozenset[str] = frozenset()
    lrns: frozenset[str] = frozenset()

    def sought(self) -> tuple[Sought, ...]:
        """Where else than under its own identifier something may stand about it."""
        return tuple(
            Sought(kind, value)
            for kind, values in (
                ("receptacle", self.receptacles),
                ("mrn", self.mrns),
                ("lrn", self.lrns),
            )
            for value in sorted(values)
        )


def in_order(said: Iterable[Said]) -> tuple[Said, ...]:
    """Each message once, in order of acceptance."""
    return tuple(sorted({one.place: one for one in said}.values(), key=lambda one: one.place))


def declarations(item: str, said: Iterable[Said]) -> tuple[Said, ...]:
    """The latest declaration of the item by each party and of each kind, in order.

    Withdrawals are among them. A declaration that only names the item as the earlier one of its
    own is none of it.
    """
    latest: dict[tuple[PartyId, str], Said] = {}
    for one in in_order(said):
        content = one.content
        if isinstance(content, ItemDeclaration):
            declares = content.item_id == item
        else:
            declares = isinstance(content, GoodsDeclaration) and item in content.item_ids
        if declares:
            latest[one.author, one.stored.kind] = one
    return in_order(latest.values())


def is_withdrawn(one: Said) -> bool:
    """Whether a message takes back what its author said before."""
    said = getattr(one.content, "function", None) or one.stored.function
    return said in WITHDRAWN


def names(item: str, said: Iterable[Said]) -> Names:
    """By what else an item is spoken of, out of what was said under its own identifier."""
    told = in_order(said)
    mrns: set[str] = set()
    lrns: set[str] = set()
    for one in declarations(item, told):
        if not is_withdrawn(one) and isinstance(one.content, ItemDeclaration | GoodsDeclaration):
            lrn = getattr(one.content, "lrn", None)
            mrns.update(filter(None, (one.content.mrn,)))
            lrns.update(filter(None, (lrn,)))
    for one in told:
        if isinstance(one.content, CustomsResponse) and one.content.item_id == item:
            mrns.update(filter(None, (one.content.mrn,)))
    return Names(
        item=item,
        receptacles=frozenset(_receptacles(item, told)),
        mrns=frozenset(mrns),
        lrns=frozenset(lrns),
    )


def _receptacles(item: str, told: Iterable[Said]) -> Iterator[str]:
    """Where it lies by the latest despatch of each party; earlier ones it has left."""
    latest: dict[PartyId, Said] = {}
    for one in told:
        if isinstance(one.content, Despatch):
            latest[one.author] = one
    for one in latest.values():
        if isinstance(one.content, Despatch) and not is_withdrawn(one):
            for receptacle in one.content.receptacles:
                if item in receptacle.item_ids:
                    yield receptacle.receptacle_id


def bears(message: Message, known: Names) -> bool:
    """Whether a message is about the item.

    What names items or receptacles is about those alone, also when it names a declaration that
    holds others too.
    """
    match message:
        case Referral():
            return _named(_items_of(message), message.receptacle_ids, message, known)
        case RiskAssessment():
            stopped = message.do_not_load
            items = _s10s(stopped.documents) if stopped is not None else ()
            own = () if message.item_id is None else (message.item_id,)
            receptacles = stopped.receptacle_ids if stopped is not None else ()
            return _named((*own, *items), receptacles, message, known)
        case CustomsResponse():
            own = () if message.item_id is None else (message.item_id,)
            return _named(own, (), message, known)
    return False


def _named(
    items: Iterable[str],
    receptacles: Iterable[str],
    message: CustomsResponse | Referral | RiskAssessment,
    known: Names,
) -> bool:
    named, bags = frozenset(items), frozenset(receptacles)
    if named or bags:
        return known.item in named or not bags.isdisjoint(known.receptacles)
    if message.mrn is not None or message.lrn is not None:
        return message.mrn in known.mrns or message.lrn in known.lrns
    return True  # it answers a message about the item, and names nothing itself


def _items_of(message: Referral) -> Iterator[str]:
    yield from message.item_ids
    yield from (answer.item_id for answer in message.answers)
    house = () if message.house_document is None else (message.house_document,)
    yield from _s10s((*house, *message.transport_documents))


def _s10s(documents: Iterable[Document]) -> Iterator[str]:
    return (document.number for document in documents if S10.fullmatch(document.number))
