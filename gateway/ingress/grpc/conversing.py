"""One ``SubmitStream``: reading ahead, answering side by side, writing what is answered."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

import msgspec
from grpc import aio

from gateway.core.errors import Refused
from gateway.ingress.admission import Admission
from gateway.ingress.grpc.caller import Context
from gateway.ingress.grpc.reading import read
from gateway.ingress.limits import Limiter
from gateway.ingress.reception import Claim
from translators.wire.exchange.v1 import exchange_pb2 as wire
from trust.identity import PartyId


class Submitted(msgspec.Struct, frozen=True):
    """One submission: what is claimed of it, and its content."""

    claim: Claim
    content: bytes

    @staticmethod
    def of(message: wire.Submission) -> Submitted:
        """The values of a message. Each look at a member of that one copies it."""
        return Submitted(
            Claim(
                interchange_id=message.interchange_id,
                format_id=message.format,
                signature=message.signature or None,
                on_behalf_of=message.on_behalf_of or None,
            ),
            message.content,
        )


class Conversation:
    """One stream of a party, from its first submission to the answer to the last one.

    Tasks answer; one writes, since gRPC takes one message at a time. What a stream holds is counted
    here, so that all of it is given back when the stream ends under it.
    """

    def __init__(
        self,
        context: Context,
        *,
        party: PartyId,
        answer: Callable[[Submitted], Awaitable[wire.SubmitReply]],
        window: Window,
        limiter: Limiter,
        admission: Admission,
    ) -> None:
        """``answer`` raises nothing."""
        self._context = context
        self._party = party
        self._answer = answer
        self._window = window
        self._limiter = limiter
        self._admission = admission
        self._replies: deque[tuple[wire.SubmitReply, int]] = deque()
        self._more = asyncio.Event()
        self._all_answered = False

    async def run(self, stopping: asyncio.Event) -> Refused | None:
        """Answer what comes, until the caller ends its side, or ``stopping`` is set.

        What comes and is no submission ends it too, and is returned: what came before is answered.
        """
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._write())
                try:
                    async with asyncio.TaskGroup() as answers:
                        reading = answers.create_task(self._read(answers))
                        stop = asyncio.create_task(stopping.wait())
                        stop.add_done_callback(lambda _: reading.cancel())
                        try:
                            await asyncio.wait({reading})
                        finally:
                            stop.cancel()
                finally:
                    self._all_answered = True
                    self._more.set()
            return None if reading.cancelled() else reading.result()
        finally:
            self._admission.leave(self._window.bytes)

    async def _read(self, answers: asyncio.TaskGroup) -> Refused | None:
        while (content := await self._context.read()) is not aio.EOF:
            try:
                submitted = Submitted.of(read(content, wire.Submission.FromString))
            except Refused as refused:
                return refused
            size = len(submitted.content)
            await self._window.room(size)
            await self._limiter.turn(self._party)
            await self._admission.room(size)
            self._window.enter(size)
            answers.create_task(self._answered(submitted, size))
        return None

    async def _answered(self, submitted: Submitted, size: int) -> None:
        with await self._limiter.place(self._party):
            reply = await self._answer(submitted)
        self._replies.append((reply, size))
        self._more.set()

    async def _write(self) -> None:
        while True:
            while self._replies:
                reply, size = self._replies.popleft()
                await self._context.write(reply)
                self._window.leave(size)
                self._admission.leave(size)
            if self._all_answered:
                return
            self._more.clear()
            await self._more.wait()


class Window:
    """Bounds what is unanswered, in number and in bytes; one alone may exceed the bytes."""

    def __init__(self, number: int, size: int) -> None:
        self._number = number
        self._size = size
        self._entered = 0
        self.bytes = 0
        """Of what has entered and not left."""
        self._left = asyncio.Event()

    async def room(self, size: int) -> None:
        """Wait for room. One waits at a time, and enters before the next one asks."""
        while self._entered and (self._entered >= self._number or self.bytes + size > self._size):
            self._left.clear()
            await self._left.wait()

    def enter(self, size: int) -> None:
        """Take the room that there is."""
        self._entered += 1
        self.bytes += size

    def leave(self, size: int) -> None:
        """Make room."""
        self._entered -= 1
        self.bytes -= size
        self._left.set()
