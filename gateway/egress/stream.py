"""One long stream of submissions: many deliveries under way, replies matched by id."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from grpc import aio

from gateway.core.errors import Unavailable
from gateway.egress.replies import retry_after_of
from translators.wire.exchange.v1 import exchange_pb2 as wire

if TYPE_CHECKING:
    from translators.wire.exchange.v1.exchange_pb2_grpc import ExchangeAsyncStub

    Call = aio.StreamStreamCall[wire.Submission, wire.SubmitReply]


class SubmissionStream:
    """Opens when it is needed, and again after it broke.

    What has no reply when a stream ends fails with ``Unavailable``: whoever sent it sends it again
    under the same id.
    """

    def __init__(self, stub: ExchangeAsyncStub, *, window: int) -> None:
        self._stub = stub
        self._window = asyncio.Semaphore(window)
        self._current: _Session | None = None

    async def submit(self, submission: wire.Submission) -> wire.SubmitReply:
        """The reply to one submission; raises ``Unavailable`` when the stream breaks."""
        async with self._window:
            if self._current is None or self._current.over:
                self._current = _Session(self._stub.SubmitStream())
            return await self._current.submit(submission)

    async def close(self) -> None:
        """End the stream. May be called twice."""
        current, self._current = self._current, None
        if current is not None:
            await current.close()


class _Session:
    """One call of ``SubmitStream``, from its opening to its end."""

    def __init__(self, call: Call) -> None:
        self.over = False
        self._call = call
        self._pending: dict[str, asyncio.Future[wire.SubmitReply]] = {}
        self._writing = asyncio.Lock()
        self._reader = asyncio.create_task(self._read(), name="grpc.submissions")

    async def submit(self, submission: wire.Submission) -> wire.SubmitReply:
        identifier = submission.interchange_id
        if identifier in self._pending:  # the same message twice at once: one answer for both
            return await asyncio.shield(self._pending[identifier])
        reply = self._pending[identifier] = asyncio.get_running_loop().create_future()
        try:
            async with self._writing:
                await self._write(submission)
            return await asyncio.shield(reply)
        finally:
            self._pending.pop(identifier, None)
            if not reply.done():
                reply.cancel()
            elif not reply.cancelled():
                reply.exception()  # seen: nobody else may be waiting for it

    async def close(self) -> None:
        self._call.cancel()
        with suppress(asyncio.CancelledError):
            await self._reader

    async def _write(self, submission: wire.Submission) -> None:
        try:
            await self._call.write(submission)
        except (aio.AioRpcError, aio.UsageError, asyncio.InvalidStateError) as error:
            reason, retry_after = await self._why(error), _again(error)
            self._end(reason, retry_after)
            raise Unavailable(reason, retry_after=retry_after) from error

    async def _read(self) -> None:
        reason, retry_after = "the receiver ended the stream", None
        try:
            while (reply := await self._call.read()) is not aio.EOF:
                assert isinstance(reply, wire.SubmitReply)
                waiting = self._pending.get(reply.interchange_id)
                if waiting is not None and not waiting.done():
                    waiting.set_result(reply)
            # The end of a stream says nothing of why it ended; its status does.
            reason = f"grpc {(await self._call.code()).name}"
            retry_after = retry_after_of(dict(await self._call.trailing_metadata() or ()))
        except aio.AioRpcError as error:
            reason, retry_after = await self._why(error), _again(error)
        except asyncio.CancelledError:
            reason = "the stream was closed"
            raise
        finally:
            self._end(reason, retry_after)

    async def _why(self, error: Exception) -> str:
        """The status alone: details may hold addresses of the receiver's inside.

        Writing to a call that is over fails without a status of its own; the call has it.
        """
        if isinstance(error, aio.AioRpcError):
            return f"grpc {error.code().name}"
        return (
            f"grpc {(await self._call.code()).name}" if self._call.done() else "grpc call is over"
        )

    def _end(self, reason: str, retry_after: float | None) -> None:
        self.over = True
        for waiting in self._pending.values():
            if not waiting.done():
                waiting.set_exception(Unavailable(reason, retry_after=retry_after))


def _again(error: Exception) -> float | None:
    """When the receiver wants to be asked again, if it said so."""
    if not isinstance(error, aio.AioRpcError):
        return None
    return retry_after_of(dict(error.trailing_metadata() or ()))
