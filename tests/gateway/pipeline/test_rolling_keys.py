"""Three generations of a key, one after the other, while messages come in: none is refused."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import msgspec
import pytest

from gateway.core.errors import Refused
from gateway.core.identifiers import InterchangeId
from gateway.core.records import Stored
from tests import samples
from tests.gateway.pipeline.acting import KEYS, Acting
from tests.gateway.pipeline.conftest import Middle
from trust.authority import generate_key
from trust.identity import PartyId
from trust.keys import KeySigner
from trust.successor import Announcement, announce, succeed, verify

POST = PartyId("post-a")
DAY = timedelta(days=1)
GENERATIONS = (
    KEYS["post-a"],
    KeySigner(generate_key("Ed25519")),
    KeySigner(generate_key("P-384")),
)
SENT_EACH_DAY = 6


@pytest.fixture
def acting(middle: Middle) -> Acting:
    """A gateway in which the post must sign."""
    found = Acting(middle)
    found.change("post-a", must_sign=True)
    return found


def roll(acting: Acting, old: KeySigner, new: KeySigner) -> None:
    """The post announces its next key, and the operator accepts it; two days of overlap."""
    now = acting.middle.now
    token = announce(
        Announcement(
            party=POST,
            issued_at=int(now.timestamp()),
            replaces=old.kid,
            kid=new.kid,
            algorithm=new.alg,
            public_key=new.public_pem.decode(),
            key_from=int(now.timestamp()),
            old_until=int((now + 2 * DAY).timestamp()),
        ),
        old=old,
        new=new,
    )
    party = acting.middle.parties.party(POST)
    followed = succeed(party, verify(token, party, now=now))
    acting.change("post-a", signing_keys=followed.signing_keys)


async def day_of_sending(acting: Acting, day: int, *signers: KeySigner) -> list[Stored]:
    """A day's messages, side by side, by each of the keys in turn."""
    return await asyncio.gather(
        *(
            acting.send(
                samples.item(item_id=samples.s10(1_000 + 100 * day + number)),
                sender="post-a",
                identifier=f"day-{day}-{number}",
                signer=signers[number % len(signers)],
            )
            for number in range(SENT_EACH_DAY)
        )
    )


async def test_nothing_is_refused_and_each_message_is_proved_by_the_key_that_signed_it(
    acting: Acting,
) -> None:
    first, second, third = GENERATIONS
    used = [(first,), (first, second), (second,), (second, third), (third,)]
    sent: list[tuple[Stored, tuple[KeySigner, ...]]] = []
    for day, signers in enumerate(used):
        if len(signers) == 2:  # the new key is there before the first message is signed with it
            roll(acting, *signers)
        sent += [(stored, signers) for stored in await day_of_sending(acting, day, *signers)]
        acting.middle.now += DAY

    assert [stored.accepted for stored, _ in sent] == [1] * len(used) * SENT_EACH_DAY
    for number, (stored, signers) in enumerate(sent):
        proof = await acting.middle.journal.proof(stored.record)
        assert proof is not None
        assert proof.kid == signers[number % len(signers)].kid
    for name in [stored.interchange_id for stored, _ in sent]:
        assert await acting.middle.journal.find(POST, InterchangeId(name)) is not None
    assert len(await acting.middle.waiting("risk")) == len(sent)


async def test_of_the_old_key_nothing_is_taken_after_its_time(acting: Acting) -> None:
    first, second, _ = GENERATIONS
    roll(acting, first, second)
    acting.middle.now += 3 * DAY

    with pytest.raises(Refused, match="key-expired"):
        await day_of_sending(acting, 1, first)
    assert len(await day_of_sending(acting, 1, second)) == SENT_EACH_DAY


async def test_a_key_that_is_taken_out_counts_for_nothing_at_once(acting: Acting) -> None:
    first, second, _ = GENERATIONS
    roll(acting, first, second)
    kept = acting.middle.parties.party(POST).signing_keys[1:]
    acting.change("post-a", signing_keys=kept)

    with pytest.raises(Refused, match="key-unknown"):
        await day_of_sending(acting, 1, first)


async def test_a_delegation_outlives_the_key_that_signed_it(acting: Acting) -> None:
    first, second, _ = GENERATIONS
    roll(acting, first, second)
    acting.middle.now += 30 * DAY

    acting.change("post-a", must_sign=False)
    stored = await acting.send(samples.ITEM, on_behalf_of="post-a")

    assert stored.accepted == 1
    ended = [key.not_after for key in acting.middle.parties.party(POST).signing_keys]
    assert ended[0] is not None
    assert ended[0] < acting.middle.now
    assert not msgspec.structs.asdict(acting.middle.parties.delegations[0])["void"]
