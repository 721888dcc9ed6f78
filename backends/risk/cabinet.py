"""The risk desk's tables: indicators and assessed messages, each found by the other's terms."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec

from backends.risk.assessment import Verdict
from backends.risk.matching import HS_TERM
from backends.service.books import decode_body, encode_body
from backends.service.desk import Received
from translators.canonical import RiskIndicator

TABLES = """
CREATE TABLE IF NOT EXISTS risk_indicators (
    reference TEXT PRIMARY KEY,
    version INTEGER,
    changes_at TEXT,
    body BLOB NOT NULL
) WITHOUT ROWID;
-- Indicators whose validity begins or ends some day.
CREATE INDEX IF NOT EXISTS risk_changes ON risk_indicators (changes_at)
    WHERE changes_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS risk_anchors (
    term TEXT NOT NULL,
    reference TEXT NOT NULL,
    PRIMARY KEY (term, reference)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS risk_anchors_of ON risk_anchors (reference);
CREATE TABLE IF NOT EXISTS risk_assessed (
    message_id TEXT PRIMARY KEY,
    party TEXT NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    accepted_at TEXT NOT NULL,
    version INTEGER NOT NULL,
    verdict BLOB NOT NULL
) WITHOUT ROWID;
-- The message that counts for a key: only that one is assessed again.
CREATE TABLE IF NOT EXISTS risk_current (
    party TEXT NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    message_id TEXT NOT NULL UNIQUE,
    accepted_at TEXT NOT NULL,
    PRIMARY KEY (party, kind, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS risk_current_age ON risk_current (accepted_at);
CREATE TABLE IF NOT EXISTS risk_terms (
    term TEXT NOT NULL,
    message_id TEXT NOT NULL,
    PRIMARY KEY (term, message_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS risk_terms_of ON risk_terms (message_id);
CREATE TABLE IF NOT EXISTS risk_queue (
    message_id TEXT PRIMARY KEY
) WITHOUT ROWID;
"""


class Assessed(msgspec.Struct, frozen=True, kw_only=True):
    """The latest assessment of a message."""

    version: int
    verdict: Verdict


def find_indicator(connection: sqlite3.Connection, reference: str) -> RiskIndicator | None:
    """The version of an indicator that is kept."""
    row = connection.execute(
        "SELECT body FROM risk_indicators WHERE reference = ?", (reference,)
    ).fetchone()
    if row is None:
        return None
    found = decode_body(row[0])
    assert isinstance(found, RiskIndicator)
    return found


def keep_indicator(
    connection: sqlite3.Connection,
    reference: str,
    indicator: RiskIndicator,
    anchors: Iterable[str],
    changes_at: datetime | None,
) -> None:
    """Keep this version in place of any earlier one."""
    connection.execute("DELETE FROM risk_anchors WHERE reference = ?", (reference,))
    connection.executemany(
        "INSERT OR IGNORE INTO risk_anchors VALUES (?, ?)", [(a, reference) for a in anchors]
    )
    connection.execute(
        "INSERT OR REPLACE INTO risk_indicators VALUES (?, ?, ?, ?)",
        (reference, indicator.version, _utc(changes_at), encode_body(indicator)),
    )


def find_candidates(connection: sqlite3.Connection, lookups: Iterable[str]) -> list[RiskIndicator]:
    """Indicators of which an anchor is among the terms."""
    rows = connection.execute(
        "SELECT body FROM risk_indicators WHERE reference IN ("
        " SELECT reference FROM risk_anchors WHERE term IN (SELECT value FROM json_each(?)))",
        (json.dumps(sorted(lookups)),),
    )
    found = [decode_body(body) for (body,) in rows]
    return [indicator for indicator in found if isinstance(indicator, RiskIndicator)]


def queue_matching(connection: sqlite3.Connection, reference: str) -> None:
    """Have every message looked at again that one of the indicator's anchors finds."""
    connection.execute(
        "INSERT OR IGNORE INTO risk_queue SELECT t.message_id FROM risk_anchors AS a"
        " JOIN risk_terms AS t ON t.term = a.term WHERE a.reference = ?",
        (reference,),
    )
    prefixes = connection.execute(
        "SELECT term FROM risk_anchors WHERE reference = ? AND term LIKE ? || '%'",
        (reference, HS_TERM),
    ).fetchall()
    for (prefix,) in prefixes:  # digits sort below the colon
        connection.execute(
            "INSERT OR IGNORE INTO risk_queue"
            " SELECT message_id FROM risk_terms WHERE term > ? AND term < ? || ':'",
            (prefix, prefix),
        )


def due_indicators(
    connection: sqlite3.Connection, now: datetime, limit: int
) -> list[tuple[str, RiskIndicator]]:
    """Indicators whose validity has begun or ended since they were last looked at."""
    rows = connection.execute(
        "SELECT reference, body FROM risk_indicators"
        " WHERE changes_at IS NOT NULL AND changes_at <= ? ORDER BY changes_at LIMIT ?",
        (_utc(now), limit),
    ).fetchall()
    found = [(reference, decode_body(body)) for reference, body in rows]
    return [(reference, i) for reference, i in found if isinstance(i, RiskIndicator)]


def set_change(connection: sqlite3.Connection, reference: str, changes_at: datetime | None) -> None:
    """When the indicator is to be looked at next."""
    connection.execute(
        "UPDATE risk_indicators SET changes_at = ? WHERE reference = ?",
        (_utc(changes_at), reference),
    )


def make_current(connection: sqlite3.Connection, received: Received, terms: Iterable[str]) -> None:
    """Put a message in the place of the earlier versions of its key."""
    key = (received.provenance.party, received.kind, received.key)
    row = connection.execute(
        "SELECT message_id FROM risk_current WHERE party = ? AND kind = ? AND key = ?", key
    ).fetchone()
    if row is not None:
        forget(connection, row[0])
    connection.execute(
        "INSERT INTO risk_current VALUES (?, ?, ?, ?, ?)",
        (*key, received.message_id, _utc(received.provenance.accepted_at)),
    )
    connection.executemany(
        "INSERT OR IGNORE INTO risk_terms VALUES (?, ?)",
        [(term, received.message_id) for term in terms],
    )


def forget(connection: sqlite3.Connection, message_id: str) -> None:
    """Assess a message no more; what was concluded stays."""
    connection.execute("DELETE FROM risk_current WHERE message_id = ?", (message_id,))
    connection.execute("DELETE FROM risk_terms WHERE message_id = ?", (message_id,))
    connection.execute("DELETE FROM risk_queue WHERE message_id = ?", (message_id,))


def forget_old(connection: sqlite3.Connection, before: datetime, limit: int) -> int:
    """:meth:`forget` messages accepted before a time, the oldest first; how many."""
    rows = connection.execute(
        "SELECT message_id FROM risk_current WHERE accepted_at < ? ORDER BY accepted_at LIMIT ?",
        (_utc(before), limit),
    ).fetchall()
    for (message_id,) in rows:
        forget(connection, message_id)
    return len(rows)


def take_queued(connection: sqlite3.Connection, limit: int) -> list[str]:
    """Take messages off the queue of those to be assessed again."""
    rows = connection.execute("SELECT message_id FROM risk_queue LIMIT ?", (limit,)).fetchall()
    connection.executemany("DELETE FROM risk_queue WHERE message_id = ?", rows)
    return [message_id for (message_id,) in rows]


def find_assessed(connection: sqlite3.Connection, message_id: str) -> Assessed | None:
    """The latest assessment of a message."""
    row = connection.execute(
        "SELECT version, verdict FROM risk_assessed WHERE message_id = ?", (message_id,)
    ).fetchone()
    if row is None:
        return None
    return Assessed(version=row[0], verdict=msgspec.json.decode(row[1], type=Verdict))


def keep_assessed(connection: sqlite3.Connection, received: Received, assessed: Assessed) -> None:
    """Keep the latest assessment of a message."""
    connection.execute(
        "INSERT OR REPLACE INTO risk_assessed VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            received.message_id,
            received.provenance.party,
            received.kind,
            received.key,
            _utc(received.provenance.accepted_at),
            assessed.version,
            msgspec.json.encode(assessed.verdict),
        ),
    )


def _utc(at: datetime | None) -> str | None:
    """An instant as text that sorts by time."""
    return None if at is None else at.astimezone(UTC).isoformat(timespec="microseconds")
