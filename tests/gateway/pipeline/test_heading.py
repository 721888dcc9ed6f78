"""What a delivery says about itself, and a filing that names its declarant."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from gateway.core.identifiers import message_id, short_reference
from gateway.pipeline.heading import Heading, probe
from gateway.routing import Endpoints
from tests import samples
from tests.gateway.pipeline.conftest import FORMATS, Middle, endpoint, outcomes
from translators.canonical import Header, ItemDeclaration, Reference, TradeParty
from translators.translator import FormatId, decode

F43 = FormatId("eu.ics2.f43.2")
DECLARANT = TradeParty(
    name="Example Post", references=(Reference(type="EORI", value="LU00000000"),)
)
SOLD = samples.item(destination_country="LU")
MESSAGE = message_id(1, 1 << 40, 7)


def filing(middle: Middle, header: Header) -> None:
    """Risk gets filings from here on."""
    own = msgspec.structs.replace(endpoint("risk", F43), header=header)
    others = endpoint("clearance", "luxor.json.1")
    middle.network = msgspec.structs.replace(
        middle.network, endpoints=Endpoints.of([own, others, endpoint("gateway-pn", others.format)])
    )


def test_a_delivery_says_who_sends_to_whom_under_a_short_reference() -> None:
    of_risk = Heading(endpoint("risk", F43), sender="gateway-lx", recipient="LUA")

    found = of_risk.of(SOLD, message_id=MESSAGE, prepared_at=samples.NOW)

    assert found == Header(
        sender="gateway-lx",
        recipient="LUA",
        control_reference=short_reference(MESSAGE),
        prepared_at=samples.NOW,
        addressed_country="LU",
    )


def test_what_an_endpoint_says_of_itself_goes_first() -> None:
    own = Header(recipient="LU000100", addressed_country="FR", declarant=DECLARANT, test=True)

    found = probe(msgspec.structs.replace(endpoint("risk", F43), header=own), SOLD)

    assert ("LU000100", "FR", DECLARANT, True) == (
        found.recipient,
        found.addressed_country,
        found.declarant,
        found.test,
    )


async def test_an_item_is_filed_with_the_declarant_of_its_destination(middle: Middle) -> None:
    filing(middle, Header(declarant=DECLARANT))

    await middle.send("post-a", SOLD)

    lease = await middle.journal.lease("risk", limit=1, seconds=60, now=samples.NOW)
    assert lease is not None
    endpoint_ = middle.network.endpoints.get("risk")
    prepared = await middle.preparer.prepare(lease.deliveries[0], endpoint_)
    assert F43 == prepared.outgoing.format
    filed = decode(FORMATS.get(F43), prepared.outgoing.content)
    (item,) = filed.messages
    assert isinstance(item, ItemDeclaration)
    reference = short_reference(prepared.outgoing.message_id)
    assert (DECLARANT, "LU", reference, SOLD.item_id) == (
        filed.header.declarant,
        filed.header.addressed_country,
        filed.header.control_reference,
        item.item_id,
    )


async def test_without_a_declarant_nobody_is_told_that_an_item_was_filed(
    middles: Callable[..., Middle],
) -> None:
    middle = middles()
    filing(middle, Header())

    (outcome,) = outcomes(await middle.send("post-a", SOLD))

    refused = [fault.path for fault in outcome.faults if fault.refuses]
    assert ["/header/declarant"] == refused
