"""Counts of data quality: two small tables that grow in the transaction of each acceptance."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import date

from gateway.core.quality import FoundCount, JudgedCount, Quality
from gateway.store.sqlite.rows import insert
from gateway.store.tally import Tally
from trust.identity import PartyId

TABLES = """
-- day: of the acceptance in UTC, YYYY-MM-DD, which sorts and compares as it is.
CREATE TABLE quality_judged (
  party TEXT NOT NULL, day TEXT NOT NULL, kind TEXT NOT NULL,
  messages INTEGER NOT NULL, refused INTEGER NOT NULL,
  PRIMARY KEY (party, day, kind)
) WITHOUT ROWID;
CREATE TABLE quality_found (
  party TEXT NOT NULL, day TEXT NOT NULL, kind TEXT NOT NULL, code TEXT NOT NULL,
  messages INTEGER NOT NULL, findings INTEGER NOT NULL,
  PRIMARY KEY (party, day, kind, code)
) WITHOUT ROWID;
"""
"""A step of ``schema.MIGRATIONS``."""

_ADD_JUDGED = """
ON CONFLICT (party, day, kind) DO UPDATE SET
 messages = messages + excluded.messages, refused = refused + excluded.refused
"""
_ADD_FOUND = """
ON CONFLICT (party, day, kind, code) DO UPDATE SET
 messages = messages + excluded.messages, findings = findings + excluded.findings
"""
_JUDGED = """
SELECT party, {day}, kind, sum(messages), sum(refused) FROM quality_judged
WHERE (?1 IS NULL OR party = ?1) AND day BETWEEN ?2 AND ?3
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
_FOUND = """
SELECT party, {day}, kind, code, sum(messages), sum(findings) FROM quality_found
WHERE (?1 IS NULL OR party = ?1) AND day BETWEEN ?2 AND ?3
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
"""


def count(connection: sqlite3.Connection, tallies: Iterable[Tally]) -> None:
    """Within a write transaction: add what a group of new acceptances has counted."""
    tally = Tally.sum(tallies)
    judged = [
        (party, day.isoformat(), kind, *counts)
        for (party, day, kind), counts in sorted(tally.judged.items())
    ]
    found = [
        (party, day.isoformat(), kind, code, *counts)
        for (party, day, kind, code), counts in sorted(tally.found.items())
    ]
    insert(connection, "quality_judged", judged, _ADD_JUDGED)
    insert(connection, "quality_found", found, _ADD_FOUND)


def read(
    connection: sqlite3.Connection,
    party: PartyId | None,
    since: date,
    until: date,
    *,
    daily: bool,
) -> Quality:
    """The counts of a period, both days included, by day or summed."""
    place = (party, since.isoformat(), until.isoformat())
    day = "day" if daily else "NULL"
    return Quality(
        judged=tuple(
            JudgedCount(
                party=row[0], day=_day(row[1]), kind=row[2], messages=row[3], refused=row[4]
            )
            for row in connection.execute(_JUDGED.format(day=day), place)
        ),
        found=tuple(
            FoundCount(
                party=row[0],
                day=_day(row[1]),
                kind=row[2],
                code=row[3],
                messages=row[4],
                findings=row[5],
            )
            for row in connection.execute(_FOUND.format(day=day), place)
        ),
    )


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
