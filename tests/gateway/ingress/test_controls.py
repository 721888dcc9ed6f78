"""Controls on the operations listener: who may ask, and how mistakes are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from prometheus_client import CollectorRegistry

from gateway.core.errors import Refused, Unavailable
from gateway.ingress.controls import LARGEST, Answer, Asked, Control, is_loopback
from gateway.ingress.operations import OperationsIngress

TOKEN = "t" * 32
JSON = {"Content-Type": "application/json"}


async def told(asked: Asked) -> Answer:
    return Answer({"path": asked.path, "query": asked.query, "body": asked.body.decode()})


async def fails(asked: Asked) -> Answer:
    raise {
        "value": ValueError("no such thing"),
        "refused": Refused("interchange.conflict"),
        "later": Unavailable("the disk is full"),
    }[asked.path["how"]]


CONTROLS = (
    Control("GET", "/things/{id}", told),
    Control("POST", "/things/{id}", told),
    Control("GET", "/fails/{how}", fails),
)


@asynccontextmanager
async def listening(*, host: str = "127.0.0.1", token: str | None = None) -> AsyncIterator[str]:
    listener = OperationsIngress(
        host=host, port=0, metrics=CollectorRegistry(), checks={}, controls=CONTROLS, token=token
    )
    await listener.start()
    try:
        yield f"http://127.0.0.1:{listener.port}"
    finally:
        await listener.stop()


async def ask(
    url: str, method: str = "GET", data: bytes | None = None, **headers: str
) -> tuple[int, str]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, data=data, headers=named) as answer,
    ):
        return answer.status, await answer.text()


async def test_asked_by_path_query_and_body() -> None:
    async with listening() as url:
        read = await ask(f"{url}/things/7?deep=1")
        changed = await ask(f"{url}/things/7", "POST", b"{}", **JSON)

    assert read == (200, '{"path":{"id":"7"},"query":{"deep":"1"},"body":""}')
    assert changed == (200, '{"path":{"id":"7"},"query":{},"body":"{}"}')


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 415),
        ({"Content-Type": "text/plain"}, 415),
        ({**JSON, "Origin": "http://127.0.0.1"}, 403),
        ({**JSON, "Host": "rebound.example"}, 403),
    ],
)
async def test_page_in_a_browser_changes_nothing(headers: dict[str, str], status: int) -> None:
    async with listening() as url:
        assert (await ask(f"{url}/things/7", "POST", b"{}", **headers))[0] == status


async def test_token_is_asked_for_where_there_is_one() -> None:
    async with listening(token=TOKEN) as url:
        address = f"{url}/things/7"
        without = await ask(address)
        wrong = await ask(address, Authorization=f"Bearer {TOKEN[1:]}")
        right = await ask(address, Authorization=f"Bearer {TOKEN}")

    assert (without[0], wrong[0], right[0]) == (401, 401, 200)


async def test_a_token_of_bytes_that_are_no_text_is_not_the_token() -> None:
    async with listening(token=TOKEN) as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        writer.write(
            b"GET /things/7 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \xff\xfe\r\n"
            b"Connection: close\r\n\r\n"
        )
        answer = await reader.read()
        writer.close()

    assert answer.startswith(b"HTTP/1.1 401 ")


async def test_no_controls_beyond_this_machine_without_a_token() -> None:
    async with listening(host="0.0.0.0") as url:  # noqa: S104 - what the test is about
        assert (await ask(f"{url}/things/7"))[0] == 404
    async with listening(host="0.0.0.0", token=TOKEN) as url:  # noqa: S104
        assert (await ask(f"{url}/things/7", Authorization=f"Bearer {TOKEN}"))[0] == 200


@pytest.mark.parametrize(
    ("how", "status", "said"),
    [
        ("value", 400, "no such thing"),
        ("refused", 409, "interchange.conflict"),
        ("later", 503, "the disk is full"),
    ],
)
async def test_mistakes_are_told(how: str, status: int, said: str) -> None:
    async with listening() as url:
        assert await ask(f"{url}/fails/{how}") == (status, f'{{"error":"{said}"}}')


async def test_large_body_is_refused() -> None:
    async with listening() as url:
        answer = await ask(f"{url}/things/7", "POST", b" " * (LARGEST + 1), **JSON)

    assert answer[0] == 413


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104 - what the test is about
        ("10.0.0.1", False),
        ("localhost.example", False),
        ("", False),
    ],
)
def test_what_never_leaves_this_machine(host: str, *, loopback: bool) -> None:
    assert is_loopback(host) is loopback
