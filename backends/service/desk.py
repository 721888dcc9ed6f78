"""The seam between the service and a back end's own work: what a desk is given and gives back.

A desk is called inside the ledger's transaction, in the order in which messages were committed,
never twice at once. It reads and writes its own tables through ``Books.connection`` and leaves
answers with ``Books.answer``; all of it is kept or undone together with the receipt.
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from backends.service.books import Books
from translators.canonical import Message, Provenance

_PLAIN_ID = re.compile(r"[A-Za-z0-9._:~-]{1,40}")


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """One message that is new to this back end.

    ``key`` names what it is about (an item, order, declaration, indicator) within its sender and
    kind; ``provenance`` is the gateway's word on it.
    """

    message: Message
    kind: str
    key: str
    provenance: Provenance
    received_at: datetime

    @property
    def message_id(self) -> str:
        """The id that an answer's ``regards`` names."""
        return self.provenance.message_id

    @property
    def version(self) -> int | None:
        """Counts the sender's messages about the key, when the gateway says so."""
        return self.provenance.version


class Disposition(StrEnum):
    """What became of a message that was taken in."""

    APPLIED = "applied"
    STALE = "stale"
    """A later version of the same key was applied before: kept, not applied."""
    RECORDED = "recorded"
    """Of a kind that this desk has no use for: kept, not applied."""


class Desk(Protocol):
    """One back end's work. ``tables`` is the SQL that makes its own tables if they are missing."""

    @property
    def name(self) -> str:
        """As in ``ready NAME HOST:PORT``."""

    @property
    def tables(self) -> str:
        """DDL, safe to run again."""

    def receive(self, books: Books, received: Received) -> Disposition:
        """Apply one message. Raises only for bugs: the sender is then told to try again."""

    def work(self, books: Books) -> bool:
        """Do a bounded piece of what is due by itself; true when more is waiting."""


def assessment_id(name: str, message_id: str, version: int) -> str:
    """The id of an answer, which is also its interchange id: the same after every restart.

    Ids of messages that do not fit into an interchange id go in as their SHA-256.
    """
    plain = message_id
    if not _PLAIN_ID.fullmatch(message_id):
        plain = hashlib.sha256(message_id.encode()).hexdigest()[:40]
    return f"{name}.{plain}.{version}"
