"""``Submit`` and ``SubmitStream``: interchanges in, signed receipts out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import AsyncExitStack

from gateway.core.envelope import Bytes
from gateway.core.errors import Refused
from gateway.core.records import State, Stored
from gateway.ingress.admission import Admission
from gateway.ingress.answers import outcomes_of
from gateway.ingress.grpc import conversion
from gateway.ingress.grpc.caller import Callers, Context, abort
from gateway.ingress.grpc.conversing import Conversation, Submitted, Window
from gateway.ingress.grpc.settings import GrpcSettings
from gateway.ingress.problems import Problems
from gateway.ingress.reception import Reception
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
        party, submitted = "", Submitted.of(request)
        try:
            async with self._callers.call(context) as identity:
                party = identity.party
                with self._admission.taken(len(submitted.content)):
                    stored = await self._take(identity, submitted)
        except Exception as error:
            told = self._problems.tell(error, party=party, interchange_id=request.interchange_id)
            await abort(context, told)
        if stored.state is State.REFUSED:
            told = self._problems.told(REFUSED)  # counted as a judged interchange already
            await abort(context, told, receipt=stored.receipt, faults=_faults(stored))
        return conversion.reply(stored, limit=self._settings.outcome_page)

    async def stream(self, context: Context) -> None:
        """One reply for each submission, in any order; a bad one ends nothing but itself.

        Reads on while fewer than ``window`` submissions and ``stream_bytes`` of content are
        unanswered, at the rate of the party: a stream is slowed down, and nothing of it refused.
        When the gateway stops, what was read is answered and the stream ends.
        """
        async with AsyncExitStack() as stack:
            try:
                identity = await stack.enter_async_context(self._callers.call(context))
                certificate = self._callers.certificate(context)
            except Exception as error:
                await abort(context, self._problems.tell(error))
            broken = await self._conversation(identity.party, certificate, context).run(
                self._stopping
            )
            if broken is not None:
                await abort(context, self._problems.tell(broken, party=identity.party))

    def _conversation(self, party: PartyId, certificate: bytes, context: Context) -> Conversation:
        async def answer(submitted: Submitted) -> wire.SubmitReply:
            return await self._answer(submitted, certificate)

        return Conversation(
            context,
            party=party,
            answer=answer,
            window=Window(self._settings.window, self._settings.stream_bytes),
            limiter=self._callers.limiter,
            admission=self._admission,
        )

    async def _answer(self, submitted: Submitted, certificate: bytes) -> wire.SubmitReply:
        party, identifier = "", submitted.claim.interchange_id
        try:
            identity = await self._callers.still(certificate)  # again: it may be suspended by now
            party = identity.party
            stored = await self._take(identity, submitted)
        except Exception as error:
            told = self._problems.tell(error, party=party, interchange_id=identifier)
            return wire.SubmitReply(
                interchange_id=identifier,
                status=wire.STATUS_REFUSED,
                problem=conversion.problem(told.problem),
            )
        return conversion.reply(stored, limit=self._settings.outcome_page)

    async def _take(self, identity: Identity, submitted: Submitted) -> Stored:
        claim, content = submitted.claim, submitted.content
        try:
            self._reception.permit(identity, claim)
            if not content:
                raise Refused("body.empty")
            if len(content) > self._settings.message_bytes:
                raise Refused(
                    "body.oversize", f"at most {self._settings.message_bytes} bytes are taken"
                )
            return await self._reception.accept(identity, claim, Bytes(content))
        except Refused as refused:
            await self._reception.note(identity, claim, refused)
            raise


def _faults(stored: Stored) -> Iterable[Fault]:
    outcomes, _ = outcomes_of(stored, offset=0, limit=1_000)
    return (fault for outcome in outcomes for fault in outcome.faults)
