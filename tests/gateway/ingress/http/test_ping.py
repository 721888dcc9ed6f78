"""Ping over HTTPS: the question goes to the service as it came, its answer back signed."""

from __future__ import annotations

from tests.gateway.ingress.http.conftest import Client

PATH = "/v1/ping"


async def test_the_answer_has_the_signature_of_the_gateway(client: Client) -> None:
    async with client.session.post(
        client.url + PATH, data=b"question", headers={"Luxor-Signature": "ours"}
    ) as answer:
        body = await answer.json()
        found = (answer.status, answer.content_type, answer.headers["Luxor-Signature"])

    assert (200, "application/json", "over ours") == found
    assert {"party": "post-a", "proved": "None"} == body


async def test_a_question_is_small(client: Client) -> None:
    async with client.session.post(client.url + PATH, data=b"x" * 1_025) as answer:
        assert (413, "body.oversize") == (
            answer.status,
            (await answer.json(content_type=None))["code"],
        )


async def test_a_mistake_of_ours_is_told_as_one(client: Client) -> None:
    async with client.session.post(client.url + PATH, data=b"explode") as answer:
        assert (500, "internal") == (answer.status, (await answer.json(content_type=None))["code"])
