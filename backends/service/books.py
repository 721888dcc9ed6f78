"""The ledger's open transaction, as a desk sees it: the time, the tables, the answers."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import datetime

import msgspec

from translators.canonical import Message, kind_of

_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Message)

Encode = Callable[[Message, datetime], bytes]
"""Makes the interchange of one answer, prepared at a time, in the format of the answers."""


class Books:
    """One transaction at one time. Valid inside the call that it was given to, not after it."""

    __slots__ = ("_encode", "answers", "connection", "now")

    def __init__(self, connection: sqlite3.Connection, now: datetime, encode: Encode) -> None:
        self.connection = connection
        self.now = now
        self._encode = encode
        self.answers = 0

    def answer(
        self, message: Message, *, interchange_id: str, key: str, regards: str | None
    ) -> bool:
        """Leave a message for the gateway; it is sent until the gateway's receipt came.

        Answers of one ``key`` go out one after another. The bytes are made here and kept, so that
        every attempt sends the same. An interchange id that was used before changes nothing, and
        false is returned.
        """
        cursor = self.connection.execute(
            "INSERT OR IGNORE INTO outbox (interchange_id, kind, key, regards, content, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (
                interchange_id,
                kind_of(message),
                key,
                regards,
                self._encode(message, self.now),
                self.now.isoformat(),
            ),
        )
        self.answers += cursor.rowcount
        return cursor.rowcount == 1

    def supersede(self, key: str) -> int:
        """Take back the answers of a key that have not been tried yet; how many."""
        cursor = self.connection.execute(
            "UPDATE outbox SET state = 'superseded'"
            " WHERE key = ? AND state = 'waiting' AND attempts = 0",
            (key,),
        )
        return cursor.rowcount

    def message(self, message_id: str) -> Message | None:
        """A message that was taken in, with its provenance."""
        row = self.connection.execute(
            "SELECT body FROM messages WHERE message_id = ?", (message_id,)
        ).fetchone()
        return None if row is None else decode_body(row[0])


def encode_body(message: Message) -> bytes:
    """A message as the ledger keeps it."""
    return _ENCODER.encode(message)


def decode_body(body: bytes) -> Message:
    """A message as the ledger kept it."""
    message: Message = _DECODER.decode(body)
    return message
