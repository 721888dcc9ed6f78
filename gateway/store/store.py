"""A place that journals are kept in: the same five things, whatever program keeps it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from gateway.core.errors import Unavailable
from gateway.core.ports import Clock, Journal
from gateway.store.reader import Reader
from gateway.store.status import Migrated, StoreStatus


class NoJournal(Exception):
    """There is no journal where it should be, or this program must not use it as it is."""


def why(error: Unavailable) -> str:
    """What an operator is told who can do something about it: the reason with what caused it."""
    cause = error.__cause__
    return error.reason if cause is None else f"{error.reason}: {cause}".rstrip(": ")


def refuse_foreign(status: StoreStatus, *, gateway: int) -> None:
    """Raise ``NoJournal`` for a store of another gateway, or of a later program."""
    if status.version and status.gateway not in (None, gateway):
        raise NoJournal(
            f"{status.place}: the journal belongs to gateway {status.gateway}, not to {gateway}"
        )
    if status.pending < 0:
        raise NoJournal(
            f"{status.place}: the journal has version {status.version}, newer than this program"
        )


class Store(Protocol):
    """Where one gateway's journal is.

    Each call may raise ``NoJournal``, which a person must mend, and ``Unavailable``, which may be
    over soon. All but ``open`` and ``look`` block; they are for commands.
    """

    @property
    def name(self) -> str:
        """What people are told of it; never a password."""

    async def open(self, *, clock: Clock, create: bool) -> Journal:
        """Open it for reading and writing, beside other processes.

        With ``create``, what is not there yet is made; ``OSError`` when it can not be.
        """

    def reader(self) -> AbstractContextManager[Reader]:
        """Open it for reading alone."""

    def status(self) -> StoreStatus:
        """How it stands."""

    async def look(self) -> StoreStatus:
        """The same for whoever must not block."""

    def check(self) -> None:
        """Whether :meth:`open` would do; what is not there yet would be made."""

    def migrate(self) -> Migrated:
        """Bring it to the version of this program, or make it."""
