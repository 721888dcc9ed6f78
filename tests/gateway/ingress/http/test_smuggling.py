"""Requests that two readers could take for different ones: refused, or taken in one way only.

RFC 9112, 11.2: whoever stands in front of a gateway may read a message otherwise than it does. Of
each case the table says which answers come and which content the gateway took for an interchange.
"""

from __future__ import annotations

import asyncio
import re
import ssl

import pytest

from gateway.ingress.http.server import HttpIngress
from tests.fakes import FakeService, Seen
from tests.pki import Pki

HEAD = (
    b"POST /v1/interchanges HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b"Luxor-Interchange-Id: i-1\r\n"
)
HIDDEN = b"GET /v1/hidden HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
LAST = b"GET /v1/formats HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
UPGRADE = (
    b"GET /v1/formats HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\n"
    b"Connection: Upgrade, HTTP2-Settings, close\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"
)
STATUS = re.compile(rb"HTTP/\d\.\d (\d{3}) ")

Case = tuple[bytes, list[int], list[bytes]]

CASES: dict[str, Case] = {
    "both lengths, chunked first": (
        HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + HIDDEN,
        [400],
        [],
    ),
    "both lengths, chunked last": (
        HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
        [400],
        [],
    ),
    "two lengths that differ": (
        HEAD + b"Content-Length: 4\r\nContent-Length: 60\r\n\r\ngood" + HIDDEN,
        [400],
        [],
    ),
    "two lengths that agree": (
        HEAD + b"Content-Length: 4\r\nContent-Length: 4\r\n\r\ngood" + HIDDEN,
        [400],
        [],
    ),
    "a list of lengths": (HEAD + b"Content-Length: 4, 4\r\n\r\ngood" + HIDDEN, [400], []),
    "a length with a sign": (HEAD + b"Content-Length: +4\r\n\r\ngood" + HIDDEN, [400], []),
    "a negative length": (HEAD + b"Content-Length: -1\r\n\r\n" + HIDDEN, [400], []),
    "a length in hexadecimal": (HEAD + b"Content-Length: 0x4\r\n\r\ngood" + HIDDEN, [400], []),
    "a length with an underscore": (HEAD + b"Content-Length: 0_4\r\n\r\ngood" + HIDDEN, [400], []),
    "a length of other digits": (
        HEAD + "Content-Length: ٤\r\n\r\ngood".encode() + HIDDEN,
        [400],
        [],
    ),
    "a length beyond all bounds": (
        HEAD + b"Content-Length: " + b"9" * 40 + b"\r\n\r\ngood" + HIDDEN,
        [400],
        [],
    ),
    "blanks before the colon": (
        HEAD + b"Content-Length : 4\r\n\r\ngood" + HIDDEN,
        [400],
        [],
    ),
    "a folded header": (
        HEAD + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
        [400],
        [],
    ),
    "a folded first header": (
        b"POST /v1/interchanges HTTP/1.1\r\n Host: x\r\n\r\n" + HIDDEN,
        [400],
        [],
    ),
    "another coding": (HEAD + b"Transfer-Encoding: identity\r\n\r\n" + HIDDEN, [400], []),
    "a coding hidden by a tab": (
        HEAD + b"Transfer-Encoding:\tchunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + HIDDEN,
        [400],
        [],
    ),
    "chunked twice": (
        HEAD + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
        [400],
        [],
    ),
    "chunked, then identity": (
        HEAD + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + HIDDEN,
        [400],
        [],
    ),
    "a coding that looks like chunked": (
        HEAD + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + HIDDEN,
        [400],
        [],
    ),
    "bare line feeds": (
        b"POST /v1/interchanges HTTP/1.1\nHost: x\nContent-Length: 4\n\ngood" + HIDDEN,
        [400],
        [],
    ),
    "a bare line feed in a header": (
        HEAD + b"A: b\nContent-Length: 4\r\n\r\ngood" + HIDDEN,
        [400],
        [],
    ),
    "a bare carriage return in a header": (
        HEAD + b"A: b\rContent-Length: 4\r\n\r\ngood" + HIDDEN,
        [400],
        [],
    ),
    "a null in a header": (HEAD + b"A: b\x00c\r\nContent-Length: 4\r\n\r\ngood", [400], []),
    "a header without a name": (HEAD + b": b\r\nContent-Length: 4\r\n\r\ngood", [400], []),
    "a header name with a blank": (HEAD + b"A b: c\r\nContent-Length: 4\r\n\r\ngood", [400], []),
    "two hosts": (
        HEAD + b"Host: y\r\nContent-Length: 4\r\n\r\ngood",
        [400],
        [],
    ),
    "a tunnel": (b"CONNECT other:443 HTTP/1.1\r\nHost: other:443\r\n\r\n" + HIDDEN, [400], []),
    "a proxy's form": (
        b"GET http://other/v1/formats HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        [400],
        [],
    ),
    "another version": (b"GET / HTTP/2.0\r\nHost: x\r\n\r\n" + HIDDEN, [400], []),
    "the preface of HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [400], []),
    "an upgrade to HTTP/2": (UPGRADE, [200], []),
    "no version": (b"GET /v1/formats\r\n\r\n", [400], []),
    "a blank in the path": (b"GET /v1/ formats HTTP/1.1\r\nHost: x\r\n\r\n", [400], []),
    "chunks whose sizes overflow": (
        HEAD
        + b"Transfer-Encoding: chunked\r\n\r\n"
        + b"F" * 17
        + b"4\r\ngood\r\n0\r\n\r\n"
        + HIDDEN,
        [400],
        [],
    ),
    "a chunk size with a sign": (
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n+4\r\ngood\r\n0\r\n\r\n" + HIDDEN,
        [400],
        [],
    ),
    "a chunk size in an other base": (
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n0x4\r\ngood\r\n0\r\n\r\n" + HIDDEN,
        [400],
        [],
    ),
    "a chunk that is longer than its size": (
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\ngood\r\n0\r\n\r\n" + HIDDEN,
        [400],
        [],
    ),
    "a chunk that ends in a line feed": (
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n4\ngood\n0\n\n" + HIDDEN,
        [400],
        [],
    ),
    "a chunk extension of megabytes": (
        HEAD
        + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n4;"
        + b"a" * 3_000_000
        + b"\r\ngood\r\n0\r\n\r\n",
        [202],  # nothing of it is kept
        [b"good"],
    ),
    "a chunk extension with a line feed": (
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n4;a\nb\r\ngood\r\n0\r\n\r\n" + HIDDEN,
        [400],
        [],
    ),
    "trailers that name a length": (
        HEAD
        + b"Transfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n0\r\nContent-Length: 50\r\n\r\n"
        + HIDDEN,
        [400],
        [],
    ),
    "trailers without end": (
        HEAD
        + b"Transfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n0\r\n"
        + b"A: b\r\n" * 5_000
        + b"\r\n",
        [400],
        [],
    ),
    "the old version, kept alive": (
        b"GET /v1/formats HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + LAST,
        [200, 200],
        [],
    ),
    "the old version with chunks": (
        HEAD.replace(b"HTTP/1.1", b"HTTP/1.0")
        + b"Transfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n0\r\n\r\n"
        + HIDDEN,
        [400],
        [],
    ),
    "a GET with a body": (
        b"GET /v1/formats HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(HIDDEN)
        + HIDDEN
        + LAST,
        [200, 200],
        [],
    ),
    "a request after one that was refused with its body to come": (
        HEAD + b"Content-Length: 999999\r\n\r\n" + HIDDEN,
        [413],
        [],
    ),
    "two requests in one go": (
        HEAD + b"Content-Length: 4\r\n\r\ngood" + LAST,
        [202, 200],
        [b"good"],
    ),
}


async def answers_to(port: int, content: bytes, context: ssl.SSLContext) -> bytes:
    """Everything that comes back until the gateway ends the connection."""
    async with asyncio.timeout(20):
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=context, server_hostname="127.0.0.1"
        )
        try:
            writer.write(content)
            return await reader.read()
        finally:
            writer.close()


@pytest.fixture(scope="module")
def context(pki: Pki) -> ssl.SSLContext:
    return pki.client("post-a")


@pytest.mark.parametrize("case", CASES)
async def test_it_is_read_in_one_way(
    ingress: HttpIngress, service: FakeService, seen: Seen, context: ssl.SSLContext, case: str
) -> None:
    content, statuses, taken = CASES[case]
    answer = await answers_to(ingress.port, content, context)
    assert [int(status) for status in STATUS.findall(answer)] == statuses
    assert service.contents == taken
    assert b"v1/hidden" not in answer
    assert "Traceback" not in seen.text
    assert seen.events("request.failed") == []
