"""How a stream ended, as the other side said it.

When a write is under way while the other side ends the stream, gRPC puts a status of its own,
``INTERNAL``, before or over the one that was sent. Whoever then takes a refusal for an accident
tries again for ever, so the status that was sent is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from grpc import aio

MADE_UP = "Internal error from Core"
_LOOKS, _LOOK_SECONDS = 20, 0.01


class Ending:
    """Watches one call from its beginning."""

    def __init__(self, call: Any) -> None:
        self._call = call
        self._first: aio.AioRpcError | None = None
        call.add_done_callback(self._note)

    async def true_error(self, made_up: aio.AioRpcError) -> aio.AioRpcError:
        """The error with the status that the other side sent, or the made-up one for want of it."""
        for _ in range(_LOOKS):
            if self._first is not None and self._first.details() != MADE_UP:
                return self._first
            now = await self._error()
            if now.details() != MADE_UP:
                return now
            await asyncio.sleep(_LOOK_SECONDS)
        return made_up

    def _note(self, _: object) -> None:
        """Called once, as the first status comes; it may be gone when a task gets its turn."""
        self._first = _at_once(self._error())

    async def _error(self) -> aio.AioRpcError:
        call = self._call
        return aio.AioRpcError(
            await call.code(),
            await call.initial_metadata(),
            await call.trailing_metadata(),
            details=await call.details(),
        )


def _at_once(work: Coroutine[Any, Any, aio.AioRpcError]) -> aio.AioRpcError | None:
    """The result of a coroutine that has nothing to wait for; ``None`` if it would wait."""
    try:
        work.send(None)
    except StopIteration as done:
        result: aio.AioRpcError = done.value
        return result
    work.close()
    return None
