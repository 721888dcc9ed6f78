"""Waiting for what happens in other processes: looking again and again, but not for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from gateway.demo.processes import DemoError

WAIT_SECONDS = 120.0
LOOK_SECONDS = 0.25

T = TypeVar("T")


async def until(look: Callable[[], Awaitable[T | None]], *, what: str) -> T:
    """The first thing that ``look`` finds; raises ``DemoError`` after two minutes."""
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            while (found := await look()) is None:  # noqa: ASYNC110 - other processes tell nothing
                await asyncio.sleep(LOOK_SECONDS)
            return found
    except TimeoutError as error:
        raise DemoError(f"{what}: not within {WAIT_SECONDS:g} s") from error
