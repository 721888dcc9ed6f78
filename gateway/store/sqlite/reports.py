"""Translation reports: their lines once, each combination of lines once, places where told."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

import msgspec

from gateway.core.identifiers import first_record
from gateway.core.records import MessageReport
from gateway.core.reports import DELIVERED, RECEIVED, Loss, Report, tally
from gateway.store.codec import Codec
from gateway.store.reports import Told, line_of, text_of, unpack_places
from gateway.store.sqlite.rows import Row, insert, listed
from translators.translator import FormatId

TABLES = """
-- One thing that a translation did: fate, path, source path, detail as JSON, with * for indices.
CREATE TABLE line (no INTEGER PRIMARY KEY, content TEXT NOT NULL UNIQUE);
-- A combination of lines by number; its digest is the SHA-256 of what it says.
CREATE TABLE report (
  no INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, format TEXT NOT NULL, kind TEXT NOT NULL,
  lines TEXT NOT NULL
);
-- Attempts from before have in dropped what their agreement withheld; it is [] in later ones.
ALTER TABLE attempt ADD COLUMN report INTEGER;
ALTER TABLE attempt ADD COLUMN places BLOB;
-- What reading did not simply carry, for those messages alone of which there is something to tell.
CREATE TABLE reading (
  record INTEGER NOT NULL, ordinal INTEGER NOT NULL, report INTEGER NOT NULL, places BLOB,
  PRIMARY KEY (record, ordinal)
) WITHOUT ROWID;
"""
"""A step of ``schema.MIGRATIONS``."""

_REPORTS_KNOWN = """
SELECT r.digest, r.no FROM json_each(?) AS j CROSS JOIN report AS r ON r.digest = j.value
"""
_LINES_KNOWN = """
SELECT l.content, l.no FROM json_each(?) AS j CROSS JOIN line AS l ON l.content = j.value
"""
_REPORTS = """
SELECT r.no, r.format, r.kind, r.lines FROM json_each(?) AS j CROSS JOIN report AS r
 ON r.no = j.value
"""
_LINES = "SELECT l.no, l.content FROM json_each(?) AS j CROSS JOIN line AS l ON l.no = j.value"
# An interchange that is staged has no row, so its reports are not told.
_OF_RECORD = """
SELECT d.ordinal, d.report, d.places FROM interchange AS i CROSS JOIN reading AS d
 ON d.record = i.record WHERE i.record = ? ORDER BY d.ordinal LIMIT ? OFFSET ?
"""
_OF_MESSAGE = "SELECT report, places FROM reading WHERE record = ? AND ordinal = ?"
_DELIVERED = """
SELECT destination, report, count(*) FROM attempt
WHERE record >= ? AND result = 'delivered' AND report IS NOT NULL GROUP BY destination, report
"""
_RECEIVED = """
SELECT i.party, d.report, count(*) FROM reading AS d CROSS JOIN interchange AS i
 ON i.record = d.record WHERE d.record >= ? GROUP BY i.party, d.report
"""
_JUDGED = """
SELECT party, format, sum(accepted + refused) FROM interchange WHERE record >= ?
GROUP BY party, format
"""

_numbers = msgspec.json.Decoder(tuple[int, ...])


def store(connection: sqlite3.Connection, reports: Iterable[tuple[str, Report]]) -> dict[str, int]:
    """Numbers of reports by digest, within a write transaction; what is new is written."""
    wanted = dict(reports)
    if not wanted:
        return {}
    known: dict[str, int] = dict(connection.execute(_REPORTS_KNOWN, (listed(wanted),)))
    new = {digest: report for digest, report in wanted.items() if digest not in known}
    if new:
        lines = _store_lines(connection, {text_of(x) for r in new.values() for x in r.lines})
        first = _next(connection, "report")
        rows: list[Row] = [
            (
                no,
                digest,
                report.format,
                report.kind,
                listed(lines[text_of(x)] for x in report.lines),
            )
            for no, (digest, report) in enumerate(new.items(), first)
        ]
        insert(connection, "report", rows)
        known |= {row[1]: row[0] for row in rows}
    return known


def _store_lines(connection: sqlite3.Connection, texts: Collection[str]) -> dict[str, int]:
    known: dict[str, int] = dict(connection.execute(_LINES_KNOWN, (listed(texts),)))
    new = sorted(text for text in texts if text not in known)
    first = _next(connection, "line")
    insert(connection, "line", [(no, text) for no, text in enumerate(new, first)])
    return known | {text: no for no, text in enumerate(new, first)}


def _next(connection: sqlite3.Connection, table: str) -> int:
    (latest,) = connection.execute(f"SELECT ifnull(max(no), 0) FROM {table}").fetchone()  # noqa: S608 - one of two names above
    return int(latest) + 1


class Shelf:
    """Reports by number, each read once."""

    def __init__(self, connection: sqlite3.Connection, codec: Codec) -> None:
        self._connection = connection
        self._codec = codec
        self._reports: dict[int, Report] = {}

    def fetch(self, numbers: Iterable[int | None]) -> None:
        """Read the reports of these numbers, for :meth:`get`."""
        wanted = {no for no in numbers if no is not None} - self._reports.keys()
        if not wanted:
            return
        rows = self._connection.execute(_REPORTS, (listed(wanted),)).fetchall()
        of = {row[0]: _numbers.decode(row[3]) for row in rows}
        parts = {no for numbers in of.values() for no in numbers}
        lines = {
            no: line_of(content)
            for no, content in self._connection.execute(_LINES, (listed(parts),))
        }
        for no, format_id, kind, _ in rows:
            self._reports[no] = Report(
                format=FormatId(format_id), kind=kind, lines=tuple(lines[at] for at in of[no])
            )

    def get(self, number: int | None, places: bytes | None = None) -> Report | None:
        """The report of a number with the places of one message; ``None`` for no number."""
        if number is None:
            return None
        told, more = unpack_places(places, self._codec)
        return msgspec.structs.replace(self._reports[number], places=told, more=more)

    def shape(self, number: int) -> Report:
        """The report of a number without its places."""
        return self._reports[number]


def write_readings(connection: sqlite3.Connection, prepared: Sequence[Told]) -> None:
    """Write the reports of reading messages, within a write transaction."""
    numbers = store(connection, ((digest, report) for _, _, digest, report, _ in prepared))
    insert(
        connection,
        "reading",
        [
            (record, ordinal, numbers[digest], places)
            for record, ordinal, digest, _, places in prepared
        ],
    )


def of_record(
    connection: sqlite3.Connection, codec: Codec, record: int, *, offset: int, limit: int
) -> tuple[MessageReport, ...]:
    """Reports of the reading of an interchange that is no longer staged."""
    rows = connection.execute(_OF_RECORD, (record, limit, offset)).fetchall()
    shelf = Shelf(connection, codec)
    shelf.fetch(row[1] for row in rows)
    found = ((ordinal, shelf.get(number, places)) for ordinal, number, places in rows)
    return tuple(
        MessageReport(ordinal=ordinal, report=report)
        for ordinal, report in found
        if report is not None
    )


def of_message(
    connection: sqlite3.Connection, codec: Codec, record: int, ordinal: int
) -> Report | None:
    """The report of the reading of one message; ``None`` for nothing to tell."""
    row = connection.execute(_OF_MESSAGE, (record, ordinal)).fetchone()
    if row is None:
        return None
    shelf = Shelf(connection, codec)
    shelf.fetch(row[:1])
    return shelf.get(*row)


def losses(
    connection: sqlite3.Connection, codec: Codec, since: datetime | None
) -> tuple[Loss, ...]:
    """How often which line was told since then; walks the attempts of that time."""
    first = first_record(since)
    received = connection.execute(_RECEIVED, (first,)).fetchall()
    delivered = connection.execute(_DELIVERED, (first,)).fetchall()
    judged = {
        (party, FormatId(format_id)): count
        for party, format_id, count in connection.execute(_JUDGED, (first,))
    }
    shelf = Shelf(connection, codec)
    shelf.fetch(number for _, number, _ in (*received, *delivered))
    return (
        *tally(RECEIVED, ((peer, shelf.shape(no), n) for peer, no, n in received), judged),
        *tally(DELIVERED, ((peer, shelf.shape(no), n) for peer, no, n in delivered)),
    )
