"""The referral loop through two gateways: customs asks, the post of destination passes it on, the
post of origin answers with a file, and the answer comes back; meanwhile the item waits."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.e2e.callers import get, metric
from tests.e2e.loop import ICS2, UPU, WAIT_S, Loop, read, running_loop
from tests.e2e.test_referrals import REQUEST
from tests.samples import ITEM, s10
from tests.samples import item as declared_item
from translators.canonical import (
    AttachedFile,
    CustomsResponse,
    Despatch,
    Information,
    Office,
    Receptacle,
    Referral,
    ReferralAnswer,
    ReferralHop,
)

REFERENCE = "LU-RFI-000000017"
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
BAG = "FRCDGALULUXAAUN60001001100005"
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def loop(tmp_path_factory: pytest.TempPathFactory, certs: Path) -> Iterator[Loop]:
    """Each test has an item and a reference of its own."""
    with running_loop(tmp_path_factory.mktemp("loop"), certs) as found:
        yield found


async def clearance(loop: Loop, item: str, party: str = "post-a") -> dict[str, Any]:
    """What that party is told about the item at the gateway of destination."""
    answer = await get(loop.destination, party, f"/v1/items/{item}/clearance")
    assert 200 == answer.status
    body: dict[str, Any] = answer.body
    return body


def told(answer: dict[str, Any]) -> str:
    return f"{answer['answer']} {answer['reason']}"


async def test_a_referral_goes_to_the_origin_and_its_answer_comes_back_with_a_file(
    loop: Loop,
) -> None:
    await loop.send(loop.destination, "post-a", ITEM)
    await loop.send(loop.origin, "post-b", ITEM)

    # Customs asks whoever declared the item: the post of destination.
    asked = await loop.send_content(
        loop.destination, "customs-risk", REQUEST.encode(), format_id=ICS2
    )
    request: Referral = read(await loop.arrived(loop.destination, "post"), UPU)
    assert (REFERENCE, (ITEM.item_id,)) == (request.reference, request.item_ids)
    assert "wait referral.open" == told(await clearance(loop, ITEM.item_id))

    # It asks the post of origin, in the name of customs and with a clock of its own.
    station = ReferralHop(
        party="post-b",
        role="origin-post",
        on_behalf_of="customs-risk",
        received_at=NOW,
        reply_before=NOW + timedelta(hours=4),
    )
    turned = msgspec.structs.replace(
        request, hop="to-origin", on_behalf_of="customs-risk", hops=(station,)
    )
    await loop.send(loop.destination, "post-a", turned, format_id=UPU)
    question: Referral = read(await loop.arrived(loop.origin, "post"), UPU)
    assert ("to-origin", "customs-risk", (station,)) == (
        question.hop,
        question.on_behalf_of,
        question.hops,
    )
    assert ("Parts of what?",) == tuple(one.text for one in question.questions)

    # The post of origin answers by the reference alone, with a picture.
    picture = AttachedFile(
        media_type="image/png",
        name="x-ray.png",
        digest=hashlib.sha256(PICTURE).hexdigest(),
        size=len(PICTURE),
        content=PICTURE,
    )
    answer = ReferralAnswer(
        item_id=ITEM.item_id,
        answered_at=NOW,
        information=(Information(text="Of a clock", code="DESCR"),),
        attachments=(picture,),
    )
    replied = msgspec.structs.replace(question, hop="from-origin", answers=(answer,))
    await loop.send(loop.origin, "post-b", replied, format_id=UPU)
    back: Referral = read(await loop.arrived(loop.destination, "post"), UPU)
    assert ("from-origin", REFERENCE) == (back.hop, back.reference)
    assert (answer,) == back.answers

    # The post of destination passes it back, and customs reads its own form of it.
    final = msgspec.structs.replace(
        back, hop="from-declarant", on_behalf_of=None, hops=(), regards=None
    )
    await loop.send(loop.destination, "post-a", final, format_id=UPU)
    content = await loop.arrived(loop.destination, "customs")
    assert b"<IE3R02 " in content
    ended: Referral = read(content, ICS2)
    assert (REFERENCE, "26LUICS2F43000017A") == (ended.reference, ended.mrn)
    (given,) = ended.answers
    assert (ITEM.item_id, "Of a clock") == (given.item_id, given.information[0].text)
    assert (PICTURE,) == tuple(one.content for one in given.attachments)
    assert "wait referral.answered" == told(await clearance(loop, ITEM.item_id))

    # Customs is done, and lets the item go.
    await loop.send(
        loop.destination,
        "customs-risk",
        Referral(
            reference=REFERENCE,
            kind="AC",
            issued_at=NOW,
            completed_at=NOW,
            authority=Office(code="LU"),
            item_ids=(ITEM.item_id,),
        ),
    )
    complete: Referral = read(await loop.arrived(loop.destination, "post"), UPU)
    assert ("AC", REFERENCE) == (complete.kind, complete.reference)
    await loop.send(
        loop.destination,
        "customs-clearance",
        CustomsResponse(decision="released", decided_at=NOW, item_id=ITEM.item_id),
    )
    assert "yes decision.released" == told(await clearance(loop, ITEM.item_id))
    history = await get(loop.destination, "customs-risk", f"/v1/trace/{REFERENCE}")
    assert asked.body["outcomes"][0]["message_id"] in {
        one["message_id"] for one in history.body["messages"]
    }


async def test_a_referral_that_nobody_answers_in_time_is_listed_counted_and_told(
    loop: Loop,
) -> None:
    item = s10(201)
    await loop.send(loop.destination, "post-a", declared_item(item_id=item))
    await loop.send(
        loop.destination,
        "customs-risk",
        Referral(
            reference="LU-RFI-1",
            kind="RFI",
            issued_at=NOW,
            reply_before=NOW + timedelta(seconds=1),
            authority=Office(code="LU"),
            item_ids=(item,),
        ),
    )
    await loop.arrived(loop.destination, "post")

    async with asyncio.timeout(WAIT_S):
        while not (  # noqa: ASYNC110 - neither the metrics nor the log tell anybody
            await metric(loop.destination, "luxor_answers_overdue{")
            and "answer.overdue" in loop.destination.log.read_text("utf-8")
        ):
            await asyncio.sleep(0.05)
    assert "no referral.open.silence" == told(await clearance(loop, item))


async def test_a_bag_that_must_not_be_loaded_stops_the_items_that_come_into_it(
    loop: Loop,
) -> None:
    item = s10(202)
    await loop.send(loop.destination, "post-a", declared_item(item_id=item))
    stopped = await loop.send(
        loop.destination,
        "customs-risk",
        Referral(
            reference="26LU0000000001",
            kind="DNL",
            issued_at=NOW,
            authority=Office(code="LU"),
            receptacle_ids=(BAG,),
        ),
    )
    assert ["receptacle.unknown"] == [fault["code"] for fault in stopped.faults]
    assert "wait decision.missing" == told(await clearance(loop, item))

    await loop.send(
        loop.destination,
        "post-a",
        Despatch(
            despatch_id="FRCDGALULUXAAUN60001",
            origin_office="FRCDGA",
            destination_office="LULUXA",
            receptacles=(Receptacle(receptacle_id=BAG, item_ids=(item,)),),
        ),
    )

    # Now it is known what is in the bag; the stop itself was not said to the post.
    stop = await clearance(loop, item)
    assert ("no", "undisclosed") == (stop["answer"], stop["reason"])
    assert "decided_by" not in stop
    assert "no item.unknown" == told(await clearance(loop, item, "platform-shop"))
