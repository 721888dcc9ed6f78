"""gRPC over mutual TLS with bytes that are ready: a call for each submission, or streams."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

import grpc
from grpc import aio

from bench.load.pump import Call
from bench.load.target import Target
from translators.wire.exchange.v1 import exchange_pb2 as wire

SUBMIT, STREAM = "/exchange.v1.Exchange/Submit", "/exchange.v1.Exchange/SubmitStream"
CALLS_PER_CONNECTION = 64
"""A gateway takes 100 streams of a connection unless it is told otherwise."""
WINDOW = 64
"""Unanswered submissions of one stream; a gateway reads no more of it."""
CONNECT_SECONDS = 20.0
_OPTIONS = [
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.use_local_subchannel_pool", 1),  # else channels of one process share a connection
]


def channel(target: Target) -> aio.Channel:
    """A connection of its own as that party; raises ``OSError`` for files that cannot be read."""
    credentials = grpc.ssl_channel_credentials(
        root_certificates=target.read(target.authority),
        private_key=target.read(target.key),
        certificate_chain=target.read(target.certificate),
    )
    return aio.secure_channel(f"{target.host}:{target.port}", credentials, options=_OPTIONS)


class UnarySender:
    """``Submit``: so many calls at once, over as few connections as carry them."""

    def __init__(self, target: Target, *, connections: int) -> None:
        self._target = target
        self._places = connections
        self._channels: list[aio.Channel] = []
        self._methods: deque[Any] = deque()
        self._waiting: deque[Call] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self.reconnected = 0

    async def open(self) -> None:
        """Connect, so that no handshake is measured."""
        while len(self._channels) * CALLS_PER_CONNECTION < self._places:
            connection = channel(self._target)
            self._channels.append(connection)
            await _ready(connection)
        methods: list[Any] = [one.unary_unary(SUBMIT) for one in self._channels]
        self._methods.extend(methods[n % len(methods)] for n in range(self._places))

    def send(self, call: Call) -> None:
        """In a call of its own."""
        if self._methods:
            self._begin(self._methods.popleft(), call)
        else:
            self._waiting.append(call)

    async def close(self) -> None:
        """End what is under way."""
        for task in tuple(self._tasks):
            task.cancel()
        for connection in self._channels:
            await connection.close()

    def _begin(self, method: Any, call: Call) -> None:
        task = asyncio.get_running_loop().create_task(self._run(method, call))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, method: Any, call: Call) -> None:
        problem = ""
        try:
            _ = await method(call.request.wire)  # wholly refused, it ends with a status
        except aio.AioRpcError as error:
            problem = f"status {error.code().name}"
        if self._waiting:
            following = self._waiting.popleft()
            following.wrote()
            self._begin(method, following)
        else:
            self._methods.append(method)
        call.answered(problem)


class StreamSender:
    """``SubmitStream``: so many streams, each on a connection of its own, used in turn."""

    def __init__(self, target: Target, *, connections: int) -> None:
        self._target = target
        self._streams = [_Stream(self) for _ in range(connections)]
        self._free: deque[_Stream] = deque()
        self._waiting: deque[Call] = deque()
        self._running: asyncio.Task[None] | None = None
        self.reconnected = 0

    async def open(self) -> None:
        """Connect, so that no handshake is measured."""
        channels = [channel(self._target) for _ in self._streams]
        for connection in channels:
            await _ready(connection)
        self._running = asyncio.create_task(self._run(channels))
        for _ in range(WINDOW):
            self._free.extend(self._streams)

    def send(self, call: Call) -> None:
        """Into the stream whose turn it is."""
        if self._free:
            self._free.popleft().send(call)
        else:
            self._waiting.append(call)

    def free(self, stream: _Stream) -> None:
        """A stream has an answer: there is room in its window."""
        if self._waiting:
            call = self._waiting.popleft()
            call.wrote()
            stream.send(call)
        else:
            self._free.append(stream)

    def ended(self, stream: _Stream) -> None:
        """It takes nothing more."""
        self._free = deque(one for one in self._free if one is not stream)

    async def close(self) -> None:
        """End the streams in good order."""
        for stream in self._streams:
            stream.end()
        if self._running is not None:
            await self._running

    async def _run(self, channels: list[aio.Channel]) -> None:
        async with asyncio.TaskGroup() as group:
            for connection, stream in zip(channels, self._streams, strict=True):
                group.create_task(stream.run(connection))


class _Stream:
    """One stream: calls wait for the answer with their interchange id."""

    def __init__(self, owner: StreamSender) -> None:
        self._owner = owner
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._calls: dict[str, Call] = {}

    def send(self, call: Call) -> None:
        """Write it; the queue is as long as the window at most."""
        self._calls[call.request.name] = call
        self._queue.put_nowait(call.request.wire)

    def end(self) -> None:
        """Write no more."""
        self._queue.put_nowait(None)

    async def run(self, connection: aio.Channel) -> None:
        """Until it is ended, by us or by the server."""
        stream: Any = connection.stream_stream(STREAM)
        call = stream(self._requests())
        problem = "the stream was closed"
        try:
            async for reply in call:
                self._take(reply)
        except aio.AioRpcError as error:
            problem = f"status {error.code().name}"
        finally:
            self._owner.ended(self)
            for waiting in self._calls.values():
                waiting.answered(problem)
            self._calls.clear()
            await connection.close()

    async def _requests(self) -> AsyncIterator[bytes]:
        while (content := await self._queue.get()) is not None:
            yield content

    def _take(self, content: bytes) -> None:
        reply = wire.SubmitReply.FromString(content)
        call = self._calls.pop(reply.interchange_id, None)
        if call is None:
            return
        self._owner.free(self)
        accepted = reply.status == wire.STATUS_ACCEPTED
        call.answered("" if accepted else reply.problem.code or "interchange.refused")


async def _ready(connection: aio.Channel) -> None:
    """Raises ``OSError`` when there is no connection in time."""
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            await connection.channel_ready()
    except TimeoutError as error:
        await connection.close()
        raise OSError("no connection over gRPC") from error
