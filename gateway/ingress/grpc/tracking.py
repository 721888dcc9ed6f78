"""``Track``, ``Keys`` and ``Clearance``: what became of what was sent, and may an item go."""

from __future__ import annotations

from gateway.core.errors import Refused
from gateway.core.identifiers import InterchangeId
from gateway.ingress.grpc import conversion
from gateway.ingress.grpc.caller import Callers, Context, abort
from gateway.ingress.grpc.settings import GrpcSettings
from gateway.ingress.problems import Problems
from gateway.pipeline.ping import PING_BYTES
from gateway.pipeline.service import Service
from translators.wire.exchange.v1 import exchange_pb2 as wire
from trust.identity import Identity

MAX_KEY = 140


class Tracking:
    """Answers questions about what was sent before."""

    def __init__(
        self, *, service: Service, callers: Callers, problems: Problems, settings: GrpcSettings
    ) -> None:
        self._service = service
        self._callers = callers
        self._problems = problems
        self._settings = settings

    async def track(self, request: wire.TrackRequest, context: Context) -> wire.TrackReply:
        """One interchange of the caller, or one key that it may see."""
        party = ""
        try:
            async with self._callers.call(context) as identity:
                party = identity.party
                if request.WhichOneof("subject") == "interchange_id":
                    return await self._interchange(identity, request)
                return await self._key(identity, request.key)
        except Exception as error:
            await abort(context, self._problems.tell(error, party=party))

    async def keys(self, _: wire.KeysRequest, context: Context) -> wire.KeysReply:
        """The public halves of the gateway's keys, for any party."""
        try:
            async with self._callers.call(context):
                return conversion.keys(self._service.signing_keys())
        except Exception as error:
            await abort(context, self._problems.tell(error))

    async def clearance(
        self, request: wire.ClearanceRequest, context: Context
    ) -> wire.ClearanceReply:
        """Whether items may go, as far as the caller may know it."""
        party = ""
        try:
            async with self._callers.call(context) as identity:
                party = identity.party
                answers = await self._service.clearance(identity, tuple(request.items))
                return wire.ClearanceReply(answers=map(conversion.clearance, answers))
        except Exception as error:
            await abort(context, self._problems.tell(error, party=party))

    async def ping(self, request: wire.PingRequest, context: Context) -> wire.PingReply:
        """Who the caller is here; nothing is kept of it."""
        party = ""
        try:
            async with self._callers.call(context) as identity:
                party = identity.party
                if len(request.content) > PING_BYTES:
                    raise Refused("body.oversize", f"a ping has at most {PING_BYTES} bytes")
                echo = await self._service.ping(
                    identity, request.content, signature=request.signature or None, proved=None
                )
                return wire.PingReply(content=echo.content, signature=echo.signature)
        except Exception as error:
            await abort(context, self._problems.tell(error, party=party))

    async def _interchange(self, identity: Identity, request: wire.TrackRequest) -> wire.TrackReply:
        offset = _offset(request.page_token)
        most = self._settings.outcome_page
        limit = min(request.page_size or most, most)
        found = await self._service.status(identity, InterchangeId(request.interchange_id))
        outcomes, following = conversion.page(found.stored, offset=offset, limit=limit)
        return wire.TrackReply(
            interchange_id=found.stored.interchange_id,
            receipt=found.stored.receipt,
            outcomes=outcomes,
            legs=map(conversion.leg, found.legs) if offset == 0 else (),
            next_page_token=following,
        )

    async def _key(self, identity: Identity, key: str) -> wire.TrackReply:
        if not 0 < len(key) <= MAX_KEY:
            raise Refused("request.invalid", f"a key has 1 to {MAX_KEY} characters")
        entries = await self._service.trace(identity, key)
        return wire.TrackReply(
            legs=(conversion.leg(leg) for entry in entries for leg in entry.legs),
            events=(event for entry in entries for event in conversion.events(entry)),
        )


def _offset(token: str) -> int:
    if not token:
        return 0
    if not (token.isascii() and token.isdigit() and len(token) <= 9):
        raise Refused("request.invalid", "page_token comes from the page before")
    return int(token)
