"""Every answer of every listener has the headers that keep it from being misused."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator

import pytest

from gateway.ingress.http.server import HttpIngress
from gateway.ingress.operations import OperationsIngress
from tests.fakes import FakeService, Seen
from tests.pki import Pki

OF_ALL = {
    b"server": b"luxor",
    b"cache-control": b"no-store",
    b"x-content-type-options": b"nosniff",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"referrer-policy": b"no-referrer",
}
OVER_TLS = {**OF_ALL, b"strict-transport-security": b"max-age=63072000"}

PATHS = (
    "/v1/interchanges",
    "/v1/interchanges/i-1",
    "/v1/interchanges/i-1/outcomes",
    "/v1/interchanges/i-1/report",
    "/v1/inbox",
    "/v1/inbox/acknowledgements",
    "/v1/trace/x",
    "/v1/quality",
    "/v1/formats",
    "/openapi.json",
    "/nowhere",
    "/",
    "/v1/inbox?limit=0",
    "*",
)
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "BREW")


def request(method: str, path: str) -> bytes:
    """A request without content."""
    return (
        f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    ).encode()


GOOD = (
    b"POST /v1/interchanges HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n"
    b"Content-Type: application/json\r\nLuxor-Interchange-Id: i-1\r\n\r\n%s"
)
OTHERS = {
    "accepted": GOOD % (4, b"good"),
    "refused": GOOD % (6, b"refuse"),
    "an incident": GOOD % (7, b"explode"),
    "oversize": GOOD % (999_999, b""),
    "a slow body": GOOD % (9, b"x"),
    "no http": b"\x16\x03\x01\x00\r\n\r\n",
    "a bad version": b"GET / HTTP/9.9\r\n\r\n",
    "a long line": b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\n\r\n",
    "a long header": b"GET / HTTP/1.1\r\nA: " + b"x" * 20_000 + b"\r\n\r\n",
    "many headers": b"GET / HTTP/1.1\r\n" + b"A: x\r\n" * 200 + b"\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "a bad chunk": b"POST /v1/interchanges HTTP/1.1\r\nHost: x\r\nLuxor-Interchange-Id: i-2\r\n"
    b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
}
OPERATIONS = {
    name: f"{name} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
    for name in (
        "GET /health/live",
        "GET /health/ready",
        "GET /metrics",
        "HEAD /metrics",
        "POST /metrics",
        "GET /nowhere",
        "BREW /",
    )
} | {name: OTHERS[name] for name in ("no http", "a bad version", "a long line", "two lengths")}


async def answer_to(port: int, content: bytes, context: ssl.SSLContext | None) -> bytes:
    """Everything that comes back for these bytes."""
    async with asyncio.timeout(20):
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=context, server_hostname="127.0.0.1" if context else None
        )
        try:
            writer.write(content)
            return await reader.read()
        finally:
            writer.close()


def headers_of(answer: bytes) -> list[tuple[bytes, bytes]]:
    """The header lines of an answer, with lower-case names."""
    head, found, _ = answer.partition(b"\r\n\r\n")
    assert found
    pairs = (line.partition(b":") for line in head.split(b"\r\n")[1:])
    return [(name.lower(), value.strip()) for name, _, value in pairs]


@pytest.fixture(scope="module")
def context(pki: Pki) -> ssl.SSLContext:
    return pki.client("post-a")


def missing(answer: bytes, wanted: dict[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    """What of the wanted headers is not there exactly once."""
    headers = headers_of(answer)
    return [pair for pair in wanted.items() if [h for h in headers if h[0] == pair[0]] != [pair]]


@pytest.mark.parametrize("method", METHODS)
async def test_each_route_and_what_is_none_answers_with_them(
    ingress: HttpIngress, context: ssl.SSLContext, method: str
) -> None:
    lacking = {
        path: missing(await answer_to(ingress.port, request(method, path), context), OVER_TLS)
        for path in PATHS
    }
    assert lacking == {path: [] for path in PATHS}


async def test_each_way_to_be_refused_answers_with_them(
    ingress: HttpIngress, context: ssl.SSLContext
) -> None:
    lacking = {
        name: missing(await answer_to(ingress.port, content, context), OVER_TLS)
        for name, content in OTHERS.items()
    }
    assert lacking == {name: [] for name in OTHERS}


async def test_what_is_refused_before_a_party_is_known_has_them(
    ingress: HttpIngress, pki: Pki, service: FakeService
) -> None:
    service.suspended.add("post-a")
    answer = await answer_to(ingress.port, OTHERS["accepted"], pki.client("post-a"))
    assert answer.startswith(b"HTTP/1.1 403")
    assert missing(answer, OVER_TLS) == []


async def test_one_route_of_each_answers_something_else_than_not_found(
    ingress: HttpIngress, context: ssl.SSLContext
) -> None:
    """The table above is about these routes, not about one refusal of all of them."""
    statuses = {
        given: (await answer_to(ingress.port, request(*given), context)).split(b" ")[1]
        for given in (
            ("GET", "/v1/formats"),
            ("GET", "/v1/inbox"),
            ("PUT", "/v1/inbox"),
            ("GET", "/nowhere"),
        )
    }
    assert list(statuses.values()) == [b"200", b"200", b"405", b"404"]


@pytest.fixture
async def operations(seen: Seen) -> AsyncIterator[OperationsIngress]:
    listener = OperationsIngress(
        host="127.0.0.1", port=0, metrics=seen.registry, checks={"one": lambda: True}
    )
    await listener.start()
    yield listener
    await listener.stop()


async def test_each_answer_of_the_operations_listener_has_them(
    operations: OperationsIngress,
) -> None:
    lacking = {
        name: missing(await answer_to(operations.port, content, None), OF_ALL)
        for name, content in OPERATIONS.items()
    }
    assert lacking == {name: [] for name in OPERATIONS}


@pytest.mark.parametrize("content", [OTHERS["no http"], OTHERS["a long line"]])
async def test_the_operations_listener_shows_nothing_of_what_it_stumbled_over(
    operations: OperationsIngress, content: bytes
) -> None:
    answer = await answer_to(operations.port, content, None)
    assert answer.startswith((b"HTTP/1.0 400", b"HTTP/1.1 400"))
    assert answer.endswith(b"\r\n\r\n")
