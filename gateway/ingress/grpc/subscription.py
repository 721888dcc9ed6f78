"""``Subscribe``: a party is sent what is addressed to it, and acknowledges on the same stream."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import aclosing

from gateway.core.errors import Refused
from gateway.core.identifiers import MessageId
from gateway.ingress.grpc import conversion
from gateway.ingress.grpc.caller import Callers, Context, abort
from gateway.ingress.grpc.settings import GrpcSettings
from gateway.ingress.problems import Problems
from gateway.pipeline.service import Service
from gateway.telemetry import Metrics
from translators.wire.exchange.v1 import exchange_pb2 as wire
from trust.identity import Identity


class Subscriptions:
    """Streams of deliveries. What is not acknowledged when a stream ends comes again."""

    def __init__(
        self,
        *,
        service: Service,
        metrics: Metrics,
        callers: Callers,
        problems: Problems,
        settings: GrpcSettings,
        stopping: asyncio.Event,
    ) -> None:
        self._service = service
        self._metrics = metrics
        self._callers = callers
        self._problems = problems
        self._settings = settings
        self._stopping = stopping

    async def subscribe(
        self, requests: AsyncIterator[wire.SubscribeRequest], context: Context
    ) -> None:
        """Deliver until the caller ends its side, goes away, or the gateway stops."""
        party = ""
        try:
            async with self._callers.call(context) as identity:
                party = identity.party
                options = await _options(requests)
                await self._exchange(identity, options, requests, context)
        except Exception as error:
            await abort(context, self._problems.tell(_single(error), party=party))

    async def _exchange(
        self,
        identity: Identity,
        options: wire.SubscribeOptions,
        requests: AsyncIterator[wire.SubscribeRequest],
        context: Context,
    ) -> None:
        """Send and settle side by side; the end of either side ends both."""
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(self._send(identity, options, context))
            settling = group.create_task(self._settle(identity, requests))
            stop = group.create_task(_wait(self._stopping))
            await asyncio.wait({sending, settling, stop}, return_when=asyncio.FIRST_COMPLETED)
            for task in (sending, settling, stop):
                task.cancel()

    async def _send(
        self, identity: Identity, options: wire.SubscribeOptions, context: Context
    ) -> None:
        most = self._settings.in_flight
        asked = options.max_in_flight
        certificate = self._callers.certificate(context)
        served = self._metrics.inbox.labels(party=identity.party, step="served")
        messages = self._service.subscribe(
            identity, max_in_flight=min(asked, most) if asked else most
        )
        async with aclosing(messages) as following:  # type: ignore[type-var]  # an async generator
            async for cursor, message in following:
                await self._callers.still(certificate)  # again: it may be suspended by now
                await context.write(conversion.delivery(cursor, message))
                served.inc()

    async def _settle(
        self, identity: Identity, requests: AsyncIterator[wire.SubscribeRequest]
    ) -> None:
        """Acknowledge what is named; unknown, repeated and outdated ids are harmless."""
        settled = self._metrics.inbox.labels(party=identity.party, step="acknowledged")
        # Messages of one key are settled in order. Named in another order, a later one would be
        # passed over, so each call names what this stream has acknowledged of the page so far.
        named: OrderedDict[str, set[MessageId]] = OrderedDict()
        async for request in requests:
            if request.WhichOneof("request") != "acknowledgement":
                raise Refused("request.invalid", "only the first request has options")
            for delivery_id in request.acknowledgement.delivery_ids:
                cursor, _, message_id = delivery_id.rpartition(":")
                named.setdefault(cursor, set()).add(MessageId(message_id))
                named.move_to_end(cursor)
            for cursor in {i.rpartition(":")[0] for i in request.acknowledgement.delivery_ids}:
                settled.inc(await self._acknowledge(identity, cursor, named[cursor]))
            while len(named) > self._settings.in_flight:  # there are no more open pages than that
                named.popitem(last=False)

    async def _acknowledge(
        self, identity: Identity, cursor: str, message_ids: set[MessageId]
    ) -> int:
        try:
            return await self._service.acknowledge(identity, cursor, tuple(message_ids))
        except Refused:
            return 0


async def _options(requests: AsyncIterator[wire.SubscribeRequest]) -> wire.SubscribeOptions:
    async for request in requests:
        if request.WhichOneof("request") == "options":
            return request.options
        break
    raise Refused("request.invalid", "the first request has options")


async def _wait(event: asyncio.Event) -> None:
    await event.wait()


def _single(error: Exception) -> Exception:
    """The first of a group of errors, which is the one that ended the others."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error
