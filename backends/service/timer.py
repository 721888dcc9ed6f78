"""The timer: what a desk does by itself, and the registry read again when it changes."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import suppress

import structlog

from backends.service.books import Books, Encode
from backends.service.clerk import Clock
from backends.service.configuration import ConfigurationError
from backends.service.credentials import Credentials
from backends.service.desk import Desk
from backends.service.ledger import Ledger, LedgerBusy

_log = structlog.get_logger("backends.timer")


class Timer:
    """Calls ``Desk.work`` at least every ``seconds``, and at once after :meth:`wake`."""

    def __init__(
        self,
        *,
        desk: Desk,
        ledger: Ledger,
        credentials: Credentials,
        encode: Encode,
        clock: Clock,
        seconds: float,
        wake: Callable[[], None],
    ) -> None:
        """``wake`` is called when work left answers."""
        self._desk = desk
        self._ledger = ledger
        self._credentials = credentials
        self._encode = encode
        self._clock = clock
        self._seconds = seconds
        self._wake = wake
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """There may be work."""
        self._woken.set()

    async def run(self) -> None:
        """Until cancelled; trouble is told and tried again at the next look."""
        while True:
            self._woken.clear()
            self._refresh()
            try:
                while await self._look():
                    pass
            except LedgerBusy:
                _log.warning("work.delayed")
            except Exception:  # a bug in one piece of work must not stop the others
                _log.exception("work.failed")
                await asyncio.sleep(self._seconds)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._seconds):
                    await self._woken.wait()

    async def _look(self) -> bool:
        more, answers = await self._ledger.run(self._work)
        if answers:
            self._wake()
        return more

    def _work(self, connection: sqlite3.Connection) -> tuple[bool, int]:
        books = Books(connection, self._clock(), self._encode)
        return self._desk.work(books), books.answers

    def _refresh(self) -> None:
        try:
            if self._credentials.refresh():
                _log.info("registry.read")
        except ConfigurationError as error:
            _log.error("registry.unusable", reason=str(error))
