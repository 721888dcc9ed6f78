"""Subjects and versions: what messages are about, by number, and how often a party spoke of it.

The row of a subject is the lock of what is ordered by it: whoever holds it alone counts its
versions. All subjects of a transaction are locked by one statement, in one order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from gateway.core.identifiers import record_time
from gateway.core.records import Subject
from gateway.store.contract import SUBJECT_WINDOW
from gateway.store.postgres.connection import Connection, columns

# Who is not there gets a number in place of the window's.
_LATEST = """
SELECT j.at, s.no, s.nth, s.first_record, CASE WHEN s.no IS NULL THEN nextval('subject_no') END
FROM unnest($1::integer[], $2::text[], $3::text[], $4::text[]) AS j(at, value, kind, origin)
LEFT JOIN LATERAL (SELECT no, nth, first_record FROM subject
 WHERE value = j.value AND kind = j.kind AND origin = j.origin ORDER BY nth DESC LIMIT 1) AS s
 ON true
"""
_NUMBER = "SELECT nextval('subject_no')"
# In the order of the unique index, which the rows come in.
_LOCK = """
INSERT INTO subject AS s
SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::integer[],
 $6::bigint[], $7::bigint[])
ON CONFLICT (value, kind, origin, nth)
 DO UPDATE SET last_record = greatest(s.last_record, excluded.last_record)
RETURNING no, value, kind, origin, nth, xmax = 0
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
        self.new: frozenset[int] = frozenset()
        """Numbers that were given for the first time: nothing stands under them yet."""

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
        latest, numbers = await self._latest(connection)
        for window in self._place(latest, used):
            window.no = numbers.pop(window.subject, 0) or await connection.fetchval(_NUMBER)
        if used:
            self.new = await _hold(connection, used)
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

    async def _latest(
        self, connection: Connection
    ) -> tuple[dict[Subject, _Window], dict[Subject, int]]:
        """The newest window of each subject that is there, and numbers for those that are not."""
        distinct = list({subject: None for subject, _ in self._wanted})
        rows = [(at, s.value, s.kind, s.origin) for at, s in enumerate(distinct)]
        latest: dict[Subject, _Window] = {}
        numbers: dict[Subject, int] = {}
        for at, no, nth, first, new in await connection.fetch(_LATEST, *columns(rows, 4)):
            if new is None:
                latest[distinct[at]] = _Window(no, distinct[at], nth, first, 0)
            else:
                numbers[distinct[at]] = new
        return latest, numbers

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


async def _hold(connection: Connection, used: dict[tuple[Subject, int], _Window]) -> frozenset[int]:
    """Lock the windows, of which another node may have numbered a new one meanwhile.

    Gives the numbers of those that were not there.
    """
    rows = sorted(
        (w.subject.value, w.subject.kind, w.subject.origin, w.nth, w.no, w.first, w.last)
        for w in used.values()
    )
    ordered = [(no, v, k, o, nth, first, last) for v, k, o, nth, no, first, last in rows]
    new: set[int] = set()
    for no, value, kind, origin, nth, added in await connection.fetch(_LOCK, *columns(ordered, 7)):
        used[Subject(kind, value, origin), nth].no = no
        if added:
            new.add(no)
    return frozenset(new)


class Versions:
    """How many messages of a kind each party has sent about each key, within a transaction.

    Kinds count apart: a transport event about an item makes no later declaration of it a
    replacement. The subjects of all keys are held.
    """

    def __init__(self) -> None:
        self._latest: dict[Line, int] = {}
        self._used: set[Line] = set()

    async def read(
        self, connection: Connection, wanted: Iterable[Line], *, new: Collection[int]
    ) -> None:
        """Read the counts of these lines; of ``new`` keys there are none."""
        unread = {line for line in wanted if line not in self._latest}
        self._latest.update(dict.fromkeys(unread, 0))
        missing = sorted(line for line in unread if line[0] not in new)
        if not missing:
            return
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
