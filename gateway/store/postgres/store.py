"""The journal of a gateway in a PostgreSQL database."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from gateway.core.ports import Clock, Journal
from gateway.keys.secret import Secret
from gateway.store.postgres import Limits, open_postgres
from gateway.store.postgres.errors import JournalMismatch, UrlUnusable
from gateway.store.postgres.reader import open_reader
from gateway.store.postgres.status import migrate_database, place_of, status_of_database
from gateway.store.reader import Reader
from gateway.store.status import Migrated, StoreStatus
from gateway.store.store import NoJournal, refuse_foreign


class PostgresStore(msgspec.Struct, frozen=True, kw_only=True):
    """A :class:`gateway.store.store.Store`.

    Opening it makes a journal where there is none, but does not bring one up to date: other nodes
    work with it, and whoever upgrades them says when.
    """

    url: str
    gateway: int
    password: Secret | None = None
    limits: Limits = Limits()

    @property
    def name(self) -> str:
        """See the protocol."""
        return place_of(self.url)

    async def open(self, *, clock: Clock, create: bool) -> Journal:
        """See the protocol."""
        with self._mismatched():
            status = await self._usable()
            if status.version == 0:
                if not create:
                    raise NoJournal(f"there is no journal yet in {self.name}")
                await migrate_database(self.url, gateway=self.gateway, password=self._password)
            return await open_postgres(
                self.url,
                gateway=self.gateway,
                clock=clock,
                limits=self.limits,
                password=self._password,
            )

    async def _usable(self) -> StoreStatus:
        """How it stands; raises ``NoJournal`` for one that must not be opened."""
        status = await status_of_database(self.url, password=self._password)
        refuse_foreign(status, gateway=self.gateway)
        if status.version and status.pending:
            raise NoJournal(
                f"{self.name}: the journal has version {status.version}, this program"
                f" {status.needed}: see luxor db migrate"
            )
        return status

    @contextmanager
    def reader(self) -> Iterator[Reader]:
        """See the protocol."""
        with (
            self._mismatched(),
            open_reader(self.url, gateway=self.gateway, password=self._password) as reader,
        ):
            yield reader

    def status(self) -> StoreStatus:
        """See the protocol."""
        with self._mismatched():
            return asyncio.run(status_of_database(self.url, password=self._password))

    async def look(self) -> StoreStatus:
        """See the protocol."""
        with self._mismatched():
            return await status_of_database(self.url, password=self._password)

    def check(self) -> None:
        """See the protocol."""
        with self._mismatched():
            asyncio.run(self._usable())

    def migrate(self) -> Migrated:
        """See the protocol."""
        with self._mismatched():
            return asyncio.run(
                migrate_database(self.url, gateway=self.gateway, password=self._password)
            )

    @property
    def _password(self) -> str | None:
        return None if self.password is None else self.password.reveal()

    @contextmanager
    def _mismatched(self) -> Iterator[None]:
        try:
            yield
        except (JournalMismatch, UrlUnusable) as error:
            raise NoJournal(f"{self.name}: {error}") from error
