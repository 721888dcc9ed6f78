"""Signing in the gateway's name without holding up the event loop.

A key in memory signs at once. A key in a device takes as long as the device, one signature after
the other: those are made in one thread that does nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from gateway.core.errors import Unavailable
from trust.keys import Signer

T = TypeVar("T")


class SigningDesk:
    """Has statements signed, by the key that signs now."""

    def __init__(self, signer: Signer, *, seconds: float = 10.0) -> None:
        """``seconds``: how long one signature of a device may take, with those before it."""
        self._signer = signer
        self._seconds = seconds
        self._thread: ThreadPoolExecutor | None = None

    async def sign(self, make: Callable[[Signer], T]) -> T:
        """What ``make`` makes with the signer; raises ``Unavailable`` when its device fails.

        A signature that comes too late is thrown away: nobody has seen it.
        """
        signer = self._signer.chosen()
        if not signer.waits:
            return make(signer)
        if self._thread is None:
            self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="signing")
        signing = asyncio.get_running_loop().run_in_executor(self._thread, make, signer)
        try:
            async with asyncio.timeout(self._seconds):
                return await signing
        except TimeoutError as error:
            reason = f"the device of the signing key took longer than {self._seconds:g} seconds"
            raise Unavailable(reason, reached=True) from error

    def close(self) -> None:
        """Let go of the thread, without waiting for a device that hangs. May be called twice."""
        if self._thread is not None:
            self._thread.shutdown(wait=False, cancel_futures=True)
            self._thread = None
