"""The way to the gateway: answers go out by ``SubmitStream`` until each has its signed receipt.

Interchange ids and bytes are those of the outbox, so that a retry after any crash is a repeat for
the gateway. At most a window of answers is unanswered; of one key, one.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from functools import partial
from typing import Any

import grpc
import structlog

from backends.service import outbox
from backends.service.backoff import Backoff
from backends.service.clerk import Clock
from backends.service.configuration import GatewaySettings, LimitSettings
from backends.service.credentials import Credentials
from backends.service.evidence import PERMANENT, fault_codes, judge_reply, problem_of
from backends.service.ledger import Ledger, LedgerBusy
from backends.service.outbox import Waiting
from translators.wire.exchange.v1 import exchange_pb2, exchange_pb2_grpc
from trust.signatures.jws import sign_detached

IDLE_SECONDS = 5.0
"""A stream without answers is closed after this long."""

_log = structlog.get_logger("backends.submitter")


class _Quiet(Exception):
    """The gateway did not answer in time."""


_EXPECTED = (grpc.aio.AioRpcError, _Quiet, LedgerBusy, asyncio.InvalidStateError)


class Submitter:
    """Sends what the outbox holds. :meth:`wake` after a commit; :meth:`run` until cancelled."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        credentials: Credentials,
        gateway: GatewaySettings,
        limits: LimitSettings,
        clock: Clock,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._ledger = ledger
        self._credentials = credentials
        self._gateway = gateway
        self._limits = limits
        self._clock = clock
        self._backoff = Backoff(limits.retry_first_seconds, limits.retry_most_seconds, chance)
        self._woken = asyncio.Event()
        self._flying: dict[str, tuple[Waiting, float]] = {}
        self._resting: dict[int, float] = {}
        self._failures: dict[int, int] = {}
        self._ended = False

    def wake(self) -> None:
        """There may be something to send."""
        self._woken.set()

    async def run(self) -> None:
        """Send for ever; trouble with the gateway only delays."""
        failures = 0
        options: list[tuple[str, Any]] = [("grpc.keepalive_time_ms", 60_000)]
        if self._gateway.server_name:
            options.append(("grpc.ssl_target_name_override", self._gateway.server_name))
        async with grpc.aio.secure_channel(
            self._gateway.address, self._credentials.client(), options=options
        ) as channel:
            stub = exchange_pb2_grpc.ExchangeStub(channel)
            while True:
                try:
                    await self._session(stub)
                    failures = 0
                except (grpc.aio.AioRpcError, _Quiet, LedgerBusy) as error:
                    failures += 1
                    wait = self._backoff.seconds(failures)
                    _log.warning(
                        "gateway.unavailable", reason=_reason(error), retry_seconds=round(wait, 2)
                    )
                    await asyncio.sleep(wait)

    async def _session(self, stub: Any) -> None:
        """One stream, from the first waiting answer until a quiet spell or a failure."""
        self._flying.clear()
        self._ended = False
        first = await self._next(forever=True)
        call = stub.SubmitStream()
        try:
            async with asyncio.TaskGroup() as tasks:
                reading = tasks.create_task(self._read(call))
                await self._write(stub, call, first)
                await call.done_writing()
                await reading
        except BaseExceptionGroup as group:
            expected, others = group.split(_EXPECTED)
            if expected is None or others is not None:
                raise
            raise _first(expected) from None
        finally:
            call.cancel()
            self._flying.clear()

    async def _write(self, stub: Any, call: Any, first: tuple[Waiting, ...]) -> None:
        batch = first
        while batch:
            for waiting in batch:
                self._flying[waiting.interchange_id] = (waiting, asyncio.get_running_loop().time())
                if len(waiting.content) <= self._limits.stream_bytes:
                    await call.write(self._submission(waiting))
                else:  # the gateway's bound on messages would end the stream for all
                    self._settle(waiting, await self._alone(stub, waiting))
            batch = await self._next(forever=False)

    async def _alone(self, stub: Any, waiting: Waiting) -> exchange_pb2.SubmitReply:
        """One answer by a call of its own."""
        try:
            reply: exchange_pb2.SubmitReply = await stub.Submit(
                self._submission(waiting), timeout=self._limits.answer_seconds
            )
        except grpc.aio.AioRpcError as error:
            problem = problem_of(error)
            if problem is None:
                raise
            return exchange_pb2.SubmitReply(problem=problem)
        return reply

    async def _next(self, *, forever: bool) -> tuple[Waiting, ...]:
        """What can be sent now; waits for it, at most ``IDLE_SECONDS`` unless ``forever``."""
        loop = asyncio.get_running_loop()
        quiet_since = loop.time()
        while True:
            self._woken.clear()
            if self._ended:
                raise _Quiet("the gateway ended the stream")
            self._check_answers(loop.time())
            self._resting = {n: at for n, at in self._resting.items() if at > loop.time()}
            held = frozenset(w.number for w, _ in self._flying.values()) | self._resting.keys()
            room = self._limits.window - len(held)
            if room > 0:
                batch = await self._ledger.run(partial(outbox.take, limit=room, in_flight=held))
                if batch:
                    return batch
            if self._flying:
                quiet_since = loop.time()
            if not forever and loop.time() - quiet_since > IDLE_SECONDS:
                return ()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._limits.poll_seconds):
                    await self._woken.wait()

    def _check_answers(self, now: float) -> None:
        oldest = min((since for _, since in self._flying.values()), default=now)
        if now - oldest > self._limits.answer_seconds:
            raise _Quiet(f"no receipt within {self._limits.answer_seconds} s")

    def _submission(self, waiting: Waiting) -> exchange_pb2.Submission:
        format_ = self._gateway.format
        return exchange_pb2.Submission(
            interchange_id=waiting.interchange_id,
            format=format_,
            content=waiting.content,
            signature=sign_detached(
                waiting.content,
                signer=self._credentials.signer,
                interchange_id=waiting.interchange_id,
                format=format_,
                audience=self._credentials.gateway,
                now=self._clock(),
            ),
        )

    async def _read(self, call: AsyncIterator[exchange_pb2.SubmitReply]) -> None:
        async for reply in call:
            found = self._flying.get(reply.interchange_id)
            if found is None:
                _log.warning("reply.unexpected", interchange_id=reply.interchange_id)
                continue
            self._settle(found[0], reply)
        self._ended = True
        self.wake()

    def _settle(self, waiting: Waiting, reply: exchange_pb2.SubmitReply) -> None:
        code = judge_reply(waiting, reply, self._credentials)
        now = self._clock()
        if code and code not in PERMANENT:
            self._rest(waiting, code)
        else:
            self._failures.pop(waiting.number, None)
            if code:
                _log.error("answer.refused", interchange_id=waiting.interchange_id, code=code)
                settled = self._ledger.submit(
                    lambda connection: outbox.refuse(
                        connection, waiting.number, fault_codes(reply) or code, now
                    )
                )
            else:
                settled = self._ledger.submit(
                    lambda connection: outbox.acknowledge(
                        connection, [(waiting.number, reply.receipt)], now
                    )
                )
            # Not awaited: the next replies are read while this commit runs, in a group with them.
            settled.add_done_callback(lambda future: self._land(waiting, future.exception()))
            return
        self._land(waiting)

    def _land(self, waiting: Waiting, failure: BaseException | None = None) -> None:
        if failure is not None:  # not noted: it is sent again and gets the same receipt
            _log.warning("answer.unnoted", interchange_id=waiting.interchange_id)
        self._flying.pop(waiting.interchange_id, None)
        self.wake()

    def _rest(self, waiting: Waiting, code: str) -> None:
        failures = self._failures.get(waiting.number, 0) + 1
        if len(self._failures) < self._limits.waiting:
            self._failures[waiting.number] = failures
        wait = self._backoff.seconds(failures)
        self._resting[waiting.number] = asyncio.get_running_loop().time() + wait
        _log.warning(
            "answer.delayed",
            interchange_id=waiting.interchange_id,
            code=code,
            retry_seconds=round(wait, 2),
        )


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    found: BaseException = group
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    if isinstance(found, asyncio.InvalidStateError):  # the stream ended while we wrote
        return _Quiet("the gateway ended the stream")
    return found


def _reason(error: Exception) -> str:
    if isinstance(error, grpc.aio.AioRpcError):
        return f"{error.code().name}: {error.details() or ''}"[:300]
    return str(error)
