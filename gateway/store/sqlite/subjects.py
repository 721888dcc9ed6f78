"""Subjects and versions: what messages are about, by number, and how often a party spoke of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from gateway.core.identifiers import record_time
from gateway.core.records import Subject
from gateway.store.contract import SUBJECT_WINDOW
from gateway.store.sqlite.rows import insert, listed

_WINDOWS = """
SELECT s.no, s.kind, s.value, s.origin, s.first_record, s.last_record
FROM json_each(?) AS j CROSS JOIN subject AS s
 ON s.value = json_extract(j.value, '$[0]') AND s.kind = json_extract(j.value, '$[1]')
 AND s.origin = json_extract(j.value, '$[2]')
ORDER BY s.first_record
"""
_TOUCH = """
UPDATE subject SET last_record = v.last FROM (
 SELECT json_extract(value, '$[0]') AS no, json_extract(value, '$[1]') AS last FROM json_each(?)
) AS v WHERE subject.no = v.no
"""
_VERSIONS = """
SELECT v.subject, v.party, v.kind, v.latest FROM json_each(?) AS j CROSS JOIN version AS v
 ON v.subject = json_extract(j.value, '$[0]') AND v.party = json_extract(j.value, '$[1]')
 AND v.kind = json_extract(j.value, '$[2]')
"""


Line = tuple[int, str, str]
"""What is versioned: number of the key, party, kind of message."""


@dataclass(slots=True)
class _Window:
    no: int
    first: int
    last: int
    new: bool
    touched: bool = False


class Subjects:
    """The subjects of one transaction: looked up together, numbered, written together."""

    def __init__(self, connection: sqlite3.Connection, wanted: Iterable[Subject]) -> None:
        self._connection = connection
        self._latest: dict[Subject, _Window] = {}
        self._used: list[tuple[Subject, _Window]] = []
        distinct = sorted({(s.value, s.kind, s.origin) for s in wanted})
        # Oldest window first, so that the newest one stays.
        for no, kind, value, origin, first, last in connection.execute(
            _WINDOWS, (listed(distinct),)
        ).fetchall():
            self._latest[Subject(kind, value, origin)] = _Window(no, first, last, new=False)
        (self._next,) = connection.execute(
            "SELECT next FROM counter WHERE name = 'subject'"
        ).fetchone()

    def number(self, subject: Subject, record: int) -> int:
        """The subject's number in the window that the record falls into; a new one if need be."""
        window = self._latest.get(subject)
        if window is None or record_time(record) - record_time(window.first) > SUBJECT_WINDOW:
            window = self._latest[subject] = _Window(self._next, record, record, new=True)
            self._used.append((subject, window))
            self._next += 1
        elif record > window.last:
            window.last = record
            if not window.new and not window.touched:
                window.touched = True
                self._used.append((subject, window))
        return window.no

    @property
    def new(self) -> frozenset[int]:
        """Numbers that were given for the first time."""
        return frozenset(window.no for _, window in self._used if window.new)

    def write(self) -> None:
        """Store the new subjects and what was learned of the old ones."""
        new = [(s, w) for s, w in self._used if w.new]
        insert(
            self._connection,
            "subject",
            [(w.no, s.value, s.kind, s.origin, w.first, w.last) for s, w in new],
        )
        if new:
            self._connection.execute(
                "UPDATE counter SET next = ? WHERE name = 'subject'", (self._next,)
            )
        touched = [(w.no, w.last) for _, w in self._used if not w.new]
        if touched:
            self._connection.execute(_TOUCH, (listed(touched),))


class Versions:
    """How many messages of a kind each party has sent about each key, within a transaction.

    Kinds count apart: a transport event about an item makes no later declaration of it a
    replacement.
    """

    def __init__(self, connection: sqlite3.Connection, wanted: Collection[Line]) -> None:
        """``wanted``: lines of which something may be stored."""
        self._connection = connection
        self._latest: dict[Line, int] = {}
        self._used: set[Line] = set()
        if wanted:
            rows = connection.execute(_VERSIONS, (listed(sorted(wanted)),)).fetchall()
            self._latest = {(no, party, kind): latest for no, party, kind, latest in rows}

    def following(self, line: Line) -> int:
        """The number of the party's next message of that kind about the key, from 1."""
        version = self._latest.get(line, 0) + 1
        self._latest[line] = version
        self._used.add(line)
        return version

    def write(self) -> None:
        """Store the counts."""
        insert(
            self._connection,
            "version",
            [(*line, self._latest[line]) for line in sorted(self._used)],
            "ON CONFLICT DO UPDATE SET latest = excluded.latest",
        )
