"""Subjects and versions: what messages are about, by number, and how often a party spoke of it.

The row of a subject is the lock of what is ordered by it: whoever holds it alone counts its
versions. All subjects of a transaction are locked by one statement, in one order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.core.identifiers import record_time
from gateway.core.records import Subject
from gateway.store.contract import SUBJECT_WINDOW
from gateway.store.postgres.connection import Connection, columns

_LATEST = """
SELECT j.at, s.no, s.nth, s.first_record
FROM unnest($1::integer[], $2::text[], $3::text[], $4::text[]) AS j(at, value, kind, origin)
CROSS JOIN LATERAL (SELECT no, nth, first_record FROM subject
 WHERE value = j.value AND kind = j.kind AND origin = j.origin ORDER BY nth DESC LIMIT 1) AS s
"""
_NUMBERS = "SELECT nextval('subject_no') FROM generate_series(1, $1)"
# In the order of the unique index, which the rows come in.
_LOCK = """
INSERT INTO subject AS s
SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::integer[],
 $6::bigint[], $7::bigint[])
ON CONFLICT (value, kind, origin, nth)
 DO UPDATE SET last_record = greatest(s.last_record, excluded.last_record)
RETURNING no, value, kind, origin, nth
"""
_KEYS = """
SELECT j.record, j.ordinal, s.no, s.value, s.kind, s.origin, s.nth, s.first_record
FROM unnest($1::bigint[], $2::bigint[]) AS j(record, ordinal)
CROSS JOIN LATERAL (SELECT subject FROM message
 WHERE record = j.record AND ordinal = j.ordinal LIMIT 1) AS m
JOIN subject AS s ON s.no = m.subject
"""
_VERSIONS = """
SELECT v.subject, v.party, v.kind, v.latest
FROM unnest($1::bigint[], $2::text[], $3::text[]) AS j(subject, party, kind)
JOIN version AS v ON v.subject = j.subject AND v.party = j.party AND v.kind = j.kind
"""
_STORE_VERSIONS = """
INSERT INTO version SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::integer[])
ON CONFLICT (subject, party, kind) DO UPDATE SET latest = excluded.latest
"""

Place = tuple[int, int]
Line = tuple[int, str, str]
"""What is versioned: number of the key, party, kind of message."""


@dataclass(slots=True)
class _Window:
    no: int
    subject: Subject
    nth: int
    first: int
    last: int


class Subjects:
    """The subjects of one transaction: noted, then locked and numbered together."""

    def __init__(self) -> None:
        self._wanted: dict[tuple[Subject, int], None] = {}  # in the order of their numbers
        self._answered: dict[Place, int] = {}
        self._own: set[Place] = set()
        self._windows: dict[tuple[Subject, int], _Window] = {}
        self._keys: dict[Place, int] = {}

    def note(
        self, place: Place, subjects: Iterable[Subject], key_of: tuple[int, int] | None
    ) -> None:
        """A message at ``place`` names these; with ``key_of`` it is ordered as that message is."""
        for subject in subjects:
            self._wanted.setdefault((subject, place[0]))
        if key_of is not None and key_of not in self._own:
            self._answered[key_of] = max(place[0], self._answered.get(key_of, 0))
        self._own.add(place)

    async def lock(self, connection: Connection) -> None:
        """Number what was noted and hold it until the end of the transaction.

        Raises ``ValueError`` for a message that is ordered after an unknown one; no number is
        drawn then.
        """
        used: dict[tuple[Subject, int], _Window] = {}
        answered = await self._find_answered(connection, used)
        new = self._place(await self._latest(connection), used)
        if new:
            for window, (no,) in zip(new, await connection.fetch(_NUMBERS, len(new)), strict=True):
                window.no = no
        if used:
            await _hold(connection, used)
        self._keys = {place: window.no for place, window in answered.items()}

    async def _find_answered(
        self, connection: Connection, used: dict[tuple[Subject, int], _Window]
    ) -> dict[Place, _Window]:
        if not self._answered:
            return {}
        found: dict[Place, _Window] = {}
        rows = await connection.fetch(_KEYS, *columns(list(self._answered), 2))
        for record, ordinal, no, value, kind, origin, nth, first in rows:
            last = self._answered[record, ordinal]
            window = _Window(no, Subject(kind, value, origin), nth, first, last)
            window = used.setdefault((window.subject, nth), window)
            window.last = max(window.last, last)
            found[record, ordinal] = window
        unknown = self._answered.keys() - found.keys() - self._own
        if unknown:
            raise ValueError(f"a message is ordered after an unknown one: {min(unknown)}")
        return found

    async def _latest(self, connection: Connection) -> dict[Subject, _Window]:
        """The newest window of each subject that is there."""
        distinct = list({subject: None for subject, _ in self._wanted})
        rows = [(at, s.value, s.kind, s.origin) for at, s in enumerate(distinct)]
        return {
            distinct[at]: _Window(no, distinct[at], nth, first, 0)
            for at, no, nth, first in await connection.fetch(_LATEST, *columns(rows, 4))
        }

    def _place(
        self, latest: dict[Subject, _Window], used: dict[tuple[Subject, int], _Window]
    ) -> list[_Window]:
        """Find the window of each subject that was noted; the new ones, in order."""
        new: list[_Window] = []
        for subject, record in self._wanted:
            window = latest.get(subject)
            if window is None or record_time(record) - record_time(window.first) > SUBJECT_WINDOW:
                nth = 0 if window is None else window.nth + 1
                window = latest[subject] = _Window(0, subject, nth, record, record)
                new.append(window)
            window = used.setdefault((subject, window.nth), window)
            window.last = max(window.last, record)
            self._windows[subject, record] = window
        return new

    def number(self, subject: Subject, record: int) -> int:
        """The number of a subject in the window that the record falls into."""
        return self._windows[subject, record].no

    def key(self, place: Place, own: int, key_of: tuple[int, int] | None) -> int:
        """The number by which the message is ordered, and so all that answer it."""
        if key_of is not None:
            if key_of not in self._keys:
                raise ValueError(f"message {place[1]} is ordered after an unknown one")
            own = self._keys[key_of]
        self._keys[place] = own
        return own


async def _hold(connection: Connection, used: dict[tuple[Subject, int], _Window]) -> None:
    """Lock the windows; another node may have numbered a new one meanwhile."""
    rows = sorted(
        (w.subject.value, w.subject.kind, w.subject.origin, w.nth, w.no, w.first, w.last)
        for w in used.values()
    )
    ordered = [(no, v, k, o, nth, first, last) for v, k, o, nth, no, first, last in rows]
    for no, value, kind, origin, nth in await connection.fetch(_LOCK, *columns(ordered, 7)):
        used[Subject(kind, value, origin), nth].no = no


class Versions:
    """How many messages of a kind each party has sent about each key, within a transaction.

    Kinds count apart: a transport event about an item makes no later declaration of it a
    replacement. The subjects of all keys are held.
    """

    def __init__(self) -> None:
        self._latest: dict[Line, int] = {}
        self._used: set[Line] = set()

    async def read(self, connection: Connection, wanted: Iterable[Line]) -> None:
        """Read the counts of these lines."""
        missing = sorted({line for line in wanted if line not in self._latest})
        self._latest.update(dict.fromkeys(missing, 0))
        for subject, party, kind, latest in await connection.fetch(_VERSIONS, *columns(missing, 3)):
            self._latest[subject, party, kind] = latest

    def following(self, line: Line) -> int:
        """The number of the party's next message of that kind about the key, from 1."""
        version = self._latest[line] = self._latest[line] + 1
        self._used.add(line)
        return version

    async def write(self, connection: Connection) -> None:
        """Store the counts."""
        rows = [(*line, self._latest[line]) for line in sorted(self._used)]
        if rows:
            await connection.execute(_STORE_VERSIONS, *columns(rows, 4))
