"""Translation reports: their lines once, each combination of lines once, places where told."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from gateway.core.identifiers import first_record
from gateway.core.records import MessageReport
from gateway.core.reports import DELIVERED, RECEIVED, Loss, Report, tally
from gateway.store.codec import Codec
from gateway.store.postgres.connection import Connection, columns
from gateway.store.reports import Told, line_of, text_of, unpack_places
from translators.translator import FormatId

_REPORTS_KNOWN = "SELECT digest, no FROM report WHERE digest = ANY ($1::text[])"
_LINES_KNOWN = "SELECT content, no FROM line WHERE digest = ANY ($1::bytea[])"
# Line numbers of one report differ in count, so an array of arrays would not do: JSON does.
_NEW_REPORTS = """
INSERT INTO report (digest, format, kind, lines)
SELECT digest, format, kind, ARRAY(SELECT jsonb_array_elements_text(lines)::bigint)
FROM unnest($1::text[], $2::text[], $3::text[], $4::jsonb[]) AS t(digest, format, kind, lines)
ON CONFLICT DO NOTHING
"""
_NEW_LINES = """
INSERT INTO line (digest, content) SELECT * FROM unnest($1::bytea[], $2::text[])
ON CONFLICT DO NOTHING
"""
_READINGS = """
INSERT INTO reading SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bytea[])
"""
_REPORTS = "SELECT no, format, kind, lines FROM report WHERE no = ANY ($1::bigint[])"
_LINES = "SELECT no, content FROM line WHERE no = ANY ($1::bigint[])"
# An interchange that is staged has no row, so its reports are not told.
_OF_RECORD = """
SELECT d.ordinal, d.report, d.places FROM reading AS d WHERE d.record = $1
AND EXISTS (SELECT 1 FROM interchange AS i WHERE i.record = $1)
ORDER BY d.ordinal LIMIT $2 OFFSET $3
"""
_OF_MESSAGE = "SELECT report, places FROM reading WHERE record = $1 AND ordinal = $2"
_DELIVERED = """
SELECT destination, report, count(*) FROM attempt
WHERE record >= $1 AND result = 'delivered' AND report IS NOT NULL GROUP BY destination, report
"""
_RECEIVED = """
SELECT i.party, d.report, count(*) FROM reading AS d JOIN interchange AS i ON i.record = d.record
WHERE d.record >= $1 AND i.record >= $1 GROUP BY i.party, d.report
"""
_JUDGED = """
SELECT party, format, sum(accepted + refused)::bigint FROM interchange WHERE record >= $1
GROUP BY party, format
"""


async def numbers(connection: Connection, reports: Iterable[tuple[str, Report]]) -> dict[str, int]:
    """Numbers of reports by digest, within a transaction; what is new is written.

    New ones are rare and wait for whoever writes the same just now, so this comes after the heads
    and before the counts of quality, in accepting and in settling alike.
    """
    wanted = dict(reports)
    if not wanted:
        return {}
    known = await _known(connection, wanted)
    new = sorted((digest, report) for digest, report in wanted.items() if digest not in known)
    if new:
        lines = await _line_numbers(connection, {text_of(x) for _, r in new for x in r.lines})
        rows = [
            (
                digest,
                report.format,
                report.kind,
                msgspec.json.encode([lines[text_of(line)] for line in report.lines]).decode(),
            )
            for digest, report in new
        ]
        await connection.execute(_NEW_REPORTS, *columns(rows, 4))
        known = await _known(connection, wanted)
    return known


async def _known(connection: Connection, wanted: dict[str, Report]) -> dict[str, int]:
    return {row[0]: row[1] for row in await connection.fetch(_REPORTS_KNOWN, list(wanted))}


async def _line_numbers(connection: Connection, texts: set[str]) -> dict[str, int]:
    wanted = {hashlib.sha256(text.encode()).digest(): text for text in texts}
    known = await _known_lines(connection, wanted)
    new = [(digest, text) for digest, text in sorted(wanted.items()) if text not in known]
    if new:
        await connection.execute(_NEW_LINES, *columns(new, 2))
        known = await _known_lines(connection, wanted)
    return known


async def _known_lines(connection: Connection, wanted: dict[bytes, str]) -> dict[str, int]:
    return {row[0]: row[1] for row in await connection.fetch(_LINES_KNOWN, list(wanted))}


async def write_readings(connection: Connection, prepared: Sequence[Told]) -> None:
    """Write the reports of reading messages, within a transaction; see :func:`numbers`."""
    if not prepared:
        return
    known = await numbers(connection, ((digest, report) for _, _, digest, report, _ in prepared))
    rows = [
        (record, ordinal, known[digest], places) for record, ordinal, digest, _, places in prepared
    ]
    await connection.execute(_READINGS, *columns(rows, 4))


class Shelf:
    """Reports by number, each read once."""

    def __init__(self, connection: Connection, codec: Codec) -> None:
        self._connection = connection
        self._codec = codec
        self._reports: dict[int, Report] = {}

    async def fetch(self, wanted: Iterable[int | None]) -> None:
        """Read the reports of these numbers, for :meth:`get`."""
        missing = {no for no in wanted if no is not None} - self._reports.keys()
        if not missing:
            return
        rows = await self._connection.fetch(_REPORTS, list(missing))
        parts = sorted({no for row in rows for no in row[3]})
        lines = {
            no: line_of(content) for no, content in await self._connection.fetch(_LINES, parts)
        }
        for no, format_id, kind, numbers_ in rows:
            self._reports[no] = Report(
                format=FormatId(format_id), kind=kind, lines=tuple(lines[at] for at in numbers_)
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


async def of_record(
    connection: Connection, codec: Codec, record: int, *, offset: int, limit: int
) -> tuple[MessageReport, ...]:
    """Reports of the reading of an interchange that is no longer staged."""
    rows = await connection.fetch(_OF_RECORD, record, limit, offset)
    shelf = Shelf(connection, codec)
    await shelf.fetch(row[1] for row in rows)
    found = ((ordinal, shelf.get(number, places)) for ordinal, number, places in rows)
    return tuple(
        MessageReport(ordinal=ordinal, report=report)
        for ordinal, report in found
        if report is not None
    )


async def of_message(
    connection: Connection, codec: Codec, record: int, ordinal: int
) -> Report | None:
    """The report of the reading of one message; ``None`` for nothing to tell."""
    row = await connection.fetchrow(_OF_MESSAGE, record, ordinal)
    if row is None:
        return None
    shelf = Shelf(connection, codec)
    await shelf.fetch(row[:1])
    return shelf.get(row[0], row[1])


async def losses(connection: Connection, codec: Codec, since: datetime | None) -> tuple[Loss, ...]:
    """How often which line was told since then; walks the attempts of that time."""
    first = first_record(since)
    received = await connection.fetch(_RECEIVED, first)
    delivered = await connection.fetch(_DELIVERED, first)
    judged = {
        (party, FormatId(format_id)): count
        for party, format_id, count in await connection.fetch(_JUDGED, first)
    }
    shelf = Shelf(connection, codec)
    await shelf.fetch(number for _, number, _ in (*received, *delivered))
    return (
        *tally(RECEIVED, ((peer, shelf.shape(no), n) for peer, no, n in received), judged),
        *tally(DELIVERED, ((peer, shelf.shape(no), n) for peer, no, n in delivered)),
    )
