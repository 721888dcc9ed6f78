"""Inboxes: what waits is served in a form that can carry it, and nothing is buried for a wish."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from gateway.core.errors import Refused
from gateway.core.identifiers import MessageId
from gateway.core.records import Delivery, LegState, Settlement
from gateway.pipeline.inbox import Inboxes
from gateway.pipeline.settings import DispatchSettings
from gateway.routing import Endpoints, Route, Routes
from tests import samples
from tests.gateway.pipeline.conftest import Middle, endpoint
from translators.translator import FormatId
from trust.identity import PartyId

POST = PartyId("post-a")
RISK = PartyId("risk")
CUSRSP = FormatId("upu.cusrsp.1")
ITMATT = FormatId("upu.itmatt.1")
JSON = FormatId("luxor.json.1")


class Boxes:
    """The inboxes of a middle where items wait in the inbox of risk."""

    def __init__(self, middle: Middle) -> None:
        self.middle = middle
        self.spoken: tuple[FormatId, ...] = ()
        self.buried: list[tuple[Delivery, Refused]] = []
        self.settled: list[Settlement] = []
        route = Route(name="pull", kinds=("*",), to=("inbox:risk",))
        middle.network = msgspec.structs.replace(
            middle.network,
            routes=Routes((route,)),
            endpoints=Endpoints.of([endpoint("clearance", "luxor.json.1")]),
        )
        self.inboxes = Inboxes(
            journal=middle.journal,
            preparer=middle.preparer,
            endpoints=lambda: middle.network.endpoints,
            spoken=lambda _: self.spoken,
            sign=self._sign,
            settings=lambda: DispatchSettings(idle=0.01),
            bell=middle.bell,
            clock=middle.clock,
            buried=self._bury,
            observe=self.settled.append,
            failed=lambda *_: None,
        )

    async def _sign(self, *_: object) -> str:
        return "signature"

    async def _bury(self, delivery: Delivery, refused: Refused) -> None:
        self.buried.append((delivery, refused))

    async def formats(self, *, asked: str | None = None) -> list[str]:
        """The formats of the messages on the page."""
        wish = None if asked is None else FormatId(asked)
        page = await self.inboxes.page(RISK, limit=100, wait=0, format_id=wish)
        return [message.format for message in page.messages]


@pytest.fixture
def boxes(middle: Middle) -> Boxes:
    """Inboxes."""
    return Boxes(middle)


async def test_a_page_comes_in_the_format_that_was_asked_for(boxes: Boxes) -> None:
    await boxes.middle.send("post-a", samples.ITEM)

    assert [ITMATT] == await boxes.formats(asked=ITMATT)


async def test_a_format_that_lacks_the_kind_buries_nothing(boxes: Boxes) -> None:
    await boxes.middle.send("post-a", samples.ITEM)

    assert [JSON] == await boxes.formats(asked=CUSRSP)
    assert [] == boxes.buried


async def test_a_page_comes_in_the_first_spoken_format_that_carries_the_kind(
    boxes: Boxes,
) -> None:
    boxes.spoken = (CUSRSP, ITMATT, JSON)
    await boxes.middle.send("post-a", samples.ITEM)

    assert [ITMATT] == await boxes.formats()
    assert [JSON] == await boxes.formats(asked=JSON)


async def test_spoken_formats_that_lack_the_kind_bury_nothing(boxes: Boxes) -> None:
    boxes.spoken = (CUSRSP,)
    await boxes.middle.send("post-a", samples.ITEM)

    assert [JSON] == await boxes.formats()
    assert [ITMATT] == await boxes.formats(asked=ITMATT)


async def test_a_page_comes_again_until_it_is_acknowledged(boxes: Boxes) -> None:
    await boxes.middle.send("post-a", samples.ITEM)
    first = await boxes.inboxes.page(RISK, limit=1, wait=0, format_id=None)
    again = await boxes.inboxes.page(RISK, limit=1, wait=0, format_id=None)
    assert first.cursor == again.cursor
    assert first.cursor is not None

    assert 1 == await boxes.inboxes.acknowledge(RISK, first.cursor, None)
    assert [] == await boxes.formats()


async def test_an_acknowledged_message_has_the_report_of_the_format_that_was_served(
    boxes: Boxes,
) -> None:
    await boxes.middle.send("post-a", samples.ITEM)
    page = await boxes.inboxes.page(RISK, limit=1, wait=0, format_id=ITMATT)
    assert page.cursor is not None
    await boxes.inboxes.acknowledge(RISK, page.cursor, None)

    assert [ITMATT] == [s.report.format for s in boxes.settled if s.report is not None]


async def test_the_cursor_of_another_party_acknowledges_nothing(boxes: Boxes) -> None:
    await boxes.middle.send("post-a", samples.ITEM)
    page = await boxes.inboxes.page(RISK, limit=1, wait=0, format_id=None)
    assert page.cursor is not None

    with pytest.raises(Refused, match=r"inbox\.cursor"):
        await boxes.inboxes.acknowledge(POST, page.cursor, None)


async def test_what_is_left_out_holds_back_what_follows_it(boxes: Boxes) -> None:
    for number in range(3):
        await boxes.middle.send("post-a", samples.item(remark=str(number)))
    page = await boxes.inboxes.page(RISK, limit=10, wait=0, format_id=None)
    assert page.cursor is not None
    ids = [MessageId(message.message_id) for message in page.messages]

    assert 1 == await boxes.inboxes.acknowledge(RISK, page.cursor, (ids[0], ids[2]))
    boxes.middle.now += timedelta(seconds=61)
    await boxes.middle.journal.tick(now=boxes.middle.now)
    rest = await boxes.inboxes.page(RISK, limit=10, wait=0, format_id=None)
    assert ids[1:] == [message.message_id for message in rest.messages]


async def test_a_message_on_which_we_stumble_does_not_hide_the_others(
    boxes: Boxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = await boxes.middle.send("post-a", samples.item(remark="bad"))
    await boxes.middle.send("post-a", samples.item(item_id=samples.s10(9)))
    prepare = boxes.middle.preparer.prepare

    async def stumble(delivery: Delivery, *rest: object, **words: object) -> object:
        if delivery.message.record == bad.record:
            raise LookupError("content")
        return await prepare(delivery, *rest, **words)  # type: ignore[arg-type]  # passed on

    monkeypatch.setattr(boxes.middle.preparer, "prepare", stumble)

    assert [JSON] == await boxes.formats()
    (leg,) = await boxes.middle.journal.legs(bad.record)
    assert LegState.RETRYING is leg.state


@pytest.mark.parametrize("mistake", [LookupError("content"), Refused("translation.failed")])
async def test_what_can_not_be_served_does_not_hold_up_what_is_before_it(
    boxes: Boxes, monkeypatch: pytest.MonkeyPatch, mistake: Exception
) -> None:
    good = await boxes.middle.send("post-a", samples.item(remark="good"))
    bad = await boxes.middle.send("post-a", samples.item(remark="bad"))  # of the same item
    prepare = boxes.middle.preparer.prepare

    async def stumble(delivery: Delivery, *rest: object, **words: object) -> object:
        if delivery.message.record == bad.record:
            raise mistake
        return await prepare(delivery, *rest, **words)  # type: ignore[arg-type]  # passed on

    monkeypatch.setattr(boxes.middle.preparer, "prepare", stumble)

    page = await boxes.inboxes.page(RISK, limit=10, wait=0, format_id=None)
    assert page.cursor is not None
    assert 1 == len(page.messages)
    assert 1 == await boxes.inboxes.acknowledge(RISK, page.cursor, None)
    (leg,) = await boxes.middle.journal.legs(good.record)
    assert LegState.DELIVERED is leg.state
    assert [] == await boxes.formats()
    (leg,) = await boxes.middle.journal.legs(bad.record)
    assert leg.state in (LegState.RETRYING, LegState.BURIED)
