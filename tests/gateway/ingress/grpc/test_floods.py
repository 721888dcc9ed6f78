"""Floods of HTTP/2 frames by a registered party: whatever becomes of it, others are served."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import Callable, Iterator

import pytest

from gateway.ingress.grpc.server import GrpcIngress
from tests.fakes import FakeService, Seen
from tests.gateway.ingress.grpc.conftest import channel, exchange, submission
from tests.pki import Pki

# RFC 9113, 6: kinds of frames, and 7: reasons.
DATA, HEADERS, RST_STREAM, SETTINGS, PING, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 8, 9
END_HEADERS, END_STREAM = 4, 1
CANCEL = struct.pack(">I", 8)


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """One frame (RFC 9113, 4.1)."""
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def literal(name: bytes, value: bytes) -> bytes:
    """A header field that enters no table (RFC 7541, 6.2.2), of at most 126 bytes a part."""
    return b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value


CALL = b"".join(
    literal(name, value)
    for name, value in (
        (b":method", b"POST"),
        (b":scheme", b"https"),
        (b":path", b"/exchange.v1.Exchange/Submit"),
        (b":authority", b"localhost"),
        (b"content-type", b"application/grpc"),
        (b"te", b"trailers"),
    )
)


def rapid_resets() -> Iterator[bytes]:
    """Calls that are taken back as they are made."""
    for stream in range(1, 20_000, 2):
        yield frame(HEADERS, END_HEADERS, stream, CALL) + frame(RST_STREAM, 0, stream, CANCEL)


def resets_of_whole_calls() -> Iterator[bytes]:
    """The same, when the gateway has begun to work for them."""
    nothing = b"\x00" + struct.pack(">I", 0)  # a message without content, as gRPC frames it
    for stream in range(1, 6_000, 2):
        yield (
            frame(HEADERS, END_HEADERS, stream, CALL)
            + frame(DATA, END_STREAM, stream, nothing)
            + frame(RST_STREAM, 0, stream, CANCEL)
        )


def many_streams() -> Iterator[bytes]:
    """Calls that are opened and never go on."""
    for stream in range(1, 10_000, 2):
        yield frame(HEADERS, END_HEADERS, stream, CALL)


def metadata() -> Iterator[bytes]:
    """Calls with more metadata than is read."""
    much = b"".join(literal(b"x-%d" % n, b"y" * 100) for n in range(150))
    for stream in range(1, 400, 2):
        yield frame(HEADERS, END_HEADERS | END_STREAM, stream, CALL + much)


def continuations() -> Iterator[bytes]:
    """Headers without end."""
    yield frame(HEADERS, 0, 1, CALL)
    for n in range(5_000):
        yield frame(CONTINUATION, 0, 1, literal(b"x-%d" % n, b"y" * 100))


def pings() -> Iterator[bytes]:
    """Questions whether the gateway is alive."""
    for n in range(20_000):
        yield frame(PING, 0, 0, struct.pack(">Q", n))


def settings_() -> Iterator[bytes]:
    """Settings that change all the time."""
    for n in range(20_000):
        yield frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 65_535 + n))


def empty_data() -> Iterator[bytes]:
    """A message that comes in pieces of nothing."""
    yield frame(HEADERS, END_HEADERS, 1, CALL)
    for _ in range(20_000):
        yield frame(DATA, 0, 1, b"")


def overflow() -> Iterator[bytes]:
    """A window beyond all bounds (RFC 9113, 6.9.1)."""
    for _ in range(10):
        yield frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 2**31 - 1))


FLOODS: tuple[Callable[[], Iterator[bytes]], ...] = (
    rapid_resets,
    resets_of_whole_calls,
    many_streams,
    metadata,
    continuations,
    pings,
    settings_,
    empty_data,
    overflow,
)
BOUND_S = 5.0


def flood(port: int, context: ssl.SSLContext, frames: Iterator[bytes]) -> int:
    """Send it all, as far as it is taken; how many bytes were."""
    sent = 0
    with (
        socket.create_connection(("127.0.0.1", port), timeout=BOUND_S) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        try:
            secure.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0, b""))
            for piece in frames:
                secure.sendall(piece)
                sent += len(piece)
        except OSError:  # the gateway has had enough: it closes, or reads no more
            return sent
    return sent


@pytest.mark.parametrize("frames", FLOODS, ids=lambda frames: frames.__name__)
async def test_others_are_served_during_a_flood_and_after_it(
    ingress: GrpcIngress,
    pki: Pki,
    service: FakeService,
    seen: Seen,
    frames: Callable[[], Iterator[bytes]],
) -> None:
    context = pki.client("post-a")
    context.set_alpn_protocols(["h2"])
    async with channel(ingress, pki, pki.issue("post-b")) as connection:
        assert (await exchange(connection).Submit(submission("i-0"))).receipt
        flooding = asyncio.create_task(asyncio.to_thread(flood, ingress.port, context, frames()))
        served = 0
        async with asyncio.timeout(30):
            while not flooding.done():
                served += 1
                assert (await exchange(connection).Submit(submission(f"i-{served}"))).receipt
        assert await flooding > 0
        assert (await exchange(connection).Submit(submission("last"))).receipt

    assert {envelope.interchange_id for envelope in service.envelopes} >= {"i-0", "last"}
    assert seen.events("request.failed") == []
