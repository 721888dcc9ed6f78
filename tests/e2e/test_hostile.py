"""What no client library would send: raw bytes over a party's own TLS connection."""

from __future__ import annotations

import asyncio

import pytest

from tests.e2e import documents
from tests.e2e.callers import client_context
from tests.e2e.network import GatewayProcess

BOUND_SECONDS = 30.0


async def exchange(gateway: GatewayProcess, content: bytes) -> bytes:
    """Everything that comes back on a connection of the post's for these bytes."""
    async with asyncio.timeout(BOUND_SECONDS):
        reader, writer = await asyncio.open_connection(
            "localhost", gateway.ports.https, ssl=client_context(gateway, "post-a")
        )
        try:
            writer.write(content)
            return await reader.read()
        finally:
            writer.close()


def submission(*headers: bytes) -> bytes:
    body = documents.good(1, control="hostile")
    lines = (
        b"POST /v1/interchanges HTTP/1.1",
        b"Host: localhost",
        b"Connection: close",
        b"Content-Length: %d" % len(body),
        *headers,
    )
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


GOOD_ID, GOOD_FORMAT = b"Luxor-Interchange-Id: h-1", b"Luxor-Format: upu.itmatt.1"

REFUSED: tuple[tuple[str, tuple[bytes, ...], bytes, bytes], ...] = (
    (
        "an id of no encoding",
        (b"Luxor-Interchange-Id: a\xff\xfe", GOOD_FORMAT),
        b"400",
        b"interchange.id-invalid",
    ),
    ("a format of no encoding", (GOOD_ID, b"Luxor-Format: \xff"), b"415", b"format.unknown"),
    (
        "a signature of no encoding",
        (GOOD_ID, GOOD_FORMAT, b"Luxor-Signature: \xff.\xff.\xff"),
        b"401",
        b"signature.malformed",
    ),
    (
        "a content type of no encoding",
        (GOOD_ID, b"Content-Type: \xff/\xfe"),
        b"415",
        b"media-type.unsupported",
    ),
    (
        "two ids",
        (GOOD_ID, b"Luxor-Interchange-Id: h-2", GOOD_FORMAT),
        b"400",
        b"request.invalid",
    ),
)


@pytest.mark.parametrize(
    ("headers", "status", "code"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
async def test_headers_that_make_no_sense_are_refused_with_their_code(
    gateway: GatewayProcess, headers: tuple[bytes, ...], status: bytes, code: bytes
) -> None:
    answer = await exchange(gateway, submission(*headers))

    assert answer.startswith(b"HTTP/1.1 " + status)
    assert b'"code":"' + code + b'"' in answer
    assert '"request.failed"' not in gateway.log.read_text("utf-8")
