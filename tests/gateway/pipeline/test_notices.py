"""A sender is told when its message was buried, whatever its receiver said."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.config.assemble import NOTICE_KIND
from gateway.core.envelope import Envelope
from gateway.core.errors import Refused
from gateway.core.records import Delivery, State, Stored
from gateway.pipeline.judge import Sender
from gateway.pipeline.notices import NOTICE_FORMAT, Notices
from tests import samples
from tests.gateway.pipeline.conftest import Middle
from translators.canonical import DeliveryFailed
from translators.faults import Fault
from trust.identity import Identity, PartyId
from trust.party import Grant

NOTICE_GRANT = Grant(formats=(NOTICE_FORMAT,), kinds=(NOTICE_KIND,), countries=("*",))


class Office:
    """Notices on a middle, submitted as the gateway itself submits them."""

    def __init__(self, middle: Middle) -> None:
        self.middle = middle
        self.stored: list[Stored] = []
        self.notices = Notices(submit=self._submit, clock=middle.clock)

    async def _submit(self, envelope: Envelope) -> Stored:
        own = self.middle.parties.party(PartyId("gateway-lx"))
        sender = Sender(Identity(party=own.id, roles=own.roles), own, own=True)
        stored = await self.middle.inbound.accept(sender, envelope)
        self.stored.append(stored)
        return stored

    async def told(self) -> list[DeliveryFailed]:
        """The notices that wait in the post's inbox."""
        found = await self.middle.waiting("inbox:post-a")
        return [message for message in found if isinstance(message, DeliveryFailed)]

    async def delivery(self) -> Delivery:
        """A message of the post that is being delivered to risk."""
        await self.middle.send("post-a", samples.ITEM, identifier="x" * 120)
        lease = await self.middle.journal.lease("risk", limit=1, seconds=60, now=self.middle.now)
        assert lease is not None
        return lease.deliveries[0]


@pytest.fixture
def office(middle: Middle) -> Office:
    """Notices."""
    return Office(middle)


async def test_the_sender_of_a_buried_message_finds_a_notice_in_its_inbox(office: Office) -> None:
    delivery = await office.delivery()
    fault = Fault(code="x", path="/remark", detail="never")

    await office.notices.buried(delivery, Refused("interchange.refused", faults=[fault]))

    (notice,) = await office.told()
    assert delivery.message.message_id == notice.regards
    assert [("x", "/remark", "never")] == [(r.code, r.path, r.detail) for r in notice.reasons]


@pytest.mark.parametrize("code", ["http.404", "body.oversize", "interchange.conflict"])
async def test_a_refusal_without_faults_is_told_by_its_code(office: Office, code: str) -> None:
    await office.notices.buried(await office.delivery(), Refused(code))

    (notice,) = await office.told()
    assert [code] == [reason.code for reason in notice.reasons]


async def test_what_a_receiver_says_at_length_is_told_in_short(office: Office) -> None:
    fault = Fault(code="c" * 5_000, path="/" + "p" * 5_000, detail="d\x00" * 5_000)
    refused = Refused("interchange.refused", faults=[fault] * 2_000)

    await office.notices.buried(await office.delivery(), refused)

    assert [State.ACCEPTED] == [stored.state for stored in office.stored]
    (notice,) = await office.told()
    assert 1_000 == len(notice.reasons)


async def test_a_notice_is_told_once(office: Office) -> None:
    delivery = await office.delivery()
    await office.notices.buried(delivery, Refused("interchange.refused"))
    office.middle.now += timedelta(seconds=5)
    await office.notices.buried(delivery, Refused("interchange.refused"))

    assert 1 == len(await office.told())
