"""A trace tells a party its own messages and what it was sent, and nothing of who hides behind."""

from __future__ import annotations

from gateway.core.deliveries import Act, Chosen, Deed
from gateway.core.records import TraceEntry
from gateway.pipeline.view import told_legs, visible
from tests import samples
from tests.gateway.pipeline.conftest import Middle
from trust.identity import PartyId

VALUE = samples.ITEM.item_id


async def seen(middle: Middle, party: str, value: str) -> tuple[TraceEntry, ...]:
    entries = await middle.journal.trace(value)
    return visible(
        entries,
        value=value,
        party=PartyId(party),
        network=middle.network,
        parties=middle.parties,
    )


async def test_the_sender_sees_its_message_with_every_leg(middle: Middle) -> None:
    await middle.send("post-a", samples.ITEM, identifier="secret")

    (entry,) = await seen(middle, "post-a", VALUE)
    assert {"risk", "clearance"} == {leg.destination for leg in entry.legs}
    assert "secret" == entry.message.interchange_id
    assert entry.message.body is None


async def test_a_receiver_sees_its_own_leg_only(middle: Middle) -> None:
    await middle.send("post-a", samples.ITEM, identifier="secret")

    (entry,) = await seen(middle, "risk", VALUE)
    assert ("risk",) == entry.message.destinations
    assert ["risk"] == [leg.destination for leg in entry.legs]
    assert () == entry.subjects
    assert "secret" == entry.message.interchange_id
    assert 1 == len(await seen(middle, "risk", "secret"))


async def test_who_neither_sent_nor_received_it_sees_nothing(middle: Middle) -> None:
    await middle.send("post-a", samples.ITEM, identifier="secret")

    assert () == await seen(middle, "shop", VALUE)
    assert () == await seen(middle, "shop", "secret")


async def test_a_hidden_source_is_hidden_in_the_trace_too(middle: Middle) -> None:
    transit = samples.item(destination_country="PT")
    await middle.send("post-a", transit, identifier="secret")

    (entry,) = await seen(middle, "gateway-pn", VALUE)
    message = entry.message
    assert str(message.message_id) == str(message.interchange_id)
    assert ("luxor.json.1", "grpc") == (entry.format, entry.transport)
    assert "post-a" not in repr(entry)
    assert () == await seen(middle, "gateway-pn", "secret")


async def test_what_an_operator_wrote_is_told_to_nobody(middle: Middle) -> None:
    await middle.send("post-a", samples.ITEM)
    for act in (Act.BURY, Act.RETRY, Act.SKIP):
        deed = Deed(act=act, by="anna", reason="between us")
        await middle.journal.deliveries.act(Chosen(destination="risk"), deed, now=middle.now)
        for party in ("post-a", "risk"):
            told = repr(await seen(middle, party, VALUE))
            assert "anna" not in told
            assert "between us" not in told

    (entry,) = await seen(middle, "post-a", VALUE)
    assert ["operator.buried", "operator.skipped"] == [attempt.code for attempt in entry.attempts]
    assert "anna" not in repr(told_legs(await middle.journal.legs(entry.message.record)))
