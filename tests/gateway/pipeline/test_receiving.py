"""Grants to receive: judged when legs are planned, and again when they are prepared."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from gateway.core.errors import Refused, Unavailable
from gateway.core.records import Delivery, LegState
from gateway.pipeline.notices import NOTICE_FORMAT, Notices
from gateway.pipeline.spoken import spoken
from gateway.routing import Endpoint
from tests import samples
from tests.gateway.pipeline.acting import Acting
from tests.gateway.pipeline.conftest import ALL, FORMATS, JSON, Middle, codes
from tests.gateway.pipeline.test_inbox import ITMATT, Boxes
from translators.canonical import DeliveryFailed
from translators.translator import FormatId
from trust.identity import Identity, PartyId
from trust.members import Grant, Policy
from trust.party import Registry

ITEMS = Grant(
    direction="receive", formats=("luxor.*",), kinds=("ItemDeclaration",), countries=("*",)
)


def change(middle: Middle, name: str, *grants: Grant, **fields: Any) -> None:
    """Change what a party may receive."""
    found = middle.parties.party(PartyId(name))
    changed = msgspec.structs.replace(found, grants=(ALL, *grants), **fields)
    middle.parties = middle.parties.with_party(changed)


def close(middle: Middle) -> None:
    """Let nobody receive anything without a grant."""
    middle.parties = Registry(
        parties=middle.parties.parties.values(), policy=Policy(receive="granted")
    )


async def leased(middle: Middle, destination: str) -> tuple[Delivery, Endpoint]:
    """The one delivery that waits there."""
    lease = await middle.journal.lease(destination, limit=9, seconds=60, now=middle.now)
    assert lease is not None
    (delivery,) = lease.deliveries
    return delivery, middle.network.endpoints.get(destination)


async def test_a_party_without_such_a_grant_gets_what_is_agreed(middle: Middle) -> None:
    assert codes(await middle.send("post-a", samples.ITEM)) == []
    assert len(await middle.waiting("risk")) == 1


async def test_a_grant_lets_it_receive_what_it_covers(middle: Middle) -> None:
    change(middle, "risk", ITEMS)

    assert codes(await middle.send("post-a", samples.ITEM)) == []
    assert len(await middle.waiting("risk")) == 1


@pytest.mark.parametrize(
    "limit",
    [{"kinds": ("Order",)}, {"formats": ("upu.*",)}, {"countries": ("FR",)}],
    ids=["kind", "format", "country"],
)
async def test_what_no_grant_covers_is_a_fault_now_and_goes_nowhere(
    middle: Middle, limit: dict[str, Any]
) -> None:
    change(middle, "risk", msgspec.structs.replace(ITEMS, **limit))

    stored = await middle.send("post-a", samples.ITEM)

    assert codes(stored) == ["permission.receive"]
    assert await middle.waiting("clearance") == []


async def test_where_the_registry_is_closed_nobody_receives_without_a_grant(
    middle: Middle,
) -> None:
    close(middle)
    assert codes(await middle.send("post-a", samples.ITEM)) == ["permission.receive"] * 2

    for name in ("risk", "clearance"):
        change(middle, name, ITEMS)
    assert codes(await middle.send("post-a", samples.ITEM)) == []


async def test_a_grant_that_was_withdrawn_bites_what_was_planned_before(middle: Middle) -> None:
    change(middle, "risk", ITEMS)
    await middle.send("post-a", samples.ITEM)
    change(middle, "risk", msgspec.structs.replace(ITEMS, kinds=("Order",)))
    delivery, endpoint = await leased(middle, "risk")

    with pytest.raises(Refused) as refused:
        await middle.preparer.prepare(delivery, endpoint)
    assert refused.value.code == "permission.receive"

    change(middle, "risk", ITEMS)
    assert (await middle.preparer.prepare(delivery, endpoint)).outgoing.content


async def test_a_suspended_receiver_is_left_alone_and_nothing_is_buried(middle: Middle) -> None:
    await middle.send("post-a", samples.ITEM)
    change(middle, "risk", suspended=True)
    delivery, endpoint = await leased(middle, "risk")

    with pytest.raises(Unavailable) as unavailable:
        await middle.preparer.prepare(delivery, endpoint)

    assert not unavailable.value.reached  # costs the message no attempt
    change(middle, "risk", suspended=False)
    assert (await middle.preparer.prepare(delivery, endpoint)).outgoing.content


async def test_what_may_not_be_received_any_more_is_kept_and_comes_with_the_grant(
    middle: Middle,
) -> None:
    boxes = Boxes(middle)
    change(middle, "risk", ITEMS)
    await middle.send("post-a", samples.ITEM)
    change(middle, "risk", msgspec.structs.replace(ITEMS, kinds=("Order",)))

    assert await boxes.formats() == []
    (leg,) = await middle.journal.buried("inbox:risk")
    assert (leg.state, leg.code) == (LegState.BURIED, "permission.receive")

    change(middle, "risk", ITEMS)
    await middle.journal.retry("inbox:risk", now=middle.now)
    assert await boxes.formats() == [JSON]


async def test_an_inbox_passes_over_formats_that_its_party_may_not_receive(
    middle: Middle,
) -> None:
    boxes = Boxes(middle)
    boxes.spoken = (ITMATT, JSON)
    change(middle, "risk", ITEMS)
    await middle.send("post-a", samples.ITEM)

    assert await boxes.formats() == [JSON]
    assert boxes.buried == []


async def test_a_leg_to_an_inbox_is_planned_whatever_format_will_be_asked_for(
    middle: Middle,
) -> None:
    boxes = Boxes(middle)
    boxes.spoken = (ITMATT,)
    change(middle, "risk", msgspec.structs.replace(ITEMS, formats=("upu.*",)))

    assert codes(await middle.send("post-a", samples.ITEM)) == []
    assert await boxes.formats() == [ITMATT]


async def test_a_notice_of_the_gateway_reaches_who_may_receive_nothing_else(
    middle: Middle,
) -> None:
    await middle.send("post-a", samples.ITEM)
    delivery, _ = await leased(middle, "risk")
    close(middle)

    async def submit(envelope: Any) -> Any:
        sender = msgspec.structs.replace(middle.sender("gateway-lx"), own=True)
        return await middle.inbound.accept(sender, envelope)

    notices = Notices(submit=submit, clock=middle.clock)
    await notices.buried(delivery, Refused("translation.failed"))

    notice, endpoint = await leased(middle, "inbox:post-a")
    prepared = await middle.preparer.prepare(notice, endpoint)
    assert notice.message.kind == DeliveryFailed.__name__
    assert FORMATS.get(FormatId(NOTICE_FORMAT)).id == prepared.outgoing.format


async def test_a_buried_leg_of_a_withdrawn_grant_tells_its_sender_nothing(
    middle: Middle,
) -> None:
    await middle.send("post-a", samples.ITEM)
    delivery, _ = await leased(middle, "risk")
    told: list[object] = []

    async def submit(envelope: Any) -> Any:
        told.append(envelope)

    await Notices(submit=submit, clock=middle.clock).buried(delivery, Refused("permission.receive"))

    assert told == []


async def test_a_format_that_may_never_be_received_is_refused_to_who_asks_for_it(
    middle: Middle,
) -> None:
    acting = Acting(middle)
    acting.change("post-b", grants=(ALL, ITEMS))

    with pytest.raises(Refused) as refused:
        await acting.gateway.inbox(
            Identity(party=PartyId("post-b")), limit=1, wait=0, format_id=ITMATT
        )

    assert refused.value.code == "permission.receive"


@pytest.mark.parametrize(
    ("speaks", "grants", "expected"),
    [
        ((), (), ()),
        ((ITMATT,), (), (ITMATT,)),
        ((ITMATT,), (ITEMS,), (ITMATT, JSON)),
        ((), (msgspec.structs.replace(ITEMS, formats=(ITMATT,)),), (JSON, ITMATT)),
    ],
)
def test_an_inbox_is_served_in_what_is_spoken_then_in_what_may_be_received(
    middle: Middle,
    speaks: tuple[FormatId, ...],
    grants: tuple[Grant, ...],
    expected: tuple[FormatId, ...],
) -> None:
    change(middle, "risk", *grants, speaks=speaks)
    found = spoken(middle.parties, PartyId("risk"), formats=FORMATS)

    assert [name for name in found if name in (ITMATT, JSON)] == list(expected)
    assert spoken(middle.parties, PartyId("nobody"), formats=FORMATS) == ()
