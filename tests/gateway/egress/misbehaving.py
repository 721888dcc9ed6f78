"""Receivers that misbehave below the level of their protocol: bytes on a socket, as a test says."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
"""What is said on one connection; the connection is closed afterwards."""
FOREVER = 60.0
"""Longer than any test waits."""


def reset(writer: asyncio.StreamWriter) -> None:
    """Have the connection end with a TCP reset and nothing else."""
    raw: socket.socket = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def request(reader: asyncio.StreamReader) -> bytes:
    """One HTTP request, as far as its headers."""
    return await reader.readuntil(b"\r\n\r\n")


def answering(answer: bytes) -> Talk:
    """Take a request and answer with these bytes."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write(answer)
        await writer.drain()

    return talk


async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Take everything and say nothing."""
    with suppress(TimeoutError):
        async with asyncio.timeout(FOREVER):
            while await reader.read(65_536):
                pass


async def garbage(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say at once what nobody can understand."""
    writer.write(b"\x00\x01\x02 this is nothing \xff\xfe\r\n\r\n" * 20)
    await writer.drain()
    await asyncio.sleep(0.2)  # so that it has left before the connection ends


async def dripping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer a byte at a time, for ever."""
    await request(reader)
    writer.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 1000000\r\n\r\n")
    for _ in range(int(FOREVER / 0.05)):
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.05)


async def resetting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take a request and reset the connection."""
    await request(reader)
    reset(writer)


async def answering_then_resetting(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Say all that there is to say, then reset."""
    await request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    await writer.drain()
    await asyncio.sleep(0.2)  # so that the answer has left before the reset
    reset(writer)


async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """An answer without an end."""
    await request(reader)
    writer.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 999999999\r\n\r\n")
    with suppress(ConnectionError):
        for _ in range(2_000):
            writer.write(b"x" * 65_536)
            await writer.drain()


@asynccontextmanager
async def receiver(talk: Talk, *, tls: ssl.SSLContext | None) -> AsyncIterator[int]:
    """A listener that talks so, on the port that is given; over TCP alone without ``tls``."""
    talking: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talking.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await talk(reader, writer)
        finally:
            writer.close()
            talking.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tuple(talking):
            task.cancel()
        await asyncio.gather(*talking, return_exceptions=True)


def nobody() -> int:
    """A port on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port
