"""The journal of a gateway as a file."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from gateway.core.ports import Clock, Journal
from gateway.store.reader import Reader
from gateway.store.sqlite.journal import open_sqlite
from gateway.store.sqlite.opening import Limits
from gateway.store.sqlite.reader import open_reader
from gateway.store.sqlite.schema import JournalMismatch
from gateway.store.sqlite.status import migrate_file, status_of_file
from gateway.store.status import Migrated, StoreStatus
from gateway.store.store import NoJournal, refuse_foreign


class SqliteStore(msgspec.Struct, frozen=True, kw_only=True):
    """A :class:`gateway.store.store.Store`; opening it brings it up to date."""

    file: Path
    gateway: int
    limits: Limits = Limits()

    @property
    def name(self) -> str:
        """See the protocol."""
        return str(self.file)

    async def open(self, *, clock: Clock, create: bool) -> Journal:
        """See the protocol."""
        if create:
            self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        else:
            self._must_be_there()
        try:
            return await open_sqlite(
                self.file, gateway=self.gateway, clock=clock, limits=self.limits
            )
        except JournalMismatch as error:
            raise NoJournal(f"{self.name}: {error}") from error

    @contextmanager
    def reader(self) -> Iterator[Reader]:
        """See the protocol."""
        self._must_be_there()
        try:
            with open_reader(self.file, gateway=self.gateway) as reader:
                yield reader
        except JournalMismatch as error:
            raise NoJournal(f"{self.name}: {error}") from error

    def status(self) -> StoreStatus:
        """See the protocol."""
        return status_of_file(self.file)

    async def look(self) -> StoreStatus:
        """See the protocol."""
        return await asyncio.to_thread(self.status)

    def check(self) -> None:
        """See the protocol."""
        refuse_foreign(self.status(), gateway=self.gateway)

    def migrate(self) -> Migrated:
        """See the protocol."""
        try:
            return migrate_file(self.file, gateway=self.gateway)
        except JournalMismatch as error:
            raise NoJournal(f"{self.name}: {error}") from error

    def _must_be_there(self) -> None:
        if not self.file.is_file():
            raise NoJournal(f"there is no journal yet at {self.name}")
