"""Deliveries and awaited answers over the operations listener, as the page tells it."""

from __future__ import annotations

import asyncio
import re
import shlex
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from prometheus_client import CollectorRegistry

from gateway.core.records import Expected, PlannedLeg, Result
from gateway.ingress.delivery_controls import delivery_controls
from gateway.ingress.operations import OperationsIngress
from gateway.store.memory import MemoryJournal
from tests.gateway.store.samples import (
    GATEWAY,
    ManualClock,
    accept,
    all_settled,
    item,
    lease,
    legs,
    message,
    settled,
)
from trust.identity import PartyId

PAGE = (Path(__file__).parents[3] / "docs/deliveries.md").read_text("utf-8")
CURL = re.findall(r"^curl (?:.*\\\n)*.*", PAGE, re.MULTILINE)
HANG_SECONDS = 60
BY = {"by": "anna", "reason": "mended"}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def journal(clock: ManualClock) -> MemoryJournal:
    """Two buried items for risk, one of them with a later message; an order that was answered by
    nobody."""
    journal = MemoryJournal(gateway=GATEWAY, clock=clock)
    for name, number in (("first", 1), ("behind", 1), ("second", 2)):
        await accept(journal, name, messages=[message(1, about=item(number), legs=legs("risk"))])
    taken = await lease(journal)
    firsts = [taken.deliveries[0], taken.deliveries[2]]
    await journal.settle(
        taken, [settled(d, Result.BURIED, code="content.bad") for d in firsts], now=clock.at
    )
    expected = Expected(party=PartyId("customs-revenue"), answers=("*",), within=60)
    leg = PlannedLeg(destination="revenue", route="r", expects=(expected,))
    await accept(journal, "asked", messages=[message(1, about=item(3), legs=(leg,))])
    taken = await lease(journal, "revenue")
    await journal.settle(taken, all_settled(taken), now=clock.at)
    clock.move(minutes=2)
    return journal


@pytest.fixture
async def url(journal: MemoryJournal, clock: ManualClock) -> AsyncIterator[str]:
    listener = OperationsIngress(
        host="127.0.0.1",
        port=0,
        metrics=CollectorRegistry(),
        checks={},
        controls=delivery_controls(journal, clock),
    )
    await listener.start()
    yield f"http://127.0.0.1:{listener.port}"
    await listener.stop()


async def get(url: str) -> Any:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status, msgspec.json.decode(await answer.read())


async def post(url: str, **body: Any) -> Any:
    async with aiohttp.ClientSession() as session, session.post(url, json=body) as answer:
        return answer.status, msgspec.json.decode(await answer.read())


async def test_listed_in_pages(url: str) -> None:
    _, first = await get(f"{url}/control/deliveries?states=buried&limit=1")
    _, rest = await get(f"{url}/control/deliveries?states=buried&limit=1&after={first['next']}")

    assert [leg["interchange_id"] for leg in first["legs"]] == ["first"]
    assert [leg["interchange_id"] for leg in rest["legs"]] == ["second"]
    assert rest["next"] is None


async def test_counted(url: str) -> None:
    _, counts = await get(f"{url}/control/deliveries/count?destination=risk&states=buried,waiting")

    assert counts["total"] == 3


async def test_shown_with_everything_that_was_tried(url: str) -> None:
    _, page = await get(f"{url}/control/deliveries")
    (status, shown) = await get(f"{url}/control/deliveries/{page['legs'][0]['message_id']}")

    assert status == 200
    assert [recorded["attempt"]["result"] for recorded in shown["attempts"]] == ["buried"]
    assert (await get(f"{url}/control/deliveries/nothing"))[0] == 404


@pytest.mark.parametrize(
    "query", ["states=delivered", "since=yesterday", "lane=x", "colour=red", "limit=0", "after=?"]
)
async def test_what_is_asked_wrongly_is_told(url: str, query: str) -> None:
    status, said = await get(f"{url}/control/deliveries?{query}")

    assert status == 400
    assert said["error"]


async def test_retried_by_a_filter(url: str, journal: MemoryJournal) -> None:
    (status, said) = await post(
        f"{url}/control/deliveries/retry", filter={"key": item(1).value}, **BY
    )

    assert (status, said["done"], said["next"]) == (200, 1, None)
    _, left = await get(f"{url}/control/deliveries?states=buried")
    assert [leg["interchange_id"] for leg in left["legs"]] == ["second"]


async def test_all_must_be_said_and_skipping_confirmed(url: str) -> None:
    assert (await post(f"{url}/control/deliveries/retry", **BY))[0] == 400
    assert (await post(f"{url}/control/deliveries/skip", all=True, **BY))[0] == 400
    assert (await post(f"{url}/control/deliveries/retry", all=True, by="a", reason=""))[0] == 400
    assert (await post(f"{url}/control/deliveries/retry", all=True, what=1, **BY))[0] == 400

    _, skipped = await post(f"{url}/control/deliveries/skip", all=True, yes=True, **BY)
    assert skipped["done"] == 2


async def test_a_dry_run_counts_and_changes_nothing(url: str) -> None:
    _, counts = await post(f"{url}/control/deliveries/skip", all=True, dry_run=True, **BY)

    assert counts["total"] == 2
    assert (await get(f"{url}/control/deliveries/count?states=buried"))[1]["total"] == 2


async def test_what_was_left_as_it_is_is_named(url: str) -> None:
    _, page = await get(f"{url}/control/deliveries?states=waiting")
    behind = page["legs"][0]["message_id"]

    _, said = await post(f"{url}/control/deliveries/bury", filter={"message": behind}, **BY)

    why = "an earlier one of its key comes first"
    assert (said["done"], said["left_out"]) == (0, {why: 1})
    assert said["examples"] == [{"message_id": behind, "destination": "risk", "why": why}]


async def test_answers_that_have_not_come_are_listed_and_counted(url: str) -> None:
    _, page = await get(f"{url}/control/answers?destination=revenue")
    _, counts = await get(f"{url}/control/answers/count")

    assert [one["party"] for one in page["answers"]] == ["customs-revenue"]
    assert counts == [
        {"destination": "revenue", "kind": "ItemDeclaration", "awaited": 1, "overdue": 1}
    ]
    assert (await get(f"{url}/control/answers?overdue=maybe"))[0] == 400


def test_the_page_shows_every_control() -> None:
    shown = "\n".join(CURL)
    assert len(CURL) >= 7
    for path in ("deliveries?", "deliveries/count", "retry", "bury", "skip", "answers?"):
        assert path in shown


@pytest.mark.parametrize("example", CURL)
async def test_the_examples_of_the_page_work(url: str, example: str) -> None:
    _, page = await get(f"{url}/control/deliveries")
    words = shlex.split(example.replace("\\\n", " ").replace("http://127.0.0.1:8440", url))
    named = [word.replace("MESSAGE", page["legs"][0]["message_id"]) for word in words]
    process = await asyncio.create_subprocess_exec(*named, stdout=asyncio.subprocess.PIPE)

    async with asyncio.timeout(HANG_SECONDS):
        output, _ = await process.communicate()

    assert process.returncode == 0
    assert "error" not in msgspec.json.decode(output)
