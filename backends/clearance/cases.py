"""The clearance desk's tables: cases by message id, opinions by what they are about."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec

from backends.clearance.opinions import Opinion, Statement, spoken_at, supersedes
from backends.service.books import decode_body, encode_body
from backends.service.desk import Received
from translators.canonical import GoodsDeclaration, ItemDeclaration, kind_of

TABLES = """
CREATE TABLE IF NOT EXISTS clear_cases (
    message_id TEXT PRIMARY KEY,
    party TEXT NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    item TEXT,
    mrn TEXT,
    due_at TEXT,
    current INTEGER NOT NULL,
    decision TEXT,
    said BLOB
) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS clear_current ON clear_cases (party, kind, key) WHERE current;
CREATE INDEX IF NOT EXISTS clear_items ON clear_cases (item) WHERE current AND item IS NOT NULL;
CREATE INDEX IF NOT EXISTS clear_mrns ON clear_cases (mrn) WHERE current AND mrn IS NOT NULL;
-- Cases whose time has not passed yet.
CREATE INDEX IF NOT EXISTS clear_due ON clear_cases (due_at) WHERE current AND due_at IS NOT NULL;
-- Responses are counted per sender and key, over all versions of what is declared.
CREATE TABLE IF NOT EXISTS clear_versions (
    party TEXT NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (party, kind, key)
) WITHOUT ROWID;
-- About: a message id, or item/ID, or mrn/MRN.
CREATE TABLE IF NOT EXISTS clear_opinions (
    about TEXT NOT NULL,
    kind TEXT NOT NULL,
    party TEXT NOT NULL,
    spoken_at TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (about, kind, party)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS clear_opinions_age ON clear_opinions (spoken_at);
"""

Declared = ItemDeclaration | GoodsDeclaration


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One version of what was declared. ``due_at``: until then what is missing is waited for."""

    message_id: str
    party: str
    kind: str
    key: str
    item: str | None
    mrn: str | None
    due_at: datetime | None
    current: bool
    said: bytes | None
    """What the latest response said, to tell whether another one is needed."""

    @property
    def subjects(self) -> tuple[str, ...]:
        """What opinions about it can be filed under."""
        return subjects_of(self.message_id, self.item, self.mrn)

    @property
    def answer_key(self) -> str:
        """Responses about one thing go out in order."""
        return f"{self.party}/{self.kind}/{self.key}"


def subjects_of(message_id: str | None, item: str | None, mrn: str | None) -> tuple[str, ...]:
    """File names: a message id as it is, the others with their kind in front."""
    named = (message_id, item and f"item/{item}", mrn and f"mrn/{mrn}")
    return tuple(name for name in named if name)


_COLUMNS = "message_id, party, kind, key, item, mrn, due_at, current, said"


def open_case(connection: sqlite3.Connection, received: Received, due_at: datetime) -> Case:
    """A case for a declared version; the earlier versions of its key are closed."""
    declared = received.message
    assert isinstance(declared, Declared)
    provenance = received.provenance
    connection.execute(
        "UPDATE clear_cases SET current = 0, due_at = NULL"
        " WHERE party = ? AND kind = ? AND key = ? AND current",
        (provenance.party, received.kind, received.key),
    )
    connection.execute(
        f"INSERT INTO clear_cases ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, 1, NULL)",  # noqa: S608 - our own column names
        (
            received.message_id,
            provenance.party,
            received.kind,
            received.key,
            declared.item_id if isinstance(declared, ItemDeclaration) else None,
            declared.mrn,
            _utc(due_at),
        ),
    )
    found = find_case(connection, received.message_id)
    assert found is not None
    return found


def find_case(connection: sqlite3.Connection, message_id: str) -> Case | None:
    """The case of a message."""
    rows = _select(connection, "message_id = ?", (message_id,))
    return rows[0] if rows else None


def current_cases(connection: sqlite3.Connection, subjects: Iterable[str]) -> list[Case]:
    """The cases that count now and that an opinion filed under these is about."""
    found: dict[str, Case] = {}
    for subject in subjects:
        kind, _, value = subject.partition("/")
        columns = {"item": "item = ? AND current", "mrn": "mrn = ? AND current"}
        named = columns.get(kind) if value else None
        rows = _select(
            connection,
            named or "message_id = ? AND current",
            (value if named else subject,),
        )
        found |= {case.message_id: case for case in rows}
    return list(found.values())


def due_cases(connection: sqlite3.Connection, now: datetime, limit: int) -> list[Case]:
    """Cases whose time has passed, the longest overdue first."""
    return _select(
        connection,
        "current AND due_at IS NOT NULL AND due_at <= ? ORDER BY due_at LIMIT ?",
        (_utc(now), limit),
    )


def set_passed(connection: sqlite3.Connection, message_id: str) -> None:
    """The case's time has passed and was looked at."""
    connection.execute("UPDATE clear_cases SET due_at = NULL WHERE message_id = ?", (message_id,))


def note_response(connection: sqlite3.Connection, case: Case, decision: str, said: bytes) -> int:
    """Keep what is said now; the number of the response."""
    connection.execute(
        "UPDATE clear_cases SET decision = ?, said = ? WHERE message_id = ?",
        (decision, said, case.message_id),
    )
    (version,) = connection.execute(
        "INSERT INTO clear_versions VALUES (?, ?, ?, 1)"
        " ON CONFLICT (party, kind, key) DO UPDATE SET version = version + 1 RETURNING version",
        (case.party, case.kind, case.key),
    ).fetchone()
    return int(version)


def file_opinion(
    connection: sqlite3.Connection, subjects: Iterable[str], party: str, statement: Statement
) -> bool:
    """File a statement in place of the party's earlier one; false if it is itself the earlier."""
    filed = False
    kind = kind_of(statement)
    for subject in subjects:
        row = connection.execute(
            "SELECT body FROM clear_opinions WHERE about = ? AND kind = ? AND party = ?",
            (subject, kind, party),
        ).fetchone()
        known = None if row is None else decode_body(row[0])
        if isinstance(known, Statement) and not supersedes(statement, known):
            continue
        connection.execute(
            "INSERT OR REPLACE INTO clear_opinions VALUES (?, ?, ?, ?, ?)",
            (subject, kind, party, _utc(spoken_at(statement)), encode_body(statement)),
        )
        filed = True
    return filed


def opinions_about(connection: sqlite3.Connection, case: Case) -> list[Opinion]:
    """The latest statement of each party and kind about a case."""
    rows = connection.execute(
        "SELECT party, body FROM clear_opinions WHERE about IN (SELECT value FROM json_each(?))"
        " ORDER BY spoken_at DESC",
        (json.dumps(case.subjects),),
    ).fetchall()
    latest: dict[tuple[str, str], Opinion] = {}
    for party, body in rows:
        statement = decode_body(body)
        assert isinstance(statement, Statement)
        opinion = Opinion(party=party, statement=statement)
        latest.setdefault((party, kind_of(statement)), opinion)
    return list(latest.values())


def drop_opinions(connection: sqlite3.Connection, before: datetime, limit: int) -> int:
    """Forget statements made before a time, the oldest first; how many."""
    return connection.execute(
        "DELETE FROM clear_opinions WHERE (about, kind, party) IN (SELECT about, kind, party"
        " FROM clear_opinions WHERE spoken_at < ? ORDER BY spoken_at LIMIT ?)",
        (_utc(before), limit),
    ).rowcount


def _select(
    connection: sqlite3.Connection, where: str, values: tuple[str | int | None, ...]
) -> list[Case]:
    # ``where`` is one of this module's own literals.
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM clear_cases WHERE {where}",  # noqa: S608
        values,
    ).fetchall()
    return [
        Case(
            message_id=row[0],
            party=row[1],
            kind=row[2],
            key=row[3],
            item=row[4],
            mrn=row[5],
            due_at=None if row[6] is None else datetime.fromisoformat(row[6]),
            current=bool(row[7]),
            said=row[8],
        )
        for row in rows
    ]


def _utc(at: datetime) -> str:
    """An instant as text that sorts by time."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
