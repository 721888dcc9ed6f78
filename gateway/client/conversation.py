"""A stream of submissions: sent without waiting, answered in any order, none of them lost."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Iterable
from typing import Any

import grpc
import msgspec
from grpc import aio

from gateway.client.answers import Answer
from gateway.client.ending import MADE_UP, Ending
from gateway.client.errors import ProblemError
from gateway.client.replies import call_failure
from gateway.core.errors import Unavailable
from translators.wire.exchange.v1 import exchange_pb2 as wire
from trust.errors import TrustError


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """One interchange to be sent."""

    interchange_id: str
    format: str
    content: bytes
    on_behalf_of: str | None = None
    """In whose name, when that is not the sender's own."""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What came back for one submission: its answer, or why there is none."""

    interchange_id: str
    answer: Answer | None = None
    failure: ProblemError | Unavailable | TrustError | None = None

    def result(self) -> Answer:
        """The answer, or raise the failure."""
        if self.answer is None:
            raise self.failure or Unavailable("there is no answer")
        return self.answer


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """``window``: unanswered submissions. Seconds: for an answer, and before a new stream."""

    window: int
    answer: float
    pause: float


class Conversation:
    """Sends submissions over one stream after another until each has its reply.

    A stream that broke is opened once more, and what has no reply is sent again under the same
    id; the second break without a reply between them ends it.
    """

    def __init__(
        self,
        submissions: Iterable[Submission],
        *,
        open_stream: Callable[[], Any],
        written: Callable[[Submission], wire.Submission],
        judged: Callable[[Submission, wire.SubmitReply], Reply],
        pace: Pace,
    ) -> None:
        self._source = iter(submissions)
        self._open = open_stream
        self._written = written
        self._judged = judged
        self._pace = pace
        self._room = asyncio.Semaphore(pace.window)
        self._pending: dict[str, Submission] = {}
        self._exhausted = False

    async def replies(self) -> AsyncGenerator[Reply, None]:
        """A reply for each submission. Raises ``ProblemError`` or ``Unavailable`` for the rest."""
        broken = 0
        while True:
            failure: Exception = Unavailable("the gateway ended the stream")
            try:
                async with contextlib.aclosing(self._session()) as session:
                    async for reply in session:
                        broken = 0
                        yield reply
                if self._exhausted and not self._pending:
                    return
            except aio.AioRpcError as error:
                failure = call_failure(error)
                if isinstance(failure, ProblemError):
                    raise failure from error
            except TimeoutError as error:
                raise Unavailable(f"no answer within {self._pace.answer:g} s") from error
            broken += 1
            if broken > 1:
                raise failure
            await asyncio.sleep(self._pace.pause)

    async def _session(self) -> AsyncGenerator[Reply, None]:
        """One stream, until the gateway has answered everything or ended it."""
        call = self._open()
        ending = Ending(call)
        writing = asyncio.create_task(self._write(call))
        try:
            while True:
                reply = await self._read(call, ending)
                if reply is aio.EOF:
                    break
                submission = self._pending.pop(reply.interchange_id, None)
                if submission is None:
                    continue  # a reply to nothing that was asked
                self._room.release()
                yield self._judged(submission, reply)
            if writing.done():
                writing.result()  # what the source of the submissions raised
        finally:
            writing.cancel()
            call.cancel()
            await asyncio.wait([writing])

    async def _read(self, call: Any, ending: Ending) -> Any:
        """The next reply, or the end; raises ``AioRpcError`` with the gateway's own status."""
        try:
            async with asyncio.timeout(self._pace.answer):
                return await call.read()
        except aio.AioRpcError as error:
            if error.details() != MADE_UP:
                raise
            true = await ending.true_error(error)
            if true.code() is grpc.StatusCode.OK:
                return aio.EOF
            raise true from error

    async def _write(self, call: Any) -> None:
        """First again what has no reply, then what comes next, as long as there is room."""
        try:
            for submission in tuple(self._pending.values()):
                await call.write(self._written(submission))
            while True:
                await self._room.acquire()
                following = self._next()
                if following is None:
                    self._room.release()
                    return
                await call.write(self._written(following))
        except (aio.AioRpcError, asyncio.InvalidStateError):
            return  # the stream is over; reading tells why
        finally:
            with contextlib.suppress(aio.AioRpcError, asyncio.InvalidStateError):
                await call.done_writing()

    def _next(self) -> Submission | None:
        submission = next(self._source, None)
        if submission is None:
            self._exhausted = True
        elif submission.interchange_id in self._pending:
            raise ValueError(f"{submission.interchange_id} is sent twice at the same time")
        else:
            self._pending[submission.interchange_id] = submission
        return submission
