"""The inbound half: judged message by message, committed once, answered with a receipt."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal

import msgspec
import pytest

from gateway.core.errors import Refused
from gateway.core.records import Outcome, State
from gateway.pipeline.inbound import Sitting
from gateway.pipeline.settings import Limits
from gateway.telemetry.stages import Stages
from tests import samples
from tests.e2e import documents
from tests.gateway.pipeline.conftest import Middle, codes, outcomes
from translators.canonical import (
    Address,
    CustomsResponse,
    ItemDeclaration,
    Office,
    Provenance,
    TradeParty,
)
from translators.faults import Fault, Severity
from translators.translator import FormatId
from trust.identity import PartyId


def items(count: int) -> list[ItemDeclaration]:
    return [samples.item(item_id=samples.s10(number)) for number in range(count)]


async def test_a_good_interchange_is_accepted_and_planned(middle: Middle) -> None:
    stored = await middle.send("post-a", *items(3))

    assert (State.ACCEPTED, 3, 0) == (stored.state, stored.accepted, stored.refused)
    assert stored.receipt.count(".") == 2
    assert 3 == len(await middle.waiting("risk"))
    assert 3 == len(await middle.waiting("clearance"))


async def test_one_bad_message_refuses_only_itself(middle: Middle) -> None:
    good, bad = items(2)
    bad = msgspec.structs.replace(bad, gross_weight=Decimal(0), item_id="EE471108152FR")

    stored = await middle.send("post-a", good, bad)

    assert (State.ACCEPTED, 1, 1) == (stored.state, stored.accepted, stored.refused)
    assert {"weight.not-positive", "s10.check-digit"} == set(codes(stored))
    assert [good.item_id] == [m.item_id for m in await middle.waiting("risk")]  # type: ignore[union-attr]


async def test_a_message_that_can_not_be_understood_is_judged_as_far_as_it_can(
    middle: Middle,
) -> None:
    item = documents.item("EE471108152FR", country="QQ").replace("0.750", "1,5")
    stored = await middle.send(
        "post-a", content=documents.itmatt(item), format_id=FormatId("upu.itmatt.1")
    )
    (outcome,) = outcomes(stored)

    assert ("ItemDeclaration", "EE471108152FR") == (outcome.kind, outcome.key)
    assert {"decimal.invalid", "s10.check-digit", "country.unknown"} == set(codes(stored))
    assert all(fault.line for fault in outcome.faults)


async def test_a_repeat_gets_the_first_receipt_and_makes_nothing_new(middle: Middle) -> None:
    first = await middle.send("post-a", *items(1), identifier="x")
    again = await middle.send("post-a", *items(1), identifier="x")

    assert (False, True) == (first.repeated, again.repeated)
    assert first.receipt == again.receipt
    assert 1 == len(await middle.waiting("risk"))


async def test_the_same_id_with_other_bytes_is_a_conflict(middle: Middle) -> None:
    await middle.send("post-a", *items(1), identifier="x")

    with pytest.raises(Refused, match=r"interchange\.conflict"):
        await middle.send("post-a", *items(2), identifier="x")


async def test_two_at_once_under_one_id_become_one(middle: Middle) -> None:
    both = await asyncio.gather(
        middle.send("post-a", *items(2), identifier="x"),
        middle.send("post-a", *items(2), identifier="x"),
    )

    assert 1 == len({stored.receipt for stored in both})
    assert 2 == len(await middle.waiting("risk"))


async def test_a_refused_attempt_consumes_no_id(middle: Middle) -> None:
    bad = samples.item(item_id="EE471108152FR")

    refused = await middle.send("post-a", bad, identifier="x")
    twice = await middle.send("post-a", bad, identifier="x")
    accepted = await middle.send("post-a", samples.ITEM, identifier="x")

    assert [State.REFUSED, State.REFUSED, State.ACCEPTED] == [
        stored.state for stored in (refused, twice, accepted)
    ]
    assert [1, 2, 3] == [stored.attempt for stored in (refused, twice, accepted)]


async def test_a_control_reference_is_unique_per_sender(middle: Middle) -> None:
    itmatt = FormatId("upu.itmatt.1")
    await middle.send("post-a", content=documents.good(1, control="C"), format_id=itmatt)

    with pytest.raises(Refused, match=r"interchange\.control-reference"):
        await middle.send("post-a", content=documents.good(2, control="C"), format_id=itmatt)


async def test_a_document_that_breaks_off_refuses_all_of_it(middle: Middle) -> None:
    content = documents.itmatt(*(documents.item(samples.s10(n)) for n in range(5)))
    stored = await middle.send("post-a", content=content[:-40], format_id=FormatId("upu.itmatt.1"))

    assert (State.REFUSED, 0) == (stored.state, stored.accepted)
    assert "xml.malformed" == outcomes(stored)[0].faults[0].code
    assert [] == await middle.waiting("risk")


@pytest.mark.parametrize("cut", [0, 400])
async def test_a_large_interchange_is_staged_and_appears_whole_or_not_at_all(
    middles: Callable[..., Middle], cut: int
) -> None:
    middle = middles(limits=Limits(staged_from=100, chunk=7))
    content = documents.itmatt(*(documents.item(samples.s10(n)) for n in range(50)))
    content = content[: len(content) - cut]

    stored = await middle.send("post-a", content=content, format_id=FormatId("upu.itmatt.1"))

    expected = (State.REFUSED, 0) if cut else (State.ACCEPTED, 50)
    assert expected == (stored.state, stored.accepted)
    assert (0 if cut else 50) == len(await middle.waiting("risk"))
    assert content == b"".join(
        [await middle.journal.raw(stored.record, at) or b"" for at in range(3)]
    )


async def test_all_or_nothing_is_the_partys_choice(middles: Callable[..., Middle]) -> None:
    middle = middles(all_or_nothing=True)

    stored = await middle.send("post-a", samples.ITEM, samples.item(item_id="EE471108152FR"))

    assert (State.REFUSED, 0, 2) == (stored.state, stored.accepted, stored.refused)
    assert "interchange.all-or-nothing" in codes(stored)


async def test_all_or_nothing_holds_beside_a_warning_about_the_whole(
    middles: Callable[..., Middle],
) -> None:
    middle = middles(all_or_nothing=True)
    sitting = Sitting(await middle.journal.reserve(), middle.sender("post-a"), Stages().watch())
    sitting.broken = [Fault(code="example", severity=Severity.WARNING)]
    sitting.outcomes = [
        Outcome(ordinal=1, status=State.ACCEPTED),
        Outcome(ordinal=2, status=State.REFUSED),
    ]
    sitting.accepted = 1

    middle.inbound._conclude(sitting)

    assert (0, 2) == (sitting.accepted, sitting.refused)
    assert [(0, "example"), (1, "interchange.all-or-nothing")] == [
        (outcome.ordinal, outcome.faults[0].code) for outcome in sitting.outcomes[:2]
    ]


async def test_too_many_messages_are_refused_as_a_whole(middles: Callable[..., Middle]) -> None:
    middle = middles(limits=Limits(messages=2))

    with pytest.raises(Refused, match="too-many-messages"):
        await middle.send("post-a", *items(3))


async def test_what_no_route_takes_is_refused(middle: Middle) -> None:
    stored = await middle.send("post-a", samples.item(destination_country="BE"))

    assert ["route.none"] == codes(stored)


async def test_a_kind_without_a_grant_is_refused(middles: Callable[..., Middle]) -> None:
    from trust.party import Grant

    grant = Grant(formats=("*",), kinds=("Order",), countries=("*",))
    middle = middles(grants=(grant,))

    assert ["permission.kind"] == codes(await middle.send("post-a", samples.ITEM))


async def test_only_who_received_a_message_may_answer_it(middle: Middle) -> None:
    item = outcomes(await middle.send("post-a", samples.ITEM))[0]
    answer = CustomsResponse(
        decision="released",
        decided_at=samples.NOW,
        regards=item.message_id,
        item_id=samples.ITEM.item_id,
        office=Office(code="LU001"),
    )

    assert ["regards.unknown"] == codes(await middle.send("shop", answer))
    assert [] == codes(await middle.send("clearance", answer))
    assert ["regards.unknown"] == codes(
        await middle.send("clearance", msgspec.structs.replace(answer, regards="never-given"))
    )


async def test_an_answer_goes_to_the_origin_in_its_format(middle: Middle) -> None:
    item = outcomes(await middle.send("post-a", samples.ITEM))[0]
    answer = CustomsResponse(
        decision="released",
        decided_at=samples.NOW,
        regards=item.message_id,
        item_id=samples.ITEM.item_id,
    )

    await middle.send("clearance", answer)
    (got,) = await middle.waiting("post-a")

    assert isinstance(got, CustomsResponse)
    assert ("released", samples.ITEM.item_id) == (got.decision, got.item_id)


async def test_what_an_agreement_withholds_never_leaves(middle: Middle) -> None:
    secret = TradeParty(name="Canary Name", address=Address(country="PT", city="Canary City"))
    await middle.send("post-a", samples.item(addressee=secret))

    (got,) = await middle.waiting("gateway-pn")

    assert isinstance(got, ItemDeclaration)
    assert b"Canary" not in msgspec.json.encode(got)
    assert Address(country="PT") == got.addressee.address
    assert got.provenance is not None
    assert "gateway-lx" == got.provenance.party, "the source is hidden"


async def test_what_a_target_format_can_not_express_is_said_to_the_sender(middle: Middle) -> None:
    # ITMATT needs the sender's address, which the agreement with the partner withholds.
    addressee = msgspec.structs.replace(samples.ADDRESSEE, address=Address(country="ES"))
    stored = await middle.send("post-a", samples.item(addressee=addressee))

    assert State.REFUSED is stored.state
    assert any(code.startswith("target.") for code in codes(stored))


async def test_provenance_from_a_party_that_is_no_gateway_is_not_used(middle: Middle) -> None:
    claim = Provenance(
        message_id="m", party="somebody", interchange_id="i", accepted_at=samples.NOW
    )
    stored = await middle.send("post-a", samples.item(provenance=claim))
    (got,) = await middle.waiting("risk")

    assert ["provenance.ignored"] == codes(stored)
    assert got.provenance is not None
    assert ("post-a", None) == (got.provenance.party, got.provenance.upstream_id)


async def test_an_answer_to_another_gateway_names_its_own_message(middle: Middle) -> None:
    claim = Provenance(
        message_id="upstream-7", party="post-b", interchange_id="i", accepted_at=samples.NOW
    )
    item = outcomes(await middle.send("gateway-pn", samples.item(provenance=claim)))[0]
    answer = CustomsResponse(
        decision="released",
        decided_at=samples.NOW,
        regards=item.message_id,
        item_id="EE471108151FR",
    )

    await middle.send("clearance", answer)
    (got,) = await middle.waiting("gateway-pn")

    assert isinstance(got, CustomsResponse)
    assert "upstream-7" == got.regards


async def test_versions_count_per_party_and_key(middle: Middle) -> None:
    await middle.send("post-a", samples.ITEM)
    await middle.send("post-a", samples.item(remark="repaired"))
    await middle.send("shop", samples.ITEM)
    got = await middle.waiting("risk")

    assert [("original", 1), ("replacement", 2), ("original", 1)] == [
        (m.function, m.provenance.version)  # type: ignore[union-attr]
        for m in got
    ]


async def test_a_refusal_before_judging_is_journaled_and_consumes_no_id(middle: Middle) -> None:
    await middle.inbound.note_refusal(
        middle.sender("post-a"),
        Refused("signature.invalid", "example"),
        interchange_id="x",
        format_id="upu.itmatt.1",
        transport="https",
        at=middle.now,
    )
    (refusal,) = await middle.journal.refusals("x")
    stored = await middle.send("post-a", samples.ITEM, identifier="x")

    assert ["signature.invalid"] == codes(refusal)
    assert State.ACCEPTED is stored.state
    assert PartyId("post-a") == refusal.party


async def test_an_interchange_id_of_full_length_reaches_the_receiver(middle: Middle) -> None:
    await middle.send("post-a", *items(1), identifier="x" * 120)

    (got,) = await middle.waiting("risk")
    assert got.provenance is not None
    assert "x" * 120 == got.provenance.interchange_id
