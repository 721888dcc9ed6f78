"""A subscription: deliveries as they come, acknowledged on the same stream."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime
from typing import Any, Self

from grpc import aio

from gateway.client.answers import Delivery
from gateway.client.proof import Prover
from gateway.client.replies import call_failure, delivery
from translators.wire.exchange.v1 import exchange_pb2 as wire

FAREWELL_SECONDS = 2.0
"""How long the end waits for the gateway to settle the last acknowledgements."""


class Subscription:
    """Iterate over it; it ends when the gateway ends it. What is not acknowledged comes again."""

    def __init__(self, call: Any, *, prover: Prover, clock: Callable[[], datetime]) -> None:
        """``call`` is the open stream."""
        self._call = call
        self._prover = prover
        self._clock = clock
        self._writing = asyncio.Lock()

    async def begin(self, max_in_flight: int) -> None:
        """Ask for deliveries, at most so many unacknowledged ones; 0: as the gateway likes."""
        options = wire.SubscribeOptions(max_in_flight=max_in_flight)
        await self._write(wire.SubscribeRequest(options=options))

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Delivery:
        """The next delivery, proved when the gateway's keys are known.

        Raises ``ProblemError``, ``Unavailable`` or, for a delivery without proof, ``TrustError``.
        """
        try:
            message = await self._call.read()
        except aio.AioRpcError as error:
            raise call_failure(error) from error
        if message is aio.EOF:
            raise StopAsyncIteration
        found = delivery(message)
        self._prover.delivery(
            found.signature,
            found.content,
            message_id=found.message_id,
            format_id=found.format,
            now=self._clock(),
        )
        return found

    async def acknowledge(self, *delivery_ids: str) -> None:
        """The deliveries are applied and shall not come again. May be repeated."""
        acknowledgement = wire.Acknowledgement(delivery_ids=delivery_ids)
        await self._write(wire.SubscribeRequest(acknowledgement=acknowledgement))

    async def close(self) -> None:
        """End it, once the gateway has taken the last acknowledgements. May be called twice."""
        with contextlib.suppress(aio.AioRpcError, asyncio.InvalidStateError, TimeoutError):
            async with asyncio.timeout(FAREWELL_SECONDS):
                await self._call.done_writing()
                while await self._call.read() is not aio.EOF:
                    pass
        self._call.cancel()

    async def _write(self, request: wire.SubscribeRequest) -> None:
        try:
            async with self._writing:
                await self._call.write(request)
        except aio.AioRpcError as error:
            raise call_failure(error) from error
