"""Rows that are sorted by kind beforehand decide as if each were asked in turn."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from gateway.agreements import Agreement, Agreements
from gateway.routing import DECLARANT, Route, Routes
from tests import samples
from tests.strategies import tried
from translators.canonical import KINDS, Message
from trust.identity import Identity, PartyId
from trust.party import Party

MESSAGES: tuple[Message, ...] = (
    samples.ORDER,
    samples.ASSESSMENT,
    samples.item(origin_country="FR", destination_country="LU"),
    samples.item(origin_country=None, destination_country="BE"),
)
globs = st.lists(
    st.sampled_from(("*", "Order", "Item*", "*Assessment", "Risk*", "Referral")), max_size=2
)
SENDERS = tuple(
    Identity(party=PartyId(name), roles=frozenset(roles))
    for name, roles in (("post-a", {"post"}), ("shop", {"platform", "post"}), ("risk", ()))
)


def some(*values: str) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), max_size=2) | st.just([])


routes = st.lists(
    st.fixed_dictionaries(
        {
            "kinds": globs,
            "to": some("risk", "partner", DECLARANT),
            "from_parties": some("post-a", "shop"),
            "from_roles": some("post", "platform"),
            "origin_countries": some("FR", "LU"),
            "destination_countries": some("LU", "BE"),
            "outcomes": some("hold", "release"),
        }
    ),
    max_size=5,
).map(
    lambda rows: tuple(
        msgspec.convert({**row, "name": f"r{at}"}, Route) for at, row in enumerate(rows)
    )
)


@given(entries=routes, message=st.sampled_from(MESSAGES), sender=st.sampled_from(SENDERS))
@tried(300)
def test_a_plan_is_what_the_routes_say_one_after_another(
    entries: tuple[Route, ...], message: Message, sender: Identity
) -> None:
    expected: dict[str, str] = {}
    for route in entries:
        if route.matches(message, sender):
            for target in route.to:
                expected.setdefault(target, route.name)
    planned = Routes(entries).plan(message, sender)

    assert list(expected.items()) == [(step.target, step.route.name) for step in planned]


@given(entries=routes)
@tried(100)
def test_who_declared_is_asked_for_kinds_that_a_route_takes_there(
    entries: tuple[Route, ...],
) -> None:
    asked = {
        kind
        for kind in KINDS
        if any(DECLARANT in route.to and route.carries(kind) for route in entries)
    }

    assert asked == {kind for kind in KINDS if Routes(entries).asks_declarants(kind)}


agreements = st.lists(
    st.fixed_dictionaries(
        {
            "kinds": globs,
            "party": st.sampled_from((None, "post-a", "shop")),
            "role": st.sampled_from((None, "post", "platform")),
        }
    ),
    max_size=6,
)


@given(rows=agreements, kind=st.sampled_from(sorted(KINDS)), sender=st.sampled_from(SENDERS))
@tried(300)
def test_an_agreement_is_the_first_that_covers_a_party_and_a_kind(
    rows: list[dict[str, Any]], kind: str, sender: Identity
) -> None:
    entries = [
        msgspec.convert({**row, "name": f"a{at}", "purpose": "tests", "fields": ["**"]}, Agreement)
        for at, row in enumerate(rows)
    ]
    party = Party(id=sender.party, roles=sender.roles)
    of_party = [entry for entry in entries if entry.party is not None]
    others = [entry for entry in entries if entry.party is None]
    expected = next((one for one in (*of_party, *others) if one.covers(party, kind)), None)

    assert expected == Agreements.of(entries).find(party, kind)


def test_nobody_has_an_agreement_for_a_kind_that_the_model_does_not_know() -> None:
    everything = Agreement(name="all", purpose="tests", kinds=("*",), fields=("**",))

    assert Agreements.of([everything]).find(Party(id=PartyId("shop")), "Parcelle") is None


def test_a_route_is_found_by_its_name_and_the_first_of_that_name_counts() -> None:
    one, other = (
        msgspec.convert({"name": "r", "kinds": ["Order"], "to": [to]}, Route) for to in "ab"
    )

    assert Routes((one, other)).get("r") is one
