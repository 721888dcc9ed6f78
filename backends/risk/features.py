"""What a message says, in the terms in which indicators speak: parties, goods, route, ids."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from translators.canonical import (
    Address,
    GoodsDeclaration,
    ItemDeclaration,
    Message,
    Order,
    Reference,
    TradeParty,
)


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """One trade party: its role, everything it is called, and where in the message it stands."""

    role: str
    names: tuple[str, ...]
    references: tuple[Reference, ...]
    address: Address | None
    path: str


class Goods(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of goods."""

    description: str | None
    hs: str | None
    path: str


class Features(msgspec.Struct, frozen=True, kw_only=True):
    """What can be matched. ``documents`` are (type, number)."""

    persons: tuple[Person, ...]
    goods: tuple[Goods, ...]
    origin: str | None
    destination: str | None
    via: tuple[str, ...] = ()
    operators: tuple[str, ...] = ()
    item_ids: tuple[str, ...] = ()
    documents: tuple[tuple[str, str], ...] = ()


SIDES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "sender": frozenset({"sender", "seller", "consignor", "exporter"}),
        "addressee": frozenset({"addressee", "buyer", "consignee", "importer"}),
    }
)
"""Roles of both sides of a transaction, whatever a kind of message calls them."""


def features_of(message: Message) -> Features | None:
    """The features of a message of a kind that is assessed; ``None`` for every other kind."""
    extract = _EXTRACTORS.get(type(message))
    return extract(message) if extract else None


def _item(item: ItemDeclaration) -> Features:
    return Features(
        persons=_persons(item, "sender", "addressee", "representative"),
        goods=tuple(
            Goods(description=piece.description, hs=piece.hs, path=f"/pieces/{at}")
            for at, piece in enumerate(item.pieces)
        ),
        origin=item.origin_country or _country(item.sender),
        destination=item.destination_country or _country(item.addressee),
        operators=_present(item.origin_operator, item.destination_operator),
        item_ids=(item.item_id,),
        documents=tuple((document.type, document.number) for document in item.documents),
    )


def _order(order: Order) -> Features:
    return Features(
        persons=_persons(order, "seller", "buyer", "consignee"),
        goods=tuple(
            Goods(description=line.description, hs=line.hs, path=f"/lines/{at}")
            for at, line in enumerate(order.lines)
        ),
        origin=_country(order.seller),
        destination=order.destination_country or _country(order.consignee),
        operators=_present(*(parcel.carrier for parcel in order.parcels)),
        item_ids=tuple(parcel.tracking_number for parcel in order.parcels),
        documents=tuple((document.type, document.number) for document in order.documents),
    )


_DECLARATION_PARTIES = (
    "declarant",
    "representative",
    "importer",
    "exporter",
    "seller",
    "buyer",
    "consignor",
    "consignee",
    "carrier",
    "submitter",
)
_GOODS_PARTIES = ("seller", "buyer", "consignee", "consignor", "exporter")


def _declaration(declaration: GoodsDeclaration) -> Features:
    persons = list(_persons(declaration, *_DECLARATION_PARTIES))
    for at, item in enumerate(declaration.items):
        persons += _persons(item, *_GOODS_PARTIES, below=f"/items/{at}")
    first = next(iter(declaration.items), None)
    documents = [*declaration.documents, *(d for item in declaration.items for d in item.documents)]
    return Features(
        persons=tuple(persons),
        goods=tuple(
            Goods(description=item.description, hs=item.hs, path=f"/items/{at}")
            for at, item in enumerate(declaration.items)
        ),
        origin=declaration.export_country or (first.export_country if first else None),
        destination=declaration.destination_country
        or (first.destination_country if first else None),
        via=declaration.routing_countries,
        item_ids=declaration.item_ids,
        documents=tuple((d.type, d.id) for d in documents if d.type and d.id),
    )


_EXTRACTORS: Mapping[type[Any], Callable[[Any], Features]] = MappingProxyType(
    {ItemDeclaration: _item, Order: _order, GoodsDeclaration: _declaration}
)


def _persons(holder: Any, *roles: str, below: str = "") -> tuple[Person, ...]:
    return tuple(
        _person(role, party, f"{below}/{role}")
        for role in roles
        if (party := getattr(holder, role)) is not None
    )


def _person(role: str, party: TradeParty, path: str) -> Person:
    full = " ".join(_present(party.first_name, party.last_name))
    names = _present(party.name, party.organisation, party.contact_name, full[:140])
    return Person(
        role=role,
        names=tuple(dict.fromkeys(names)),
        references=party.references,
        address=party.address,
        path=path,
    )


def _country(party: TradeParty) -> str | None:
    return party.address.country if party.address else None


def _present(*values: str | None) -> tuple[str, ...]:
    return tuple(value for value in values if value)


def persons_in_role(persons: Iterable[Person], role: str | None) -> Iterator[Person]:
    """Those that a subject's ``role`` speaks of: a side, a role by name, or any."""
    wanted = SIDES.get(role, frozenset({role})) if role and role != "any" else None
    return (person for person in persons if wanted is None or person.role in wanted)
