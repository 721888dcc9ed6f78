"""``Submit`` and ``SubmitStream``: interchanges in, signed receipts out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack

from gateway.core.envelope import Bytes
from gateway.core.errors import Refused
from gateway.core.records import State, Stored
from gateway.ingress.admission import Admission
from gateway.ingress.answers import outcomes_of
from gateway.ingress.grpc import conversion
from gateway.ingress.grpc.caller import Callers, Context, abort
from gateway.ingress.grpc.settings import GrpcSettings
from gateway.ingress.problems import Problems
from gateway.ingress.reception import Claim, Reception
from translators.faults import Fault
from translators.wire.exchange.v1 import exchange_pb2 as wire
from trust.identity import Identity, PartyId

REFUSED = "interchange.refused"


class Submissions:
    """Takes submissions one by one or in a stream."""

    def __init__(
        self,
        *,
        reception: Reception,
        callers: Callers,
        problems: Problems,
        settings: GrpcSettings,
        stopping: asyncio.Event,
        admission: Admission,
    ) -> None:
        self._admission = admission
        self._reception = reception
        self._callers = callers
        self._problems = problems
        self._settings = settings
        self._stopping = stopping

    async def submit(self, request: wire.Submission, context: Context) -> wire.SubmitReply:
        """One interchange. Wholly refused, it ends with a status and its faults in metadata."""
        party = ""
        try:
            async with self._callers.call(context) as identity:
                party = identity.party
                with self._admission.taken(len(request.content)):
                    stored = await self._take(identity, request)
        except Exception as error:
            told = self._problems.tell(error, party=party, interchange_id=request.interchange_id)
            await abort(context, told)
        if stored.state is State.REFUSED:
            told = self._problems.told(REFUSED)  # counted as a judged interchange already
            await abort(context, told, receipt=stored.receipt, faults=_faults(stored))
        return conversion.reply(stored, limit=self._settings.outcome_page)

    async def stream(self, requests: AsyncIterator[wire.Submission], context: Context) -> None:
        """One reply for each submission, in any order; a bad one ends nothing but itself.

        Reads on while fewer than ``window`` submissions and ``stream_bytes`` of content are
        unanswered, at the rate of the party: a stream is slowed down, and nothing of it refused.
        When the gateway stops, what was read is answered and the stream ends.
        """
        async with AsyncExitStack() as stack:
            try:
                identity = await stack.enter_async_context(self._callers.call(context))
            except Exception as error:
                await abort(context, self._problems.tell(error))
            broken = await self._serve(identity.party, requests, context)
            if broken is not None:
                await abort(context, self._problems.tell(broken, party=identity.party))

    async def _serve(
        self, party: PartyId, requests: AsyncIterator[wire.Submission], context: Context
    ) -> Refused | None:
        """Answer what comes in a stream, up to what is no submission at all."""
        certificate = self._callers.certificate(context)
        limiter = self._callers.limiter
        window = Window(self._settings.window, self._settings.stream_bytes)
        writing = asyncio.Lock()

        async def answer(request: wire.Submission) -> None:
            try:
                async with limiter.place(party):
                    reply = await self._answer(request, certificate)
                async with writing:
                    await context.write(reply)
            finally:
                window.leave(len(request.content))
                self._admission.leave(len(request.content))

        async with asyncio.TaskGroup() as group:

            async def read() -> Refused | None:
                try:
                    async for request in requests:
                        await window.enter(len(request.content))
                        await limiter.turn(party)
                        await self._admission.room(len(request.content))
                        group.create_task(answer(request))
                except Refused as refused:  # no submission at all: what came before is answered
                    return refused
                return None

            reading = group.create_task(read())
            stop = asyncio.create_task(self._stopping.wait())
            stop.add_done_callback(lambda _: reading.cancel())
            await asyncio.wait({reading})
            stop.cancel()
        return None if reading.cancelled() else reading.result()

    async def _answer(self, request: wire.Submission, certificate: bytes) -> wire.SubmitReply:
        party = ""
        try:
            identity = await self._callers.still(certificate)  # again: it may be suspended by now
            party = identity.party
            stored = await self._take(identity, request)
        except Exception as error:
            told = self._problems.tell(error, party=party, interchange_id=request.interchange_id)
            return wire.SubmitReply(
                interchange_id=request.interchange_id,
                status=wire.STATUS_REFUSED,
                problem=conversion.problem(told.problem),
            )
        return conversion.reply(stored, limit=self._settings.outcome_page)

    async def _take(self, identity: Identity, request: wire.Submission) -> Stored:
        claim = Claim(
            interchange_id=request.interchange_id,
            format_id=request.format,
            signature=request.signature or None,
            on_behalf_of=request.on_behalf_of or None,
        )
        try:
            self._reception.permit(identity, claim)
            if not request.content:
                raise Refused("body.empty")
            if len(request.content) > self._settings.message_bytes:
                raise Refused(
                    "body.oversize", f"at most {self._settings.message_bytes} bytes are taken"
                )
            return await self._reception.accept(identity, claim, Bytes(request.content))
        except Refused as refused:
            await self._reception.note(identity, claim, refused)
            raise


class Window:
    """Bounds what is unanswered, in number and in bytes; one alone may exceed the bytes."""

    def __init__(self, number: int, size: int) -> None:
        self._number = number
        self._size = size
        self._entered = 0
        self._bytes = 0
        self._left = asyncio.Event()

    async def enter(self, size: int) -> None:
        """Wait for room. One waits at a time."""
        while self._entered and (self._entered >= self._number or self._bytes + size > self._size):
            self._left.clear()
            await self._left.wait()
        self._entered += 1
        self._bytes += size

    def leave(self, size: int) -> None:
        """Make room."""
        self._entered -= 1
        self._bytes -= size
        self._left.set()


def _faults(stored: Stored) -> Iterable[Fault]:
    outcomes, _ = outcomes_of(stored, offset=0, limit=1_000)
    return (fault for outcome in outcomes for fault in outcome.faults)
