"""Referrals: to whoever declared the items, by receptacle too; only who was asked says more."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from gateway.agreements import Agreement, Agreements, Minimiser
from gateway.core.awaiting import Asked
from gateway.core.histories import Sought
from gateway.core.records import State
from gateway.pipeline.plan import Network
from gateway.pipeline.referrals import deadline_of
from gateway.routing import DECLARANT, ORIGIN, Endpoints, Route, Routes
from tests.gateway.pipeline.clearances import (
    BAG,
    ID,
    answered,
    decided,
    declared,
    despatched,
    referral,
)
from tests.gateway.pipeline.conftest import FORMATS, Middle, codes, endpoint, outcomes, party
from tests.samples import NOW
from translators.canonical import Message, Referral, ReferralHop
from trust.party import Registry

OTHER = "RR473124829GB"
SECOND = timedelta(seconds=1)
EVERYTHING = Agreement(name="all", purpose="tests", role="post", kinds=("*",), fields=("**",))
BACKENDS = Agreement(name="own", purpose="tests", role="backend", kinds=("*",), fields=("**",))


@pytest.fixture
def loop(middle: Middle) -> Middle:
    """Customs asks whoever declared; a post passes on to the partner, answers go back."""
    middle.parties = Registry(
        parties=[
            party("gateway-lx", "gateway"),
            party("post-a", "post"),
            party("post-b", "post"),
            party("customs", "backend"),
            party("gateway-pn", "administration"),
        ]
    )
    partner = msgspec.structs.replace(EVERYTHING, name="pn", role="administration")
    agreements = (EVERYTHING, BACKENDS, partner)
    middle.network = Network(
        routes=Routes(
            (
                Route(name="declared", kinds=("ItemDeclaration", "Despatch"), to=("customs",)),
                Route(
                    name="requests",
                    kinds=("Referral", "CustomsResponse"),
                    from_roles=("backend",),
                    to=(DECLARANT,),
                    lane=0,
                ),
                Route(
                    name="on",
                    kinds=("Referral",),
                    from_roles=("post",),
                    hops=("to-origin",),
                    to=("gateway-pn",),
                    lane=0,
                ),
                Route(name="back", kinds=("Referral",), to=(ORIGIN,), lane=0),
            )
        ),
        agreements=Agreements.of(agreements),
        minimisers={entry.name: Minimiser(entry.fields) for entry in agreements},
        endpoints=Endpoints.of(
            [
                endpoint("customs", "luxor.json.1", answers=True),
                endpoint("gateway-pn", "luxor.json.1", answers=True),
            ]
        ),
        formats=FORMATS,
    )
    return middle


def item(identifier: str = ID, **changes: Any) -> Message:
    return declared(item_id=identifier, **changes)


async def got(loop: Middle, name: str) -> list[Message]:
    """What that party got that is not a declaration."""
    destination = name if name in ("customs", "gateway-pn") else f"inbox:{name}"
    return [
        message
        for message in await loop.waiting(destination)
        if type(message).__name__ not in ("ItemDeclaration", "Despatch")
    ]


async def test_a_referral_goes_to_whoever_declared_the_item(loop: Middle) -> None:
    await loop.send("post-a", item())
    await loop.send("post-b", item(OTHER))

    stored = await loop.send("customs", referral("RFI"))

    assert [] == codes(stored)
    (asked,) = await got(loop, "post-a")
    assert isinstance(asked, Referral)
    assert (ID,) == asked.item_ids
    assert [] == await got(loop, "post-b")


async def test_the_latest_declaration_counts(loop: Middle) -> None:
    await loop.send("post-a", item())
    await loop.send("post-b", item())
    await loop.send("customs", referral("RFI"))
    assert [] == await got(loop, "post-a")
    assert 1 == len(await got(loop, "post-b"))


async def test_one_that_was_taken_back_does_not(loop: Middle) -> None:
    await loop.send("post-a", item())
    await loop.send("post-b", item())
    await loop.send("post-b", item(function="withdrawal"))
    await loop.send("customs", referral("RFI"))
    assert 1 == len(await got(loop, "post-a"))
    assert [] == await got(loop, "post-b")


async def test_where_everybody_took_it_back_the_last_is_asked(loop: Middle) -> None:
    await loop.send("post-a", item())
    await loop.send("post-a", item(function="withdrawal"))
    await loop.send("customs", referral("RFI"))
    assert 1 == len(await got(loop, "post-a"))


async def test_several_declarants_are_asked_each_once(loop: Middle) -> None:
    for number in range(3):
        await loop.send("post-a", item(f"P-A-{number}"))
    await loop.send("post-b", item(OTHER))
    await loop.send("post-a", item(ID))
    await loop.send("customs", referral("DNL", item_ids=(OTHER, ID)))
    assert 1 == len(await got(loop, "post-a"))
    assert 1 == len(await got(loop, "post-b"))


async def test_nobody_declared_it_is_a_fault_that_says_which(loop: Middle) -> None:
    stored = await loop.send("customs", referral("RFI", item_ids=(OTHER, ID)))
    assert State.REFUSED is stored.state
    (outcome,) = outcomes(stored)
    assert [
        ("declarant.unknown", "/item_ids/0", True),
        ("declarant.unknown", "/item_ids/1", True),
    ] == [(fault.code, fault.path, fault.refuses) for fault in outcome.faults]


async def test_where_others_are_told_it_is_a_warning(loop: Middle) -> None:
    await loop.send("post-a", item())
    stored = await loop.send("customs", referral("RFI", item_ids=(OTHER, ID)))
    (outcome,) = outcomes(stored)
    assert State.ACCEPTED is outcome.status
    assert [("declarant.unknown", "/item_ids/0")] == [(f.code, f.path) for f in outcome.faults]
    assert 1 == len(await got(loop, "post-a"))


async def test_a_receptacle_is_resolved_by_its_despatch(loop: Middle) -> None:
    await loop.send("post-a", item())
    await loop.send("post-b", item(OTHER))
    await loop.send("post-b", despatched(ID, OTHER))

    stored = await loop.send("customs", referral("DNL", receptacle_ids=(BAG,)))

    assert [] == codes(stored)
    assert 1 == len(await got(loop, "post-a"))
    assert 1 == len(await got(loop, "post-b"))
    histories = await loop.journal.histories.read(
        [Sought("item", OTHER)], kinds=("Referral",), limit=9
    )
    assert [stored.record] == [m.record for one in histories for m in one.messages]


async def test_the_latest_despatch_of_a_receptacle_counts(loop: Middle) -> None:
    await loop.send("post-a", item())
    await loop.send("post-b", item(OTHER))
    await loop.send("post-b", despatched(ID))
    await loop.send("post-b", despatched(OTHER))
    await loop.send("customs", referral("DNL", receptacle_ids=(BAG,)))
    assert [] == await got(loop, "post-a")
    assert 1 == len(await got(loop, "post-b"))


async def test_a_receptacle_that_is_to_be_packed_is_taken_and_waits(loop: Middle) -> None:
    stored = await loop.send("customs", referral("DNL", receptacle_ids=(BAG,)))
    (outcome,) = outcomes(stored)
    assert State.ACCEPTED is outcome.status
    assert [("receptacle.unknown", "/receptacle_ids/0", False)] == [
        (fault.code, fault.path, fault.refuses) for fault in outcome.faults
    ]


async def test_the_number_of_a_declaration_leads_to_who_made_it(loop: Middle) -> None:
    await loop.send("post-a", item(mrn="26LU1"))
    stored = await loop.send("customs", referral("DNL", reference="26LU1", mrn="26LU1"))
    assert [] == codes(stored)
    assert 1 == len(await got(loop, "post-a"))


async def test_what_names_nothing_that_is_known_is_refused(loop: Middle) -> None:
    stored = await loop.send("customs", referral("DNL", reference="26LU1", mrn="26LU1"))
    assert ["declarant.unknown"] == codes(stored)


async def test_an_answer_finds_its_way_by_its_reference_alone(loop: Middle) -> None:
    await loop.send("post-a", item())
    asked = await loop.send("customs", referral("RFI"))

    stored = await loop.send("post-a", answered())

    assert [] == codes(stored)
    (answer,) = await got(loop, "customs")
    assert isinstance(answer, Referral)
    assert outcomes(asked)[0].message_id == answer.regards


async def test_an_answer_of_somebody_who_was_not_asked_is_refused(loop: Middle) -> None:
    await loop.send("post-a", item())
    await loop.send("customs", referral("RFI"))
    stored = await loop.send("post-b", answered())
    assert ["referral.not-asked"] == [c for c in codes(stored) if c != "route.none"]
    assert State.REFUSED is stored.state
    assert [] == await got(loop, "customs")


async def test_an_answer_to_another_reference_is_refused(loop: Middle) -> None:
    await loop.send("post-a", item())
    await loop.send("customs", referral("RFI"))
    stored = await loop.send("post-a", answered("R-2"))
    assert "referral.not-asked" in codes(stored)


async def test_having_heard_an_answer_is_not_having_been_asked(loop: Middle) -> None:
    await loop.send("post-a", item())
    await loop.send("customs", referral("RFI"))
    await loop.send("post-a", answered())
    stored = await loop.send("customs", answered())
    assert "referral.not-asked" in codes(stored)


def passed_on(**changes: Any) -> Referral:
    """The next hop: the post asks the post of origin in the name of customs."""
    fields: dict[str, Any] = {"hop": "to-origin", "on_behalf_of": "customs", **changes}
    return referral("RFI", **fields)


async def test_who_was_asked_passes_on(loop: Middle) -> None:
    await loop.send("post-a", item())
    await loop.send("customs", referral("RFI"))
    stored = await loop.send("post-a", passed_on())
    assert [] == codes(stored)
    (asked,) = await got(loop, "gateway-pn")
    assert isinstance(asked, Referral)
    assert ("to-origin", "customs", "R-1") == (asked.hop, asked.on_behalf_of, asked.reference)


@pytest.mark.parametrize("changes", [{}, {"on_behalf_of": None}, {"hop": None}])
async def test_nobody_asks_in_the_name_of_customs_who_was_not_asked(
    loop: Middle, changes: dict[str, Any]
) -> None:
    await loop.send("post-a", item())
    await loop.send("customs", referral("RFI"))
    stored = await loop.send("post-b", passed_on(**changes))
    assert "referral.not-asked" in codes(stored)
    assert State.REFUSED is stored.state


async def test_the_whole_loop_and_back_hop_by_hop(loop: Middle) -> None:
    await loop.send("post-a", item())
    asked = outcomes(await loop.send("customs", referral("RFI")))[0].message_id
    turned = outcomes(await loop.send("post-a", passed_on()))[0].message_id
    await loop.send(
        "gateway-pn", msgspec.structs.replace(answered(), regards=turned, hop="from-origin")
    )
    (back,) = [m for m in await got(loop, "post-a") if isinstance(m, Referral) and m.answers]
    assert turned == back.regards
    await loop.send("post-a", msgspec.structs.replace(answered(), hop="from-declarant"))
    (final,) = await got(loop, "customs")
    assert isinstance(final, Referral)
    assert (asked, "from-declarant") == (final.regards, final.hop)


async def test_decisions_without_a_message_id_find_the_declarant_too(loop: Middle) -> None:
    await loop.send("post-a", item())
    stored = await loop.send("customs", decided("held"))
    assert [] == codes(stored)
    (decision,) = await got(loop, "post-a")
    assert "held" == getattr(decision, "decision", None)


async def test_the_nearest_clock_of_the_hops_orders_the_deliveries(loop: Middle) -> None:
    await loop.send("post-a", item())
    await loop.send("post-a", item(OTHER))
    later = referral("RFI", reply_before=NOW + timedelta(hours=9))
    sooner = referral("RFS", reference="R-2", reply_before=NOW + timedelta(hours=1))
    await loop.send("customs", later)
    await loop.send("customs", sooner)
    assert ["R-2", "R-1"] == [getattr(m, "reference", "") for m in await got(loop, "post-a")]


def test_the_clock_of_a_hop_is_that_of_its_last_station() -> None:
    whole, here = NOW + timedelta(hours=9), NOW + timedelta(hours=3)
    stations = (
        ReferralHop(party="post-a", reply_before=whole),
        ReferralHop(party="post-b", reply_before=here),
    )
    assert here == deadline_of(referral("RFI", reply_before=whole, hops=stations))
    assert whole == deadline_of(referral("RFI", reply_before=whole))
    assert deadline_of(answered()) is None


async def test_a_station_that_waits_longer_than_customs_is_told(loop: Middle) -> None:
    await loop.send("post-a", item())
    await loop.send("customs", referral("RFI"))
    late = ReferralHop(party="post-b", reply_before=NOW + timedelta(hours=2))
    stored = await loop.send(
        "post-a", passed_on(hops=(late,), reply_before=NOW + timedelta(hours=1))
    )
    assert ["referral.clock"] == codes(stored)
    assert State.ACCEPTED is stored.state


async def test_an_answer_is_awaited_as_long_as_the_referral_says_from_its_delivery(
    loop: Middle,
) -> None:
    await loop.send("post-a", item())
    asked = await loop.send("customs", referral("RFI", reply_before=NOW + timedelta(hours=2)))
    assert 1 == len(await got(loop, "post-a"))
    delivered = loop.now

    late = delivered + timedelta(hours=2)
    assert () == (await loop.journal.awaiting.page(Asked(), now=late - SECOND)).answers
    (overdue,) = (await loop.journal.awaiting.page(Asked(), now=late)).answers
    assert (outcomes(asked)[0].message_id, "post-a", "inbox:post-a") == (
        overdue.message_id,
        overdue.party,
        overdue.destination,
    )

    await loop.send("post-a", answered())
    assert () == (await loop.journal.awaiting.page(Asked(), now=late)).answers


async def test_each_hop_has_a_clock_of_its_own(loop: Middle) -> None:
    await loop.send("post-a", item())
    whole = NOW + timedelta(hours=4)
    await loop.send("customs", referral("RFI", reply_before=whole))
    await got(loop, "post-a")
    station = ReferralHop(party="post-b", reply_before=NOW + timedelta(hours=1))
    await loop.send("post-a", passed_on(hops=(station,), reply_before=whole))
    await got(loop, "gateway-pn")

    now = loop.now + timedelta(hours=2)
    overdue = (await loop.journal.awaiting.page(Asked(), now=now)).answers
    assert ["gateway-pn"] == [one.party for one in overdue]
    overdue = (await loop.journal.awaiting.page(Asked(), now=now + timedelta(hours=3))).answers
    assert {"gateway-pn", "post-a"} == {one.party for one in overdue}


@pytest.mark.parametrize("kind", ["DNL", "AC", "RFA"])
async def test_nothing_is_awaited_of_what_no_referral_answers(loop: Middle, kind: str) -> None:
    await loop.send("post-a", item())
    await loop.send("customs", referral(kind, reply_before=NOW + timedelta(hours=2)))
    await got(loop, "post-a")
    page = await loop.journal.awaiting.page(Asked(overdue=False), now=loop.now)
    assert () == page.answers


async def test_an_item_that_nobody_declared_may_wait_beside_a_bag_that_is_not_packed(
    loop: Middle,
) -> None:
    stored = await loop.send("customs", referral("DNL", item_ids=(ID,), receptacle_ids=(BAG,)))
    (outcome,) = outcomes(stored)
    assert State.ACCEPTED is outcome.status
    assert [("declarant.unknown", False), ("receptacle.unknown", False)] == [
        (fault.code, fault.refuses) for fault in outcome.faults
    ]


async def test_what_answers_a_message_goes_to_its_sender_whoever_declared_since(
    loop: Middle,
) -> None:
    back = Route(name="decisions", kinds=("CustomsResponse",), to=(ORIGIN,))
    loop.network = msgspec.structs.replace(
        loop.network, routes=Routes((*loop.network.routes.entries, back))
    )
    first = outcomes(await loop.send("post-a", item()))[0].message_id
    await loop.send("post-b", item())
    await loop.send("customs", decided("held", regards=first))
    assert 1 == len(await got(loop, "post-a"))
    assert [] == await got(loop, "post-b")
