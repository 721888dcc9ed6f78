"""The one place that chooses the store: a PostgreSQL database, or a SQLite file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from gateway.core.ports import Clock, Journal
from gateway.store.reader import Reader
from gateway.store.settings import JournalSettings
from gateway.store.sqlite import JournalMismatch, open_sqlite
from gateway.store.sqlite.reader import open_reader as open_file
from gateway.store.sqlite.status import migrate_file, status_of_file
from gateway.store.status import Migrated, StoreStatus

FILE = "journal.db"


def status_of(place: JournalPlace) -> StoreStatus:
    """The store as it is now; blocks. Raises ``Unavailable`` when it can not be asked."""
    return status_of_file(place.file)


def migrate(place: JournalPlace) -> Migrated:
    """Bring the store to the newest version, or make it; blocks.

    Raises ``NoJournal`` for one that is not this gateway's or newer than this program,
    ``Unavailable`` when it can not be done now.
    """
    try:
        return migrate_file(place.file, gateway=place.gateway)
    except JournalMismatch as error:
        raise NoJournal(f"{place.name}: {error}") from error


class NoJournal(Exception):
    """There is nothing yet where the journal should be, or it can not be used as it is."""


class JournalPlace(msgspec.Struct, frozen=True, kw_only=True):
    """Which journal: of the gateway with that number, as its configuration says."""

    gateway: int
    data: Path
    """The folder of a SQLite file."""
    settings: JournalSettings
    folder: Path
    """What paths in the settings are relative to."""

    @property
    def file(self) -> Path:
        """The SQLite file."""
        return self.data / FILE

    @property
    def name(self) -> str:
        """What people are told of it."""
        return str(self.file)


async def open_journal(place: JournalPlace, *, clock: Clock, create: bool = True) -> Journal:
    """Open a journal for reading and writing, beside other processes.

    With ``create``, what is not there yet is made. Raises ``NoJournal`` for one that is not there
    or not this gateway's, ``Unavailable`` for one that can not be reached now, ``OSError`` for a
    folder that can not be made.
    """
    if create:
        place.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    elif not place.file.is_file():
        raise NoJournal(f"there is no journal yet at {place.name}")
    try:
        return await open_sqlite(place.file, gateway=place.gateway, clock=clock)
    except JournalMismatch as error:
        raise NoJournal(f"{place.name}: {error}") from error


@contextmanager
def open_reader(place: JournalPlace) -> Iterator[Reader]:
    """Open a journal for reading alone; blocks. Raises ``NoJournal`` or ``Unavailable``."""
    if not place.file.is_file():
        raise NoJournal(f"there is no journal yet at {place.name}")
    try:
        with open_file(place.file, gateway=place.gateway) as reader:
            yield reader
    except JournalMismatch as error:
        raise NoJournal(f"{place.name}: {error}") from error
