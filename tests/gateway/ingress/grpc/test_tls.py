"""Who gets through the handshake of the gRPC listener, and what is known of those who do not."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct

import grpc
import pytest
from grpc import aio

from gateway.ingress.grpc.server import GrpcIngress
from gateway.ingress.tls import ServerTls
from tests.fakes import Seen, until
from tests.gateway.ingress.grpc.conftest import channel, exchange, serving, submission
from tests.pki import Pki


async def refusals(seen: Seen, count: int) -> list[object]:
    """The reasons of that many refused handshakes, once they are known."""
    await until(lambda: len(seen.events("tls.refused")) >= count)
    assert seen.count("luxor_tls_refused_total", transport="grpc") == count
    return [event["reason"] for event in seen.events("tls.refused")]


async def is_unreachable(connection: aio.Channel) -> bool:
    with pytest.raises(aio.AioRpcError) as caught:
        await exchange(connection).Submit(submission())
    return caught.value.code() is grpc.StatusCode.UNAVAILABLE


async def is_served(ingress: GrpcIngress, pki: Pki) -> bool:
    async with channel(ingress, pki, pki.issue("post-a")) as connection:
        return bool((await exchange(connection).Submit(submission())).receipt)


async def test_certificate_of_an_unknown_authority_dies_in_the_handshake(
    listener: GrpcIngress, seen: Seen, pki: Pki, foreign_pki: Pki
) -> None:
    async with serving(listener) as ingress:
        async with channel(ingress, pki, foreign_pki.issue("post-a")) as connection:
            assert await is_unreachable(connection)

        assert await refusals(seen, 1) == ["unable to get local issuer certificate"]
        assert await is_served(ingress, pki)


async def test_expired_certificate_dies_in_the_handshake(
    listener: GrpcIngress, seen: Seen, pki: Pki
) -> None:
    async with serving(listener) as ingress:
        async with channel(ingress, pki, pki.issue("post-a", expired=True)) as connection:
            assert await is_unreachable(connection)

        assert await refusals(seen, 1) == ["certificate has expired"]
        assert await is_served(ingress, pki)


async def test_no_certificate_dies_in_the_handshake(
    listener: GrpcIngress, seen: Seen, pki: Pki
) -> None:
    async with serving(listener) as ingress:
        async with channel(ingress, pki, None) as connection:
            assert await is_unreachable(connection)

        assert await refusals(seen, 1) == ["PEER_DID_NOT_RETURN_A_CERTIFICATE"]
        assert await is_served(ingress, pki)


async def test_plain_http_dies_in_the_handshake(
    listener: GrpcIngress, seen: Seen, pki: Pki
) -> None:
    async with serving(listener) as ingress:
        reader, writer = await asyncio.open_connection("127.0.0.1", ingress.port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")

        assert await reader.read() == b""
        writer.close()
        assert await refusals(seen, 1) == ["HTTP_REQUEST"]
        assert await is_served(ingress, pki)


async def test_many_refusals_are_all_counted(
    listener: GrpcIngress, seen: Seen, pki: Pki, foreign_pki: Pki
) -> None:
    files = foreign_pki.issue("post-a")
    async with serving(listener) as ingress:
        for _ in range(5):
            async with channel(ingress, pki, files) as connection:
                assert await is_unreachable(connection)

        assert len(await refusals(seen, 5)) == 5


async def test_server_that_we_do_not_believe_is_nobody_refused(
    listener: GrpcIngress, seen: Seen, pki: Pki, foreign_pki: Pki
) -> None:
    async with serving(listener) as ingress:
        assert await is_served(ingress, pki)
        foreign = await _tls_server(foreign_pki)
        port = foreign.sockets[0].getsockname()[1]
        credentials = grpc.ssl_channel_credentials(pki.authority.encode())
        async with aio.secure_channel(f"127.0.0.1:{port}", credentials) as connection:
            assert await is_unreachable(connection)
        foreign.close()

    assert seen.events("tls.refused") == []  # everything was read when the listener stopped


async def _tls_server(pki: Pki) -> asyncio.Server:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pki.issue("stranger"))
    context.set_alpn_protocols(["h2"])
    return await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context)


async def test_tls_1_2_gets_through_and_is_refused_by_the_call(
    ingress: GrpcIngress, pki: Pki
) -> None:
    context = pki.client("post-a")
    context.maximum_version = ssl.TLSVersion.TLSv1_2

    answer = await asyncio.to_thread(_call_by_hand, ingress.port, context)

    assert b"tls.version" in answer


def _call_by_hand(port: int, context: ssl.SSLContext) -> bytes:
    """One Submit in HTTP/2 frames (RFC 9113), since no gRPC client here speaks TLS 1.2 alone."""

    def literal(name: bytes, value: bytes) -> bytes:  # RFC 7541, 6.2.2, without Huffman
        return b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value

    def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
        return (
            struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload
        )

    headers = b"".join(
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
    context.set_alpn_protocols(["h2"])
    received = b""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        assert secure.version() == "TLSv1.2"
        secure.sendall(
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
            + frame(4, 0, 0, b"")  # SETTINGS
            + frame(1, 4, 1, headers)  # HEADERS, END_HEADERS
            + frame(0, 1, 1, b"\x00\x00\x00\x00\x00")  # DATA, END_STREAM: an empty message
        )
        while b"tls.version" not in received:
            piece = secure.recv(4096)
            if not piece:
                break
            received += piece
    return received


async def test_authority_added_while_running_is_trusted_by_new_connections(
    ingress: GrpcIngress, pki: Pki, foreign_pki: Pki
) -> None:
    certificate, key = pki.issue("gateway")

    ingress.renew(
        ServerTls(
            certificate=certificate, key=key, authorities=pki.authority + foreign_pki.authority
        )
    )

    async with channel(ingress, pki, foreign_pki.issue("partner")) as connection:
        assert (await exchange(connection).Submit(submission())).receipt
