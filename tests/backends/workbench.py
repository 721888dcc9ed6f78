"""A desk with a ledger in memory: messages go in as from the gateway, answers are looked at."""

from __future__ import annotations

import hashlib
import sqlite3
from datetime import datetime, timedelta
from typing import Any

import msgspec

from backends.service.books import Books, decode_body
from backends.service.desk import Desk
from backends.service.inbox import Parcel, Stored, accept
from backends.service.schema import TABLES
from backends.service.summary import summarise
from tests.samples import NOW
from translators.canonical import Message, Provenance, kind_of
from translators.translator import Entry

KEY_LIFE = timedelta(days=300)


def provenance(
    message_id: str, *, version: int | None = 1, party: str = "post-a", at: datetime = NOW
) -> Provenance:
    """What the gateway says about a message."""
    return Provenance(
        message_id=message_id,
        party=party,
        interchange_id=f"of-{message_id}",
        accepted_at=at,
        version=version,
    )


def encode_plainly(message: Message, _prepared_at: datetime) -> bytes:
    """An answer as the ledger's own JSON, which tests read back."""
    return msgspec.json.encode(message)


class Workbench:
    """One desk, one connection, one clock that the test sets."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.now = NOW
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        self.connection.executescript(TABLES + desk.tables)
        self._seen = 0

    def books(self) -> Books:
        """The transaction that a desk is given."""
        return Books(self.connection, self.now, encode_plainly)

    def deliver(
        self,
        message: Any,
        message_id: str,
        *,
        version: int | None = 1,
        party: str = "post-a",
        at: datetime | None = None,
    ) -> Stored:
        """One message in a submission of its own."""
        origin = provenance(message_id, version=version, party=party, at=at or self.now)
        known = msgspec.structs.replace(message, provenance=origin)
        content = msgspec.json.encode(known)
        parcel = Parcel(
            party="gateway-lx",
            interchange_id=message_id,
            format="luxor.json.1",
            digest=hashlib.sha256(content).hexdigest(),
            size=len(content),
            received_at=self.now,
            entries=(Entry(ordinal=1, message=known),),
        )
        return accept(self.books(), self.desk, parcel, lambda *_: "receipt", key_life=KEY_LIFE)

    def work(self) -> None:
        """Everything that is due now."""
        for _ in range(1000):
            if not self.desk.work(self.books()):
                return
        raise AssertionError("the work never ends")

    def answers(self, *kinds: type) -> list[Any]:
        """The answers left since the last call, of these kinds (or all), superseded ones not."""
        rows = self.connection.execute(
            "SELECT number, content FROM outbox WHERE number > ? AND state = 'waiting'"
            " ORDER BY number",
            (self._seen,),
        ).fetchall()
        self._seen = max((number for number, _ in rows), default=self._seen)
        found = [decode_body(content) for _, content in rows]
        return [message for message in found if not kinds or isinstance(message, kinds)]

    def disposition(self, message_id: str) -> str:
        """What became of a message."""
        row = self.connection.execute(
            "SELECT disposition FROM messages WHERE message_id = ?", (message_id,)
        ).fetchone()
        return str(row[0])

    def summary(self) -> dict[str, Any]:
        """As the command line counts."""
        return summarise(self.connection)


def kinds_of(messages: list[Any]) -> list[str]:
    """Kinds, for short expectations."""
    return [kind_of(message) for message in messages]
