"""In somebody's name: whose the messages are, who is recorded, and what is refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from gateway.agreements import Agreement, Agreements, Minimiser
from gateway.core.errors import Refused
from gateway.routing import ORIGIN, Route, Routes
from tests import samples
from tests.gateway.pipeline.acting import BROKER, KEYS, POST_B, Acting
from tests.gateway.pipeline.conftest import ALL, FORMATS, JSON, Middle, codes, outcomes
from translators.canonical import (
    CustomsResponse,
    Header,
    Interchange,
    ItemDeclaration,
    Order,
    Provenance,
)
from translators.translator import encode
from trust import receipt
from trust.identity import Identity, PartyId

DENIED = "permission.on-behalf-of"
FOR_BROKERS = Agreement(
    name="brokers", purpose="tests", party="broker", kinds=("CustomsResponse",), fields=("**",)
)
ITEM = samples.item()


@pytest.fixture
def acting(middle: Middle) -> Acting:
    """A gateway with a broker that may act for two posts."""
    return Acting(middle)


async def test_both_parties_are_recorded(acting: Acting) -> None:
    stored = await acting.send(ITEM, on_behalf_of="post-b")

    (entry,) = await acting.middle.journal.trace(ITEM.item_id)
    assert (entry.message.party, entry.message.on_behalf_of) == (BROKER, POST_B)
    keys = {acting.middle.signer.kid: acting.middle.signer.public_key}
    claims = receipt.verify(stored.receipt, keys)
    assert (claims.party, claims.on_behalf_of) == (BROKER, POST_B)


async def test_in_ones_own_name_nothing_says_otherwise(acting: Acting) -> None:
    stored = await acting.send(ITEM)

    (entry,) = await acting.middle.journal.trace(ITEM.item_id)
    assert entry.message.on_behalf_of is None
    keys = {acting.middle.signer.kid: acting.middle.signer.public_key}
    assert receipt.verify(stored.receipt, keys).on_behalf_of is None


@pytest.mark.parametrize("claimed", ["shop", "nobody", "", "broker", "post-b\n", "POST-B"])
async def test_without_a_delegation_it_is_refused_before_the_content_is_read(
    acting: Acting, claimed: str
) -> None:
    assert await acting.refused(content=b"no JSON", on_behalf_of=claimed) == DENIED
    with pytest.raises(Refused, match=DENIED):
        acting.gateway.permit(
            Identity(party=BROKER), interchange_id="i", format_id=JSON, on_behalf_of=claimed
        )


async def test_a_field_of_the_content_makes_nobody_act_for_anybody(acting: Acting) -> None:
    told = Provenance(
        message_id="m-1",
        party="post-b",
        interchange_id="i-0",
        accepted_at=acting.middle.now,
        on_behalf_of="post-b",
    )

    stored = await acting.send(samples.item(provenance=told))

    (entry,) = await acting.middle.journal.trace(ITEM.item_id)
    assert (entry.message.party, entry.message.on_behalf_of) == (BROKER, None)
    assert codes(stored) == ["provenance.ignored"]


async def test_each_message_is_judged_by_the_delegation(acting: Acting) -> None:
    acting.install(
        *acting.middle.parties.parties.values(),
        delegations=[acting.token("post-b", kinds=("Order",))],
    )

    stored = await acting.send(ITEM, samples.ORDER, on_behalf_of="post-b")

    assert [(o.kind, [f.code for f in o.faults]) for o in outcomes(stored) if o.faults] == [
        ("ItemDeclaration", [DENIED])
    ]
    assert (stored.accepted, stored.refused) == (1, 1)


@pytest.mark.parametrize(
    "change",
    [
        ("broker", {"grants": (ALL,)}),
        ("post-b", {"grants": ()}),
        ("post-b", {"suspended": True}),
        ("post-b", {"signing_keys": ()}),
    ],
    ids=["no grant of the broker", "no grant of the post", "suspended", "its key removed"],
)
async def test_what_is_taken_away_counts_at_once(
    acting: Acting, change: tuple[str, dict[str, Any]]
) -> None:
    assert await acting.refused(ITEM, on_behalf_of="post-b") == ""

    acting.change(change[0], **change[1])

    assert await acting.refused(ITEM, on_behalf_of="post-b", identifier="i-2") == DENIED


async def test_a_delegation_ends_with_its_time(acting: Acting) -> None:
    acting.middle.now += timedelta(days=365)

    assert await acting.refused(ITEM, on_behalf_of="post-b") == DENIED


@pytest.mark.parametrize(
    ("signed_for", "claimed", "code"),
    [
        ("post-b", "post-b", ""),
        (None, "post-b", "signature.principal"),
        ("post-a", "post-b", "signature.principal"),
        ("post-b", None, "signature.principal"),
        (None, None, ""),
    ],
)
async def test_a_signature_says_in_whose_name(
    acting: Acting, signed_for: str | None, claimed: str | None, code: str
) -> None:
    given = {"signer": KEYS["broker"], "signed_for": signed_for, "on_behalf_of": claimed}

    assert await acting.refused(ITEM, **given) == code


async def test_the_principals_key_does_not_sign_for_its_delegate(acting: Acting) -> None:
    given = {"signer": KEYS["post-b"], "signed_for": "post-b", "on_behalf_of": "post-b"}

    assert await acting.refused(ITEM, **given) == "signature.key-unknown"


async def test_for_a_party_that_must_sign_its_delegate_signs(acting: Acting) -> None:
    acting.change("post-b", must_sign=True)

    assert await acting.refused(ITEM, on_behalf_of="post-b") == "signature.missing"
    given = {"signer": KEYS["broker"], "signed_for": "post-b", "on_behalf_of": "post-b"}
    assert await acting.refused(ITEM, **given) == ""


async def test_versions_count_with_the_author_whoever_sent_it(acting: Acting) -> None:
    for number, (sender, name) in enumerate(
        [("post-b", None), ("broker", "post-b"), ("broker", "post-a"), ("post-b", None)]
    ):
        item = samples.item(remark=f"change {number}")
        await acting.send(item, sender=sender, on_behalf_of=name, identifier=f"v-{number}")

    found = [entry.message for entry in await acting.middle.journal.trace(ITEM.item_id)]
    assert [(m.party, m.on_behalf_of, m.version) for m in found] == [
        ("post-b", None, 1),
        ("broker", "post-b", 2),
        ("broker", "post-a", 1),
        ("post-b", None, 3),
    ]


async def test_keys_of_two_principals_do_not_meet(acting: Acting) -> None:
    acting.change("broker", severities={"s10.form": "ignore"})
    local = samples.item(item_id="PARCEL-1")
    for number, name in enumerate(("post-a", "post-b")):
        await acting.send(local, on_behalf_of=name, identifier=f"k-{number}")

    found = [entry.message for entry in await acting.middle.journal.trace("PARCEL-1")]
    assert [(m.key.origin, m.version) for m in found] == [("post-a", 1), ("post-b", 1)]


async def test_control_references_of_two_principals_do_not_meet(acting: Acting) -> None:
    header = Header(sender="x", recipient="y", control_reference="REF-1")
    content = encode(FORMATS.get(JSON), Interchange(header=header, messages=(ITEM,)))

    async def used(number: int, sender: str, name: str | None) -> str:
        return await acting.refused(
            content=content, sender=sender, on_behalf_of=name, identifier=f"c-{number}"
        )

    assert await used(1, "broker", "post-a") == ""
    assert await used(2, "broker", "post-b") == ""
    assert await used(3, "post-b", None) == ""
    assert await used(4, "broker", None) == ""
    assert await used(5, "broker", "post-b") == "interchange.control-reference"


async def test_an_interchange_id_is_the_senders(acting: Acting) -> None:
    await acting.send(ITEM, on_behalf_of="post-a", identifier="same")

    other = await acting.refused(
        samples.item(remark="other"), on_behalf_of="post-b", identifier="same"
    )

    assert other == "interchange.conflict"


async def test_who_let_it_be_sent_sees_it_in_its_trace_and_others_do_not(acting: Acting) -> None:
    await acting.send(ITEM, on_behalf_of="post-b")

    async def seen(name: str) -> int:
        return len(await acting.gateway.trace(Identity(party=PartyId(name)), ITEM.item_id))

    assert [await seen(name) for name in ("broker", "post-b", "post-a")] == [1, 1, 0]


async def test_routes_see_whose_message_it_is(acting: Acting) -> None:
    middle = acting.middle
    middle.network = msgspec.structs.replace(
        middle.network,
        routes=Routes((Route(name="posts", kinds=("*",), to=("risk",), from_roles=("post",)),)),
    )

    assert codes(await acting.send(ITEM, on_behalf_of="post-b")) == []
    assert codes(await acting.send(ITEM, identifier="i-2")) == ["route.none"]


async def test_answers_go_to_who_sent_it_and_only_its_receiver_gives_them(
    acting: Acting,
) -> None:
    middle = acting.middle
    answers = Route(name="a", kinds=("CustomsResponse",), to=(ORIGIN,), origin_roles=("post",))
    middle.network = msgspec.structs.replace(
        middle.network,
        routes=Routes((middle.network.routes.get("items"), answers)),
        agreements=Agreements.of((*middle.network.agreements.entries, FOR_BROKERS)),
        minimisers={**middle.network.minimisers, "brokers": Minimiser(("**",))},
    )
    stored = await acting.send(ITEM, on_behalf_of="post-b")
    (outcome,) = outcomes(stored)
    assert outcome.message_id is not None
    answer = CustomsResponse(
        decision="cleared", decided_at=middle.now, regards=outcome.message_id, item_id=ITEM.item_id
    )

    first = await middle.send("clearance", answer)

    (entry,) = [e for e in await middle.journal.trace(ITEM.item_id) if e.message.regards]
    assert first.accepted == 1
    assert entry.message.destinations == ("inbox:broker",)
    assert codes(await acting.send(answer, on_behalf_of="post-b", identifier="a-2")) == [
        "regards.unknown"
    ]


async def test_who_acts_for_a_receiver_may_answer_what_that_one_received(acting: Acting) -> None:
    middle = acting.middle
    middle.network = msgspec.structs.replace(
        middle.network,
        routes=Routes(
            (
                Route(name="to-b", kinds=("ItemDeclaration",), to=("inbox:post-b",)),
                Route(name="back", kinds=("CustomsResponse",), to=(ORIGIN,)),
            )
        ),
    )
    acting.change("post-b", roles=frozenset({"backend"}))
    stored = await acting.send(ITEM, sender="post-a")
    (outcome,) = outcomes(stored)
    assert outcome.message_id is not None
    answer = CustomsResponse(
        decision="cleared", decided_at=middle.now, regards=outcome.message_id, item_id=ITEM.item_id
    )

    assert codes(await acting.send(answer, identifier="a-1")) == ["regards.unknown"]
    assert codes(await acting.send(answer, on_behalf_of="post-b", identifier="a-2")) == []


def test_the_samples_are_of_the_kinds_that_these_tests_mean() -> None:
    assert isinstance(ITEM, ItemDeclaration)
    assert isinstance(samples.ORDER, Order)


async def test_a_repeat_is_one_in_the_same_name(acting: Acting) -> None:
    first = await acting.send(ITEM, on_behalf_of="post-a")

    again = await acting.send(ITEM, on_behalf_of="post-a")
    assert (again.repeated, again.receipt) == (True, first.receipt)
    for other in ("post-b", None):
        assert await acting.refused(ITEM, on_behalf_of=other) == "interchange.conflict"
