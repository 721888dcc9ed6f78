"""A journal as an operator reads it, beside whoever writes it: no row changes, nobody waits."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from urllib.parse import quote

import msgspec

from gateway.core.identifiers import InterchangeId
from gateway.core.quality import Quality
from gateway.core.records import Proof, Stored, StoredMessage, TraceEntry
from gateway.core.reports import Loss, Report
from gateway.core.retention import Removal
from gateway.store.codec import Codec
from gateway.store.sqlite import proofs, quality, reads, reports, retention, trace
from gateway.store.sqlite.connection import mapped
from gateway.store.sqlite.messages import Messages
from gateway.store.sqlite.schema import MIGRATIONS, JournalMismatch
from trust.identity import PartyId

_BUSY_SECONDS = 5.0


class SqliteReader:
    """Plain calls that block; made by :func:`open_reader`. They may raise ``Unavailable``."""

    def __init__(self, connection: sqlite3.Connection, *, gateway: int) -> None:
        self._connection = connection
        self._codec = Codec()
        self._messages = Messages(gateway, self._codec)

    def find(self, party: PartyId, interchange_id: InterchangeId) -> Stored | None:
        """The accepted interchange under that id, otherwise the latest refused attempt."""
        with mapped():
            return reads.find(self._connection, self._codec, party, interchange_id)

    def refusals(self, interchange_id: str, *, limit: int) -> tuple[Stored, ...]:
        """Refused attempts under an id, of any party, in order of their records."""
        with mapped():
            return reads.refusals(self._connection, self._codec, interchange_id, limit)

    def report(self, record: int, ordinal: int) -> Report | None:
        """What reading that message did not simply carry; ``None`` for nothing to tell."""
        with mapped():
            return reports.of_message(self._connection, self._codec, record, ordinal)

    def losses(self, *, since: datetime | None) -> tuple[Loss, ...]:
        """As in the port."""
        with mapped():
            return reports.losses(self._connection, self._codec, since)

    def raw(self, record: int, at: int) -> bytes | None:
        """Slice ``at`` of the received bytes; ``None`` past the last."""
        with mapped():
            return reads.raw(self._connection, self._codec, record, at)

    def registry(self) -> bytes | None:
        """The registry in force, as the gateway stored it."""
        with mapped():
            found = reads.registry(self._connection)
        return None if found is None else found[1]

    def registries(self) -> Iterator[tuple[int, bytes]]:
        """Every version of the registry that was in force, the newest first."""
        with mapped():
            yield from reads.registries(self._connection)

    def proof(self, record: int) -> Proof | None:
        """As in the port."""
        with mapped():
            return proofs.read(self._connection, self._codec, record)

    def message(self, record: int, ordinal: int) -> StoredMessage | None:
        """One accepted message, without its body."""
        place = (record, ordinal)
        with mapped():
            found = self._messages.read(self._connection, (place,), bodies=False)
        return found.get(place)

    def quality(self, *, party: PartyId | None, since: date, until: date, daily: bool) -> Quality:
        """As in the port."""
        with mapped():
            return quality.read(self._connection, party, since, until, daily=daily)

    def removal(self, record: int, rule: str) -> Removal | None:
        """As in ``Retention``."""
        with mapped():
            return retention.removal(self._connection, record, rule)

    def trace(self, value: str, *, limit: int) -> tuple[TraceEntry, ...]:
        """As in the port, but with the bodies that are still kept."""
        with mapped():
            entries = trace.trace(self._connection, self._messages, self._codec, value, limit)
            places = [(entry.message.record, entry.message.ordinal) for entry in entries]
            whole = self._messages.read(self._connection, places, bodies=True)
        return tuple(
            msgspec.structs.replace(entry, message=whole[place])
            for entry, place in zip(entries, places, strict=True)
        )


@contextmanager
def open_reader(path: Path, *, gateway: int) -> Iterator[SqliteReader]:
    """Open the journal at ``path`` for reading; blocks.

    Raises ``JournalMismatch`` for a file that is not this gateway's or not of this version, and
    ``Unavailable`` when there is none or the disk fails.
    """
    with mapped():
        connection = sqlite3.connect(
            f"file:{quote(str(path.absolute()))}?mode=ro",  # https://www.sqlite.org/uri.html
            uri=True,
            timeout=_BUSY_SECONDS,
            isolation_level=None,
        )
    try:
        with mapped():
            _check(connection, gateway)
        yield SqliteReader(connection, gateway=gateway)
    finally:
        connection.close()


def _check(connection: sqlite3.Connection, gateway: int) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version != len(MIGRATIONS):
        raise JournalMismatch(f"the journal has version {version}, not {len(MIGRATIONS)}")
    (stored,) = connection.execute("SELECT value FROM meta WHERE name = 'gateway'").fetchone()
    if stored != gateway:
        raise JournalMismatch(f"the journal belongs to gateway {stored}, not to {gateway}")
