"""Who is told whether an item may go, and how much of why. Out of a journal, by the rules."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from gateway.agreements import Agreement, Agreements, Minimiser, Source
from gateway.core.clearance import Clearance, Verdict
from gateway.core.errors import Refused
from gateway.pipeline.clearance import ClearanceSettings
from gateway.pipeline.clearing import Clearing
from gateway.pipeline.weighing import AT_ONCE, MOST_MESSAGES, weigh
from gateway.routing import Route, Routes
from tests.gateway.pipeline.clearances import (
    BAG,
    ID,
    assessed,
    decided,
    declared,
    despatched,
    referral,
)
from tests.gateway.pipeline.conftest import Middle, outcomes, party
from tests.samples import s10
from trust.identity import PartyId

SORTER = PartyId("sorter")
UNKNOWN = ("no", "item.unknown", None, ())


@pytest.fixture
def desk(middle: Middle) -> Middle:
    """The network of the samples with a sorting centre."""
    known = middle.parties.parties
    middle.parties = type(middle.parties)(
        parties=[*known.values(), party("sorter", "sorting"), party("stranger", "post")]
    )
    return middle


def agreed(desk: Middle, *fields: str, kinds: tuple[str, ...] = ("Clearance",)) -> None:
    """The sorting centre has an agreement for these fields."""
    entry = Agreement(name="sorting", purpose="tests", party="sorter", kinds=kinds, fields=fields)
    desk.network = msgspec.structs.replace(
        desk.network,
        agreements=Agreements.of([*desk.network.agreements.entries, entry]),
        minimisers={**desk.network.minimisers, "sorting": Minimiser(fields)},
    )


def clearing(desk: Middle, seen: list[Clearance] | None = None, **settings: Any) -> Clearing:
    return Clearing(
        histories=desk.journal.histories,
        settings=lambda: ClearanceSettings(**settings),
        network=lambda: desk.network,
        parties=lambda: desk.parties,
        clock=desk.clock,
        observe=(seen if seen is not None else []).append,
    )


async def told(desk: Middle, name: str, item: str = ID, **settings: Any) -> tuple[object, ...]:
    """Answer, reason, who decided, and how many messages are named."""
    (answer,) = await clearing(desk, **settings).answer(PartyId(name), [item])
    return answer.answer.value, answer.reason, answer.decided_by, answer.messages


async def released(desk: Middle) -> str:
    """The post declares, the back end releases; the message id of the decision."""
    stored = await desk.send("post-a", declared(destination_country="LU"))
    regards = outcomes(stored)[0].message_id
    answer = await desk.send("clearance", decided("released", regards=regards))
    return str(outcomes(answer)[0].message_id)


async def test_who_declared_an_item_is_told_whether_it_may_go_and_by_whom(desk: Middle) -> None:
    decision = await released(desk)
    assert ("yes", "decision.released", "clearance", (decision,)) == await told(desk, "post-a")


@pytest.mark.parametrize("name", ["stranger", "shop", "sorter", "gateway-pn", "nobody"])
async def test_whoever_has_nothing_to_do_with_it_gets_what_an_unknown_item_gets(
    desk: Middle, name: str
) -> None:
    await released(desk)
    assert UNKNOWN == await told(desk, name)
    assert UNKNOWN == await told(desk, name, s10(999))


async def test_the_answer_to_strangers_is_the_configured_one(desk: Middle) -> None:
    await released(desk)
    assert "wait" == (await told(desk, "stranger", unknown=Verdict.WAIT))[0]


async def test_an_agreement_lets_a_sorting_centre_ask(desk: Middle) -> None:
    decision = await released(desk)
    agreed(desk, "**")
    assert ("yes", "decision.released", "clearance", (decision,)) == await told(desk, "sorter")


async def test_it_is_told_no_more_than_its_agreement_says(desk: Middle) -> None:
    await released(desk)
    agreed(desk, "item", "answer")
    assert ("yes", "undisclosed", None, ()) == await told(desk, "sorter")


async def test_an_agreement_about_messages_is_none_about_clearance(desk: Middle) -> None:
    await released(desk)
    agreed(desk, "**", kinds=("*",))
    assert UNKNOWN == await told(desk, "sorter")


async def test_a_reason_that_was_not_said_to_the_asker_is_not_told(desk: Middle) -> None:
    stored = await desk.send("post-a", declared(destination_country="LU"))
    regards = outcomes(stored)[0].message_id
    await desk.send("risk", assessed("do-not-load", regards=regards))
    assert ("no", "undisclosed", None, ()) == await told(desk, "post-a")
    agreed(desk, "reason", "decided_by")
    assert ("no", "assessment.do-not-load", "risk", ()) == await told(desk, "sorter")


async def test_a_source_that_an_agreement_hides_stays_hidden(desk: Middle) -> None:
    await released(desk)
    entries = tuple(
        msgspec.structs.replace(entry, source=Source.HIDDEN) if entry.name == "answers" else entry
        for entry in desk.network.agreements.entries
    )
    desk.network = msgspec.structs.replace(desk.network, agreements=Agreements.of(entries))
    assert ("yes", "decision.released", None) == (await told(desk, "post-a"))[:3]


async def test_who_was_told_a_decision_may_ask(desk: Middle) -> None:
    """The partner got the decision on what another party declared."""
    stored = await desk.send("gateway-pn", declared(destination_country="LU"))
    regards = outcomes(stored)[0].message_id
    await desk.send("clearance", decided("held", regards=regards))
    await desk.send("post-a", declared(destination_country="LU"))
    assert "no" == (await told(desk, "gateway-pn"))[0]


async def test_everybody_has_their_own_item_of_a_name_that_is_not_unique(desk: Middle) -> None:
    mine = await desk.send(
        "post-a", declared(item_id="P-1", item_id_type="local", destination_country="LU")
    )
    await desk.send(
        "stranger", declared(item_id="P-1", item_id_type="local", destination_country="LU")
    )
    regards = outcomes(mine)[0].message_id
    await desk.send("clearance", decided("released", item_id="P-1", regards=regards))

    (answer,) = await clearing(desk).answer(PartyId("post-a"), ["P-1"])
    assert ("yes", True) == (answer.answer, answer.ambiguous)
    (answer,) = await clearing(desk).answer(PartyId("stranger"), ["P-1"])
    assert ("wait", True) == (answer.answer, answer.ambiguous)


async def test_an_identifier_that_is_used_again_is_about_its_latest_use(desk: Middle) -> None:
    await released(desk)
    desk.now += timedelta(days=366)
    await desk.send("post-a", declared(destination_country="LU"))
    (answer,) = await clearing(desk).answer(PartyId("post-a"), [ID])
    assert ("wait", "decision.missing", True) == (answer.answer, answer.reason, answer.ambiguous)


async def test_a_bag_is_looked_up_both_ways(desk: Middle) -> None:
    desk.network = msgspec.structs.replace(
        desk.network,
        routes=Routes(
            (
                *desk.network.routes.entries,
                Route(name="all", kinds=("Referral", "Despatch"), to=("risk",)),
            )
        ),
    )
    await released(desk)
    await desk.send("clearance", referral("DNL", receptacle_ids=(BAG,)))
    assert "yes" == (await told(desk, "post-a"))[0]
    await desk.send("post-a", despatched(ID))
    assert "no" == (await told(desk, "post-a"))[0]


async def test_many_are_answered_in_order_each_as_often_as_it_is_asked(desk: Middle) -> None:
    items = [s10(number) for number in range(AT_ONCE + 10)]
    await desk.send(
        "post-a", *(declared(item_id=item, destination_country="LU") for item in items[::2])
    )
    seen: list[Clearance] = []
    asked = [*items, items[0]]
    answers = await clearing(desk, seen).answer(PartyId("post-a"), asked)
    assert asked == [answer.item for answer in answers] == [answer.item for answer in seen]
    assert ["wait", "no"] * (len(items) // 2) + ["wait"] == [a.answer.value for a in answers]


@pytest.mark.parametrize("items", [[], ["x"] * 3, [""], ["x" * 36]])
async def test_none_too_many_and_what_is_no_identifier_are_refused(
    desk: Middle, items: list[str]
) -> None:
    with pytest.raises(Refused, match=r"request\.invalid"):
        await clearing(desk, most_items=2).answer(PartyId("post-a"), items)


async def test_a_history_that_is_too_long_lets_nothing_go(desk: Middle) -> None:
    await released(desk)
    regards = (await desk.journal.trace(ID))[0].message.message_id
    decisions = [decided("released", regards=regards) for _ in range(MOST_MESSAGES)]
    await desk.send("clearance", *decisions)
    (weighed,) = await weigh(
        desk.journal.histories, [ID], now=desk.now, settings=ClearanceSettings()
    )
    basis = weighed.concluded.basis
    assert ("wait", "history.incomplete", None) == (basis.verdict, basis.reason, basis.until)
