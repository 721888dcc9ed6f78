"""Clearance over HTTPS: one item by its address, many as JSON or line by line."""

from __future__ import annotations

import msgspec
import pytest

from tests.fakes import FakeService
from tests.gateway.ingress.http.conftest import Client

ITEM = "EE471108151FR"
OTHER = "RR473124829GB"


async def test_an_item_is_asked_about_by_its_address(client: Client, service: FakeService) -> None:
    status, headers, body = await client.call("GET", f"/v1/items/{ITEM}/clearance")
    assert (200, "application/json") == (status, headers["Content-Type"])
    assert {
        "item": ITEM,
        "answer": "wait",
        "reason": "decision.missing",
        "as_of": "2026-11-21T12:00:00Z",
        "until": "2026-11-21T13:00:00Z",
        "then": "no",
        "messages": [f"m-{ITEM}"],
    } == body
    assert [ITEM] == service.asked


async def test_an_identifier_may_have_any_character(client: Client, service: FakeService) -> None:
    status, _, body = await client.call("GET", "/v1/items/a%2Fb%20c/clearance")
    assert (200, "a/b c") == (status, body["item"])


async def test_many_are_asked_about_at_once(client: Client) -> None:
    status, _, body = await client.post(
        msgspec.json.encode({"items": [ITEM, OTHER, ITEM]}),
        identifier=None,
        path="/v1/items/clearance",
    )
    assert 200 == status
    assert [ITEM, OTHER, ITEM] == [answer["item"] for answer in body["answers"]]


async def test_lines_are_answered_by_lines(client: Client) -> None:
    content = b'{"item":"%s"}\n{"item":"%s"}\n' % (ITEM.encode(), OTHER.encode())
    async with client.session.post(
        client.url + "/v1/items/clearance",
        data=content,
        headers={"Content-Type": "application/x-ndjson"},
    ) as answer:
        lines = (await answer.read()).splitlines()
        assert (200, "application/x-ndjson") == (answer.status, answer.content_type)
    assert [ITEM, OTHER] == [msgspec.json.decode(line)["item"] for line in lines]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"{", "application/json"),
        (b'{"items":[1]}', "application/json"),
        (b'{"items":["A"],"more":1}', "application/json"),
        (b'{"items":[]}', "application/json"),
        (b'{"items":["\xff"]}', "application/json"),
        (b'{"item":"A"}\n{"item":', "application/x-ndjson"),
        (b'"A"', "application/x-ndjson"),
    ],
)
async def test_what_asks_about_nothing_is_refused(
    client: Client, service: FakeService, content: bytes, kind: str
) -> None:
    status, _, body = await client.post(
        content, identifier=None, path="/v1/items/clearance", Content_Type=kind
    )
    assert (400, "request.invalid") == (status, body["code"])
    assert [] == service.asked


async def test_a_request_has_a_bound(client: Client) -> None:
    status, _, body = await client.post(b" " * 200_000, identifier=None, path="/v1/items/clearance")
    assert (413, "body.oversize") == (status, body["code"])
