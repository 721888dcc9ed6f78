"""HTTP/1.1 over mutual TLS as lean as can be: prepared bytes out, a status in.

It reads answers with a ``Content-Length``, which is how a gateway answers; anything else ends the
connection and is counted as a problem.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from typing import Protocol, cast

from bench.load.pump import Call

HANDSHAKES_AT_ONCE = 16
_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length:"


class Place(Protocol):
    """Where to connect: a `bench.load.target.Target`, or a server of another kind."""

    @property
    def host(self) -> str:
        """Of this machine."""

    @property
    def port(self) -> int:
        """Where it listens."""

    def context(self) -> ssl.SSLContext | None:
        """For TLS; without it the connection is in the clear."""


class HttpsSender:
    """So many connections, used in turn; what finds none free waits."""

    def __init__(self, target: Place, *, connections: int) -> None:
        self._target = target
        self._number = connections
        self._context: ssl.SSLContext | None = None
        self._free: deque[_Connection] = deque()
        self._waiting: deque[Call] = deque()
        self._all: set[_Connection] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self._closing = False
        self.reconnected = 0

    async def open(self) -> None:
        """Make all connections, a few handshakes at once."""
        self._context = self._target.context()
        for begun in range(0, self._number, HANDSHAKES_AT_ONCE):
            several = min(HANDSHAKES_AT_ONCE, self._number - begun)
            await asyncio.gather(*(self._connect() for _ in range(several)))

    def send(self, call: Call) -> None:
        """On the connection that is free for longest."""
        if self._free:
            self._free.popleft().send(call)
        else:
            self._waiting.append(call)

    def free(self, connection: _Connection) -> None:
        """A connection has its answer."""
        if self._waiting:
            call = self._waiting.popleft()
            call.wrote()
            connection.send(call)
        else:
            self._free.append(connection)

    def lost(self, connection: _Connection) -> None:
        """The server has closed it: another one takes its place."""
        self._all.discard(connection)
        if connection in self._free:
            self._free.remove(connection)
        if not self._closing:
            self.reconnected += 1
            task = asyncio.get_running_loop().create_task(self._reconnect())
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)

    async def close(self) -> None:
        """End all connections."""
        self._closing = True
        for task in tuple(self._opening):
            task.cancel()
        for connection in tuple(self._all):
            connection.close()
        await asyncio.sleep(0)

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(
            lambda: _Connection(self), self._target.host, self._target.port, ssl=self._context
        )
        self._all.add(connection)
        self.free(connection)

    async def _reconnect(self) -> None:
        while not self._closing:
            try:
                await self._connect()
            except OSError:
                await asyncio.sleep(0.1)
            else:
                return


class _Connection(asyncio.Protocol):
    """One request at a time."""

    def __init__(self, owner: HttpsSender) -> None:
        self._owner = owner
        self._transport: asyncio.Transport | None = None
        self._call: Call | None = None
        self._seen = b""
        self._missing = -1
        self._status = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is like one, and is none

    def connection_lost(self, exc: Exception | None) -> None:
        call, self._call = self._call, None
        self._owner.lost(self)
        if call is not None:
            call.answered("the connection was closed")

    def send(self, call: Call) -> None:
        """Write it; the connection is not free until its answer is there."""
        assert self._transport is not None
        self._call = call
        self._transport.write(call.request.wire)

    def close(self) -> None:
        """End it."""
        if self._transport is not None:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        if self._call is None:  # after an answer that was complete
            self.close()
            return
        if self._missing < 0:
            data = self._seen + data
            end = data.find(_HEAD_END)
            if end < 0:
                self._seen = data
                return
            self._seen = b""
            length = content_length(data[:end])
            if length is None:
                self._end("an answer without Content-Length")
                return
            self._status = data[9:12]
            self._missing = length - (len(data) - end - len(_HEAD_END))
        else:
            self._missing -= len(data)
        if self._missing < 0:
            self._end("more than one answer")
        elif self._missing == 0:
            self._finish()

    def _finish(self) -> None:
        call, self._call, self._missing = self._call, None, -1
        assert call is not None
        self._owner.free(self)
        status = self._status
        call.answered("" if status == call.request.expected else f"status {status.decode()}")

    def _end(self, problem: str) -> None:
        call, self._call = self._call, None
        self.close()
        if call is not None:
            call.answered(problem)


def content_length(head: bytes) -> int | None:
    """The value of that field of a head; ``None`` when there is none (RFC 9112, 6.2)."""
    lowered = head.lower()
    at = lowered.find(b"\n" + _LENGTH)
    if at < 0:
        return None
    value = lowered[at + 1 + len(_LENGTH) :].partition(b"\r\n")[0].strip()
    return int(value) if value.isdigit() else None
