"""What is remembered of the terms of deliveries never outlives what it followed from."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import msgspec

from gateway.agreements import Agreement, Agreements, Minimiser, Source
from gateway.core.errors import Refused, Unavailable
from gateway.core.identifiers import InterchangeId, RecordNumber, message_id
from gateway.core.records import Delivery, StoredMessage, Subject
from gateway.pipeline.plan import Network
from gateway.pipeline.prepare import Prepared, Preparer
from gateway.pipeline.terms import MAX_TERMS, AllTerms
from gateway.routing import Endpoint
from tests import samples
from tests.gateway.pipeline.conftest import ALL, JSON, Middle
from tests.gateway.pipeline.test_inbox import ITMATT
from translators.canonical import Header, Message, kind_of
from translators.translator import FormatId
from trust.identity import PartyId
from trust.members import Grant, Policy
from trust.party import Registry

MIDDLE = Middle()
RISK = PartyId("risk")


def with_risk(**changes: Any) -> Registry:
    """The registry in which the receiver is another."""
    found = MIDDLE.parties.party(RISK)
    return MIDDLE.parties.with_party(msgspec.structs.replace(found, **changes))


def receives(**limits: Any) -> Registry:
    """The registry in which the receiver has a grant for that."""
    whole = Grant(direction="receive", formats=("*",), kinds=("*",), countries=("*",))
    return with_risk(grants=(ALL, msgspec.structs.replace(whole, **limits)))


def agreed(**changes: Any) -> Network:
    """The network in which back ends have another agreement."""
    own = Agreement(name="own", purpose="tests", role="backend", kinds=("*",), fields=("**",))
    entry = msgspec.structs.replace(own, **changes)
    return msgspec.structs.replace(
        MIDDLE.network,
        agreements=Agreements.of((entry,)),
        minimisers={entry.name: Minimiser(entry.fields)},
    )


REGISTRIES = (
    MIDDLE.parties,
    with_risk(suspended=True),
    with_risk(operators=("LUA",)),
    receives(countries=("FR",)),
    receives(kinds=("Order",)),
    receives(formats=("upu.*",)),
    Registry(parties=MIDDLE.parties.parties.values(), policy=Policy(receive="granted")),
)
NETWORKS = (
    MIDDLE.network,
    agreed(source=Source.HIDDEN),
    agreed(kinds=("Order",)),
    agreed(
        kinds=("ItemDeclaration",),
        fields=("item_id", "mail_class", "nature", "gross_weight", "addressee/**", "pieces/**"),
    ),
)
PLAIN = MIDDLE.network.endpoints.get("risk")
ENDPOINTS = (
    PLAIN,
    msgspec.structs.replace(PLAIN, header=Header(recipient="LU000100", test=True)),
    msgspec.structs.replace(PLAIN, format=ITMATT),
)
MESSAGES: tuple[Message, ...] = (
    samples.item(destination_country="LU"),
    samples.item(destination_country="FR"),
    samples.ORDER,
)


SENDERS = ("post-a", "gateway-lx")


def delivery(message: Message, *, sender: str, route: str) -> Delivery:
    """A leg as the journal gives it."""
    stored = StoredMessage(
        message_id=message_id(1, 5, 1),
        record=RecordNumber(5),
        ordinal=1,
        kind=kind_of(message),
        party=PartyId(sender),
        interchange_id=InterchangeId("i-1"),
        accepted_at=samples.NOW,
        version=1,
        function="original",
        key=Subject("item", "x"),
        destinations=("risk",),
        body=msgspec.json.encode(message),
    )
    return Delivery(destination="risk", seq=1, key=1, tries=0, lane=2, route=route, message=stored)


def prepared(
    preparer: Preparer, leg: Delivery, endpoint: Endpoint, wish: FormatId | None
) -> Prepared | tuple[type[Exception], str]:
    """What goes out, or why nothing does; the journal is not asked, so nothing is waited for."""
    try:
        preparer.prepare(leg, endpoint, format_id=wish).send(None)
    except StopIteration as ended:
        found: Prepared = ended.value
        return found
    except (Refused, Unavailable) as failure:
        return type(failure), str(failure)
    raise AssertionError("it waits")


def preparer_of(world: dict[str, Any]) -> Preparer:
    """One that looks at a world that changes."""
    return Preparer(
        gateway_id="gateway-lx",
        journal=MIDDLE.journal,
        network=lambda: world["network"],
        parties=lambda: world["parties"],
    )


DELIVERIES = tuple(product(ENDPOINTS, MESSAGES, SENDERS, ("items", "gone"), (None, JSON, ITMATT)))


def worlds() -> Iterator[dict[str, Any]]:
    """Every pair of network and registry; from one to the next, one of both changes."""
    for at, network in enumerate(NETWORKS):
        for parties in REGISTRIES[:: -1 if at % 2 else 1]:
            yield {"network": network, "parties": parties}


def test_who_has_prepared_before_prepares_as_one_that_begins() -> None:
    now: dict[str, Any] = {}
    used = preparer_of(now)
    for world in worlds():
        now.update(world)
        for endpoint, message, sender, route, wish in DELIVERIES:
            leg = delivery(message, sender=sender, route=route)

            assert prepared(used, leg, endpoint, wish) == prepared(
                preparer_of(world), leg, endpoint, wish
            )


def test_the_worlds_differ_for_a_delivery() -> None:
    leg = delivery(MESSAGES[0], sender="post-a", route="items")
    found = [
        prepared(preparer_of({"parties": parties, "network": network}), leg, PLAIN, None)
        for parties, network in (
            *((parties, NETWORKS[0]) for parties in REGISTRIES[:6]),
            *((REGISTRIES[0], network) for network in NETWORKS[1:]),
        )
    ]

    assert len({str(each) for each in found}) == len(found) == 9
    assert sum(isinstance(each, Prepared) for each in found) == 4


def test_what_is_remembered_is_bounded() -> None:
    terms = AllTerms("gateway-lx")
    for number in range(MAX_TERMS + 10):
        terms.find(
            MIDDLE.network,
            MIDDLE.parties,
            endpoint=PLAIN,
            kind="ItemDeclaration",
            route=f"r-{number}",
            wish=JSON,
        )

    assert len(terms) == 10


def test_of_an_unchanged_world_terms_are_worked_out_once() -> None:
    terms = AllTerms("gateway-lx")
    first, second = (
        terms.find(
            MIDDLE.network,
            MIDDLE.parties,
            endpoint=msgspec.structs.replace(PLAIN),
            kind="ItemDeclaration",
            route="items",
            wish=None,
        )
        for _ in range(2)
    )

    assert first is second
