"""Counts of data quality: two small tables that grow in the transaction of each acceptance."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from gateway.core.quality import FoundCount, JudgedCount, Quality
from gateway.store.postgres.connection import Connection, columns
from gateway.store.tally import Tally
from trust.identity import PartyId

_ADD_JUDGED = """
INSERT INTO quality_judged AS q
SELECT * FROM unnest($1::text[], $2::date[], $3::text[], $4::bigint[], $5::bigint[])
ON CONFLICT (party, day, kind) DO UPDATE SET
 messages = q.messages + excluded.messages, refused = q.refused + excluded.refused
"""
_ADD_FOUND = """
INSERT INTO quality_found AS q
SELECT * FROM unnest($1::text[], $2::date[], $3::text[], $4::text[], $5::bigint[], $6::bigint[])
ON CONFLICT (party, day, kind, code) DO UPDATE SET
 messages = q.messages + excluded.messages, findings = q.findings + excluded.findings
"""
_JUDGED = """
SELECT party, {day}, kind, sum(messages)::bigint, sum(refused)::bigint FROM quality_judged
WHERE ($1::text IS NULL OR party = $1) AND day BETWEEN $2 AND $3
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
_FOUND = """
SELECT party, {day}, kind, code, sum(messages)::bigint, sum(findings)::bigint FROM quality_found
WHERE ($1::text IS NULL OR party = $1) AND day BETWEEN $2 AND $3
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
"""


async def count(connection: Connection, tallies: Iterable[Tally]) -> None:
    """Within a transaction, last of all: add what a group of new acceptances has counted.

    All nodes add to the rows of a party's day: they are locked until the commit, so nothing that
    takes long may follow. Sorted, so that two nodes wait for each other in one direction.
    """
    tally = Tally.sum(tallies)
    judged = [(*key, *counts) for key, counts in sorted(tally.judged.items())]
    found = [(*key, *counts) for key, counts in sorted(tally.found.items())]
    if judged:
        await connection.execute(_ADD_JUDGED, *columns(judged, 5))
    if found:
        await connection.execute(_ADD_FOUND, *columns(found, 6))


async def read(
    connection: Connection, party: PartyId | None, since: date, until: date, *, daily: bool
) -> Quality:
    """The counts of a period, both days included, by day or summed."""
    day = "day" if daily else "NULL::date"
    judged = await connection.fetch(_JUDGED.format(day=day), party, since, until)
    found = await connection.fetch(_FOUND.format(day=day), party, since, until)
    return Quality(
        judged=tuple(
            JudgedCount(party=row[0], day=row[1], kind=row[2], messages=row[3], refused=row[4])
            for row in judged
        ),
        found=tuple(
            FoundCount(
                party=row[0], day=row[1], kind=row[2], code=row[3], messages=row[4], findings=row[5]
            )
            for row in found
        ),
    )
