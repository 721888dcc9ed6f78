"""What is over is removed: one step of each rule, by contiguous ranges of record numbers.

A rule has a position: what lies before it is done with, but for interchanges in ``left_over`` of
which something was open or held; these are looked at again in each run. So nothing is walked twice.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable

from gateway.core.retention import REFUSED, SEEN, TRACE, Pruned, Rule
from gateway.store.sqlite.rows import Row, insert, listed

TABLES = """
-- It was reserved, and empty. One of value (a subject's) and record is set; ordinal: one message.
DROP TABLE hold;
CREATE TABLE hold (
  no INTEGER PRIMARY KEY AUTOINCREMENT, value TEXT, record INTEGER, ordinal INTEGER,
  reason TEXT NOT NULL, placed_by TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER
);
-- Up to which record number a rule is done; kinds: of messages, as it was then.
CREATE TABLE pruning (
  rule TEXT PRIMARY KEY, kinds TEXT NOT NULL, position INTEGER NOT NULL
) WITHOUT ROWID;
-- Interchanges before that position that were open or held.
CREATE TABLE left_over (
  rule TEXT NOT NULL, record INTEGER NOT NULL, PRIMARY KEY (rule, record)
) WITHOUT ROWID;
-- From which record number up to which content was removed, when, and how old it had to be.
CREATE TABLE removal (
  rule TEXT NOT NULL, first INTEGER NOT NULL, past INTEGER NOT NULL, at INTEGER NOT NULL,
  days INTEGER NOT NULL, PRIMARY KEY (rule, first, past)
) WITHOUT ROWID;
-- The bytes in use after each run.
CREATE TABLE measured (at INTEGER PRIMARY KEY, used INTEGER NOT NULL);
"""
"""A step of ``schema.MIGRATIONS``."""

# A record's messages stay together, so a range ends where a record begins.
_PAST = {
    "message": "SELECT record FROM message WHERE record >= ? AND record < ?"
    " ORDER BY record, ordinal LIMIT 1 OFFSET ?",
    "interchange": "SELECT record FROM interchange WHERE record >= ? AND record < ?"
    " ORDER BY record LIMIT 1 OFFSET ?",
}
_OPEN = """
SELECT DISTINCT m.record, m.ordinal FROM message AS m CROSS JOIN json_each(m.destinations) AS d
 CROSS JOIN leg AS l ON l.destination = d.value AND l.key = m.subject
 AND l.record = m.record AND l.ordinal = m.ordinal
WHERE m.record >= ?1 AND m.record < ?2
UNION SELECT record, ordinal FROM awaited WHERE record >= ?1 AND record < ?2
"""
_HELD = """
SELECT r.record, r.ordinal FROM hold AS h CROSS JOIN subject AS s ON s.value = h.value
 CROSS JOIN ref AS r ON r.subject = s.no AND r.record >= ?1 AND r.record < ?2
WHERE h.until IS NULL OR h.until > ?3
UNION SELECT m.record, m.ordinal FROM hold AS h CROSS JOIN message AS m ON m.record = h.record
WHERE h.record >= ?1 AND h.record < ?2 AND (h.ordinal IS NULL OR h.ordinal = m.ordinal)
 AND (h.until IS NULL OR h.until > ?3)
"""
_HELD_WHOLE = """
SELECT record FROM hold
WHERE record >= ?1 AND record < ?2 AND ordinal IS NULL AND (until IS NULL OR until > ?3)
"""
_COVERED = """
EXISTS (SELECT 1 FROM message AS m WHERE m.record = {0}.record AND m.ordinal = {0}.ordinal
 AND (m.kind IN (SELECT value FROM json_each(?3))) = ?4)
"""
_NOT_KEPT = """
(record, ordinal) NOT IN (SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]')
 FROM json_each(?5))
"""
_BODIES = f"""
DELETE FROM body WHERE record >= ?1 AND record < ?2 AND {_NOT_KEPT} AND {_COVERED.format("body")}
"""  # noqa: S608 - constants
_DETAILS = f"""
UPDATE attempt SET detail = '' WHERE record >= ?1 AND record < ?2 AND detail <> ''
 AND {_NOT_KEPT} AND {_COVERED.format("attempt")}
"""  # noqa: S608 - constants
_CONTENTS = """
DELETE FROM raw WHERE record >= ?1 AND record < ?2 AND record IN (
 SELECT record FROM message WHERE record >= ?1 AND record < ?2
 AND (kind IN (SELECT value FROM json_each(?3))) = ?4
) AND record NOT IN (SELECT value FROM json_each(?5)) RETURNING slice
"""
_LEFT = """
SELECT DISTINCT m.record FROM json_each(?1) AS j CROSS JOIN message AS m
 ON m.record = json_extract(j.value, '$[0]') AND m.ordinal = json_extract(j.value, '$[1]')
WHERE (m.kind IN (SELECT value FROM json_each(?2))) = ?3
"""
_REFUSED = """
DELETE FROM raw WHERE record >= ?1 AND record < ?2 AND record IN (
 SELECT record FROM interchange WHERE record >= ?1 AND record < ?2 AND state = 'refused'
) AND record NOT IN (SELECT value FROM json_each(?3)) RETURNING slice
"""
_REFUSED_LEFT = """
SELECT record FROM interchange
WHERE state = 'refused' AND record IN (SELECT value FROM json_each(?))
"""
_WITH_BODY = "SELECT DISTINCT record FROM body WHERE record >= ? AND record < ?"
_NOT_LEFT = """
record >= ?1 AND record < ?2 AND record NOT IN (SELECT value FROM json_each(?3))
"""
_SUBJECTS = f"""
SELECT subject FROM message WHERE {_NOT_LEFT}
UNION SELECT n.value FROM message AS m CROSS JOIN json_each(m.subjects) AS n WHERE {_NOT_LEFT}
"""  # noqa: S608 - constants
_REFS = f"""
DELETE FROM ref WHERE subject IN (SELECT value FROM json_each(?4)) AND {_NOT_LEFT}
"""  # noqa: S608 - constants
_TRACES = tuple(
    f"DELETE FROM {table} WHERE {_NOT_LEFT}"  # noqa: S608 - constants
    " AND record IN (SELECT record FROM interchange WHERE record >= ?1 AND record < ?2)"
    for table in ("reading", "attempt", "message")
)
_UNNAMED = """
SELECT j.value FROM json_each(?) AS j
WHERE NOT EXISTS (SELECT 1 FROM ref WHERE ref.subject = j.value)
"""
_ACCEPTED = """
SELECT record, party, interchange_id, control_reference FROM interchange
WHERE record >= ? AND record < ? AND state = 'accepted'
"""
_FORGET = "DELETE FROM seen WHERE id = ? AND party = ? AND kind = 0 AND record = ?"
# ">" stands between a party and its principal in whose references are counted, and "?" is next.
_FORGET_REFERENCE = """
DELETE FROM seen WHERE id = ?1 AND (party = ?2 OR (party > ?2 || '>' AND party < ?2 || '?'))
 AND kind = 1 AND record = ?3
"""
_POSITION = "SELECT position FROM pruning WHERE rule = ? AND kinds = ?"
_MOVE = "INSERT OR REPLACE INTO pruning VALUES (?, ?, ?)"
_REMOVED = """
INSERT INTO removal VALUES (?1, ?2, ?3, ?4, ?5)
"""
_EXTEND = """
UPDATE removal SET past = ?3, at = ?4 WHERE rule = ?1 AND past = ?2 AND at / 86400000000 = ?5
 AND days = ?6 AND first + 1 < past
"""


def kinds_of(rule: Rule) -> str:
    """What a position is for: another list of kinds begins from the start."""
    return listed((*rule.kinds, rule.others))


def position(connection: sqlite3.Connection, rule: Rule) -> int:
    """The record number from which a rule has to be looked at."""
    row = connection.execute(_POSITION, (rule.name, kinds_of(rule))).fetchone()
    return 0 if row is None else int(row[0])


def past(connection: sqlite3.Connection, rule: Rule, first: int, horizon: int, rows: int) -> int:
    """Where the next range of a rule ends: after about ``rows`` rows, with whole records."""
    tables = {REFUSED: ("interchange",), SEEN: ("interchange",), TRACE: tuple(_PAST)}
    ends = [
        _past(connection, _PAST[table], first, horizon, rows)
        for table in tables.get(rule.name, ("message",))
    ]
    return min(ends)


def _past(
    connection: sqlite3.Connection, statement: str, first: int, horizon: int, rows: int
) -> int:
    found = connection.execute(statement, (first, horizon, rows)).fetchone()
    if found is None:
        return horizon
    begins = connection.execute(statement, (first, horizon, 0)).fetchone()[0]
    return int(found[0]) if found[0] > begins else int(begins) + 1


def unsettled(connection: sqlite3.Connection, first: int, end: int) -> set[tuple[int, int]]:
    """Messages of a range with open legs or awaited answers; others will never have any again."""
    return set(connection.execute(_OPEN, (first, end)))


def held(
    connection: sqlite3.Connection, first: int, end: int, now: int
) -> tuple[set[tuple[int, int]], set[int]]:
    """Messages of a range under a legal hold, and interchanges of it that are held as a whole."""
    whole = {row[0] for row in connection.execute(_HELD_WHOLE, (first, end, now))}
    return set(connection.execute(_HELD, (first, end, now))), whole


def remove(
    connection: sqlite3.Connection,
    rule: Rule,
    first: int,
    end: int,
    *,
    still_open: Collection[tuple[int, int]],
    now: int,
) -> tuple[Pruned, set[int]]:
    """Within a write transaction: remove by a rule in a range; what, and the records that stay."""
    messages, whole = held(connection, first, end, now)
    kept = messages | set(still_open)
    records = {record for record, _ in kept} | whole
    if rule.name == REFUSED:
        gone = connection.execute(_REFUSED, (first, end, listed(records))).fetchall()
        stays = connection.execute(_REFUSED_LEFT, (listed(whole),)).fetchall()
        return Pruned(contents=_contents(gone)), {row[0] for row in stays}
    if rule.name == SEEN:
        return Pruned(seen=_forget(connection, first, end)), set()
    if rule.name == TRACE:
        records |= {row[0] for row in connection.execute(_WITH_BODY, (first, end))}
        return _remove_traces(connection, first, end, records), records
    kinds, wanted = listed(rule.kinds), not rule.others
    where = (first, end, kinds, wanted, listed(sorted(kept)))
    bodies = connection.execute(_BODIES, where).rowcount
    details = connection.execute(_DETAILS, where).rowcount
    contents = connection.execute(
        _CONTENTS, (first, end, kinds, wanted, listed(sorted(records)))
    ).fetchall()
    left = {row[0] for row in connection.execute(_LEFT, (listed(kept), kinds, wanted))}
    return Pruned(bodies=bodies, contents=_contents(contents), details=details), left


def _contents(slices: Iterable[tuple[int]]) -> int:
    """Interchanges, by the first of their slices."""
    return sum(number == 0 for (number,) in slices)


def _forget(connection: sqlite3.Connection, first: int, end: int) -> int:
    rows = connection.execute(_ACCEPTED, (first, end)).fetchall()
    cursor = connection.executemany(_FORGET, [(row[2], row[1], row[0]) for row in rows])
    count = cursor.rowcount if rows else 0
    references = [(row[3], row[1], row[0]) for row in rows if row[3] is not None]
    if references:
        count += connection.executemany(_FORGET_REFERENCE, references).rowcount
    return count


def _remove_traces(
    connection: sqlite3.Connection, first: int, end: int, left: Collection[int]
) -> Pruned:
    """Messages with all that tells of them; subjects that nothing names any more go with them."""
    where = (first, end, listed(sorted(left)))
    subjects = listed(row[0] for row in connection.execute(_SUBJECTS, where).fetchall())
    connection.execute(_REFS, (*where, subjects))
    count = 0
    for statement in _TRACES:  # messages last: their number is what is told
        count = connection.execute(statement, where).rowcount
    unnamed = connection.execute(_UNNAMED, (subjects,)).fetchall()
    connection.executemany("DELETE FROM version WHERE subject = ?", unnamed)
    connection.executemany("DELETE FROM subject WHERE no = ?", unnamed)
    return Pruned(traces=count)


def advance(
    connection: sqlite3.Connection,
    rule: Rule,
    first: int,
    end: int,
    pruned: Pruned,
    left: Collection[int],
    *,
    now: int,
) -> None:
    """Within the same transaction: what was removed is told, and where the rule stands now."""
    rows: list[Row] = [(rule.name, record) for record in sorted(left)]
    insert(connection, "left_over", rows, "ON CONFLICT DO NOTHING")
    connection.execute(_MOVE, (rule.name, kinds_of(rule), end))
    if pruned:
        tell(connection, rule, first, end, now=now)


def tell(connection: sqlite3.Connection, rule: Rule, first: int, end: int, *, now: int) -> None:
    """Write down a removal; one that goes on with another of the same day is one with it."""
    day = now // 86_400_000_000
    extended = connection.execute(_EXTEND, (rule.name, first, end, now, day, rule.days)).rowcount
    if not extended:
        connection.execute(
            _REMOVED + " ON CONFLICT DO UPDATE SET at = excluded.at, days = excluded.days",
            (rule.name, first, end, now, rule.days),
        )
