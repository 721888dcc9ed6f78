"""Does an indicator's subject speak of this message? And the terms by which both are found.

Every field that a subject sets must match, each by any of its entries; names, references and
addresses must all match one and the same trade party, and HS prefixes and keywords one and the
same kind of goods. A subject that sets nothing matches nothing.

Terms make candidates quick to find from either side: a message has all its terms, a subject has
one field's terms (``anchors``), of which at least one is a term of every message that matches.
"""

from __future__ import annotations

from collections.abc import Iterator

from backends.risk.features import Features, Goods, Person, persons_in_role
from backends.risk.text import has_phrase, identifier_key, name_key, words
from translators.canonical import Address, Reference, RiskSubject, RouteSubject

HS_TERM = "hs:"
MIN_HS = 4
MAX_HS = 10
MAX_TERM = 120
"""Longer terms are cut on both sides, which only makes more candidates."""

Ignored = frozenset[str]


def match_subject(subject: RiskSubject, features: Features, ignored: Ignored) -> tuple[str, ...]:
    """Where in the message the subject matches, as pointers; empty if it does not.

    A match of the whole message (its id or route) has the pointer ``""``.
    """
    pointers: list[str] = []
    if subject.names or subject.references or subject.addresses:
        found = [
            person.path
            for person in persons_in_role(features.persons, subject.role)
            if _is_person(subject, person, ignored)
        ]
        if not found:
            return ()
        pointers += found
    if subject.hs_prefixes or subject.keywords:
        found = [goods.path for goods in features.goods if _is_goods(subject, goods)]
        if not found:
            return ()
        pointers += found
    if subject.item_ids and not _same(subject.item_ids, features.item_ids):
        return ()
    if subject.documents and not any(
        (document.type, identifier_key(document.number))
        in {(kind, identifier_key(number)) for kind, number in features.documents}
        for document in subject.documents
    ):
        return ()
    if subject.routes and not any(_is_route(route, features) for route in subject.routes):
        return ()
    if not pointers and (subject.item_ids or subject.documents or subject.routes):
        pointers.append("")
    return tuple(pointers)


def _same(wanted: tuple[str, ...], there: tuple[str, ...]) -> bool:
    keys = {identifier_key(value) for value in wanted} - {""}
    return not keys.isdisjoint(map(identifier_key, there))


def _is_person(subject: RiskSubject, person: Person, ignored: Ignored) -> bool:
    if subject.names:
        wanted = {name_key(name, ignored) for name in subject.names} - {""}
        if wanted.isdisjoint(name_key(name, ignored) for name in person.names):
            return False
    if subject.references and not any(
        _is_reference(wanted, there) for wanted in subject.references for there in person.references
    ):
        return False
    if subject.addresses:
        there = person.address
        return there is not None and any(_is_address(a, there) for a in subject.addresses)
    return True


def _is_reference(wanted: Reference, there: Reference) -> bool:
    key = identifier_key(wanted.value)
    return (
        bool(key)
        and key == identifier_key(there.value)
        and wanted.type.casefold() == there.type.casefold()
        and (wanted.country is None or there.country in (None, wanted.country))
    )


def _is_address(wanted: Address, there: Address) -> bool:
    """Whatever the wanted address has must be the same; one without anything is no address."""
    pairs = (
        (wanted.country, there.country),
        (wanted.postcode and identifier_key(wanted.postcode), identifier_key(there.postcode or "")),
        (wanted.city and name_key(wanted.city), name_key(there.city or "")),
        (
            name_key(" ".join(wanted.lines)) if wanted.lines else None,
            name_key(" ".join(there.lines)),
        ),
    )
    set_pairs = [(value, other) for value, other in pairs if value]
    return bool(set_pairs) and all(value == other for value, other in set_pairs)


def _is_goods(subject: RiskSubject, goods: Goods) -> bool:
    if subject.hs_prefixes and not (goods.hs and goods.hs.startswith(subject.hs_prefixes)):
        return False
    if subject.keywords:
        text = words(goods.description or "")
        return any(has_phrase(text, words(keyword)) for keyword in subject.keywords)
    return True


def _is_route(route: RouteSubject, features: Features) -> bool:
    return (
        (route.origin is None or route.origin == features.origin)
        and (route.destination is None or route.destination == features.destination)
        and (not route.via or not set(route.via).isdisjoint(features.via))
        and (route.operator is None or route.operator in features.operators)
        and bool(route.origin or route.destination or route.via or route.operator)
    )


def terms_of(features: Features, ignored: Ignored) -> frozenset[str]:
    """Every term by which a message can be found."""
    return frozenset(term[:MAX_TERM] for term in _terms(features, ignored))


def _terms(features: Features, ignored: Ignored) -> Iterator[str]:
    for person in features.persons:
        yield from (f"name:{name_key(name, ignored)}" for name in person.names)
        yield from (f"ref:{identifier_key(r.value)}" for r in person.references)
        yield from _address_terms(person.address)
    for goods in features.goods:
        if goods.hs:
            yield f"{HS_TERM}{goods.hs}"
        yield from (f"word:{word}" for word in words(goods.description or ""))
    yield from (f"item:{identifier_key(item_id)}" for item_id in features.item_ids)
    yield from (f"doc:{identifier_key(number)}" for _, number in features.documents)
    yield f"from:{features.origin}"
    yield f"to:{features.destination}"
    yield from (f"via:{country}" for country in features.via)
    yield from (f"op:{operator}" for operator in features.operators)


def _address_terms(address: Address | None) -> Iterator[str]:
    if address is None:
        return
    if address.postcode:
        yield f"post:{identifier_key(address.postcode)}"
    if address.city:
        yield f"city:{name_key(address.city)}"
    if address.lines:
        yield f"street:{name_key(' '.join(address.lines))}"
    if address.country:
        yield f"in:{address.country}"


def lookups_of(terms: frozenset[str]) -> frozenset[str]:
    """The anchors that can belong to a message with these terms: an HS code's prefixes too."""
    prefixes = {
        term[: len(HS_TERM) + length]
        for term in terms
        if term.startswith(HS_TERM)
        for length in range(MIN_HS, MAX_HS + 1)
    }
    return terms | prefixes


def anchors_of(subject: RiskSubject, ignored: Ignored) -> frozenset[str]:
    """The terms of the subject's most telling field; empty if nothing can match it."""
    for found in (
        {f"item:{identifier_key(item_id)}" for item_id in subject.item_ids},
        {f"ref:{identifier_key(reference.value)}" for reference in subject.references},
        {f"name:{name_key(name, ignored)}" for name in subject.names},
        {f"doc:{identifier_key(document.number)}" for document in subject.documents},
        {term for address in subject.addresses for term in list(_address_terms(address))[:1]},
        {f"word:{words(keyword)[0]}" for keyword in subject.keywords if words(keyword)},
        {f"{HS_TERM}{prefix}" for prefix in subject.hs_prefixes},
        {term for route in subject.routes for term in _route_anchor(route)},
    ):
        if found:
            return frozenset(term[:MAX_TERM] for term in found)
    return frozenset()


def _route_anchor(route: RouteSubject) -> tuple[str, ...]:
    if route.operator:
        return (f"op:{route.operator}",)
    if route.via:
        return tuple(f"via:{country}" for country in route.via)
    if route.origin:
        return (f"from:{route.origin}",)
    return (f"to:{route.destination}",) if route.destination else ()
