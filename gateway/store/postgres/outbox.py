"""New legs: their heads are locked first, then numbered, so that their order is that of commits.

One head per (destination, key) that has unsettled legs; it alone is ready, leased, waiting or held.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from gateway.core.records import PlannedLeg
from gateway.store.lanes import due
from gateway.store.leaf import microseconds
from gateway.store.postgres.connection import Connection, columns

# A leg more urgent than its head lends it its lane and time until it has passed; so what is ordered
# before it comes along (priority inheritance). A head that is leased, waiting or held stays so.
# A head is locked by the conflict also when nothing of it changes.
_HEADS = """
INSERT INTO head AS h
SELECT destination, key, 0, lane, due, 0, '', 0, 0, 0
FROM unnest($1::text[], $2::bigint[], $3::integer[], $4::bigint[]) AS n(destination, key, lane, due)
ON CONFLICT (destination, key) DO UPDATE SET lane = excluded.lane, due = excluded.due
 WHERE excluded.lane < h.lane OR (excluded.lane = h.lane AND excluded.due < h.due)
RETURNING destination, key, xmax = 0
"""
# Numbered in the order given.
_LEGS = """
INSERT INTO leg
SELECT destination, key, nextval('leg_seq'), lane, due, record, ordinal, route, 0, size
FROM (
 SELECT * FROM unnest($1::text[], $2::bigint[], $3::integer[], $4::bigint[], $5::bigint[],
  $6::bigint[], $7::text[], $8::integer[]) WITH ORDINALITY
  AS l(destination, key, lane, due, record, ordinal, route, size, at) ORDER BY at
) AS ordered RETURNING seq
"""
_URGENT = """
UPDATE head AS h SET urgent = n.urgent
FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS n(destination, key, urgent)
WHERE h.destination = n.destination AND h.key = n.key
"""


class NewLeg(msgspec.Struct, frozen=True):
    """A leg of a message that is being committed; ``size``: stored bytes of the message's body."""

    key: int
    record: int
    ordinal: int
    accepted_at: datetime
    planned: PlannedLeg
    size: int


async def enqueue(connection: Connection, legs: Sequence[NewLeg]) -> frozenset[str]:
    """Queue legs in the order given; the destinations that have them.

    All legs of a transaction together: heads are locked in one order everywhere.
    """
    if not legs:
        return frozenset()
    urgencies = [
        (leg.planned.lane, microseconds(due(leg.planned, leg.accepted_at))) for leg in legs
    ]
    nearest: dict[tuple[str, int], tuple[int, int, int]] = {}  # lane, due, which leg
    first: dict[tuple[str, int], int] = {}
    for at, (leg, urgency) in enumerate(zip(legs, urgencies, strict=True)):
        key = (leg.planned.destination, leg.key)
        first.setdefault(key, at)
        nearest[key] = min(nearest.get(key, (*urgency, at)), (*urgency, at))
    heads = [(*key, lane, at) for key, (lane, at, _) in sorted(nearest.items())]
    raised = await connection.fetch(_HEADS, *columns(heads, 4))
    rows = [
        (p.destination, leg.key, *urgency, leg.record, leg.ordinal, p.route, leg.size)
        for leg, urgency in zip(legs, urgencies, strict=True)
        for p in (leg.planned,)
    ]
    numbers = sorted(row[0] for row in await connection.fetch(_LEGS, *columns(rows, 8)))
    # Of a new head whose first leg is its most urgent one, nobody inherits anything.
    urgent = [
        (destination, key, numbers[nearest[destination, key][2]])
        for destination, key, new in raised
        if not (new and nearest[destination, key][2] == first[destination, key])
    ]
    if urgent:
        await connection.execute(_URGENT, *columns(urgent, 3))
    return frozenset(destination for destination, _ in nearest)
