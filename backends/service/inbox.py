"""Taking in what the gateway delivers: once, durably, with every fault, in order of versions."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from backends.service.books import Books, encode_body
from backends.service.desk import Desk, Disposition, Received
from backends.service.outcome import Status, judge_entries
from backends.service.subject import Head, is_stale, key_of
from translators.canonical import Message, Provenance, kind_of
from translators.faults import Fault
from translators.translator import Entry


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """One submission, authenticated, verified and decoded; nothing of it is kept yet."""

    party: str
    interchange_id: str
    format: str
    digest: str
    size: int
    received_at: datetime
    entries: tuple[Entry, ...]
    faults: tuple[Fault, ...] = ()
    """Of the document as a whole; an error among them refuses all of it."""


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """What the sender is told. ``attempt`` counts its sendings of this interchange id."""

    number: int
    attempt: int
    interchange_id: str
    status: Status
    accepted: int
    refused: int
    outcomes: bytes
    """The JSON list of :class:`Outcome`."""
    receipt: str = ""
    repeated: bool = False


class Conflict(Exception):
    """The interchange id was accepted before with other bytes."""


Issue = Callable[[Parcel, Stored], str]
"""Makes the signed receipt of what is about to be committed."""


def accept(
    books: Books, desk: Desk, parcel: Parcel, issue: Issue, *, key_life: timedelta
) -> Stored:
    """Take a parcel in, inside the ledger's transaction.

    A repeat gives the stored receipt and is counted; :class:`Conflict` is raised for other bytes
    under an id that was accepted. Refused messages leave the others alone. Nothing is consumed
    when all are refused: the attempt is recorded and may be repeated with better content.
    """
    before = find(books.connection, parcel.party, parcel.interchange_id)
    if before is not None:
        stored, digest = before
        if digest != parcel.digest:
            raise Conflict(parcel.interchange_id)
        count(books.connection, "repeats")
        return msgspec.structs.replace(stored, repeated=True)
    outcomes = tuple(judge_entries(parcel.entries, parcel.faults))
    accepted = sum(outcome.status is Status.ACCEPTED for outcome in outcomes)
    draft = Stored(
        number=0,
        attempt=1 + _attempts(books.connection, parcel),
        interchange_id=parcel.interchange_id,
        status=Status.ACCEPTED if accepted else Status.REFUSED,
        accepted=accepted,
        refused=len(outcomes) - accepted,
        outcomes=msgspec.json.encode(outcomes),
    )
    if not accepted:
        return _refuse(books.connection, parcel, draft, issue)
    stored = _store(books.connection, parcel, draft, issue)
    for entry, outcome in zip(parcel.entries, outcomes, strict=False):
        if outcome.status is Status.ACCEPTED and entry.message is not None:
            _take(books, desk, parcel, stored.number, entry, entry.message, key_life)
    return stored


def find(
    connection: sqlite3.Connection, party: str, interchange_id: str
) -> tuple[Stored, str] | None:
    """What was accepted under that id, with the digest of its bytes."""
    row = connection.execute(
        "SELECT number, attempt, accepted, refused, outcomes, receipt, digest FROM inbox"
        " WHERE party = ? AND interchange_id = ?",
        (party, interchange_id),
    ).fetchone()
    if row is None:
        return None
    stored = Stored(
        number=row[0],
        attempt=row[1],
        interchange_id=interchange_id,
        status=Status.ACCEPTED,
        accepted=row[2],
        refused=row[3],
        outcomes=row[4],
        receipt=row[5],
    )
    return stored, row[6]


def _attempts(connection: sqlite3.Connection, parcel: Parcel) -> int:
    """How often this id was refused before."""
    (attempts,) = connection.execute(
        "SELECT count(*) FROM refusals WHERE party = ? AND interchange_id = ?",
        (parcel.party, parcel.interchange_id),
    ).fetchone()
    return int(attempts)


def count(connection: sqlite3.Connection, name: str, by: int = 1) -> None:
    """Add to a counter of the summary."""
    connection.execute(
        "INSERT INTO counters VALUES (?, ?)"
        " ON CONFLICT (name) DO UPDATE SET value = value + excluded.value",
        (name, by),
    )


def _refuse(connection: sqlite3.Connection, parcel: Parcel, draft: Stored, issue: Issue) -> Stored:
    outcomes = judge_entries(parcel.entries, parcel.faults)
    codes = {fault.code for outcome in outcomes for fault in outcome.faults if fault.refuses}
    number = connection.execute(
        "INSERT INTO refusals (party, interchange_id, digest, received_at, code, outcomes)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (
            parcel.party,
            parcel.interchange_id,
            parcel.digest,
            parcel.received_at.isoformat(),
            ",".join(sorted(codes))[:500],
            draft.outcomes,
        ),
    ).lastrowid
    numbered = msgspec.structs.replace(draft, number=number)
    return msgspec.structs.replace(numbered, receipt=issue(parcel, numbered))


def _store(connection: sqlite3.Connection, parcel: Parcel, draft: Stored, issue: Issue) -> Stored:
    (last,) = connection.execute("SELECT coalesce(max(number), 0) FROM inbox").fetchone()
    numbered = msgspec.structs.replace(draft, number=last + 1)
    stored = msgspec.structs.replace(numbered, receipt=issue(parcel, numbered))
    connection.execute(
        "INSERT INTO inbox VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            stored.number,
            parcel.party,
            parcel.interchange_id,
            stored.attempt,
            parcel.digest,
            parcel.format,
            parcel.received_at.isoformat(),
            stored.accepted,
            stored.refused,
            stored.receipt,
            stored.outcomes,
        ),
    )
    return stored


def _take(
    books: Books,
    desk: Desk,
    parcel: Parcel,
    number: int,
    entry: Entry,
    message: Message,
    key_life: timedelta,
) -> None:
    provenance = message.provenance
    assert provenance is not None
    connection = books.connection
    known = connection.execute(
        "SELECT 1 FROM messages WHERE message_id = ?", (provenance.message_id,)
    ).fetchone()
    if known is not None:  # the same message in another interchange: applied once
        count(connection, "repeats")
        return
    received = Received(
        message=message,
        kind=kind_of(message),
        key=key_of(message, provenance.message_id),
        provenance=provenance,
        received_at=parcel.received_at,
    )
    head = _head(connection, received)
    # The row is there before the desk works, which may read it back.
    connection.execute(
        "INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            provenance.message_id,
            number,
            entry.ordinal,
            received.kind,
            provenance.party,
            received.key,
            provenance.version,
            Disposition.APPLIED,
            encode_body(message),
        ),
    )
    disposition = Disposition.STALE
    if not is_stale(
        head,
        version=provenance.version,
        accepted_at=provenance.accepted_at,
        life=key_life,
    ):
        disposition = desk.receive(books, received)
        if disposition is not Disposition.STALE:
            _advance(connection, received, provenance)
    if disposition is not Disposition.APPLIED:
        connection.execute(
            "UPDATE messages SET disposition = ? WHERE message_id = ?",
            (disposition, provenance.message_id),
        )


def _head(connection: sqlite3.Connection, received: Received) -> Head | None:
    row = connection.execute(
        "SELECT version, accepted_at FROM heads WHERE party = ? AND kind = ? AND key = ?",
        (received.provenance.party, received.kind, received.key),
    ).fetchone()
    if row is None:
        return None
    return Head(version=row[0], accepted_at=datetime.fromisoformat(row[1]))


def _advance(connection: sqlite3.Connection, received: Received, provenance: Provenance) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO heads VALUES (?, ?, ?, ?, ?, ?)",
        (
            provenance.party,
            received.kind,
            received.key,
            provenance.version,
            provenance.message_id,
            provenance.accepted_at.isoformat(),
        ),
    )
