"""New legs: their heads first, then the legs, in one transaction with what they deliver.

One head per (destination, key) that has unsettled legs; it alone is ready, leased, waiting or held.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime

import msgspec

from gateway.core.records import PlannedLeg
from gateway.store.lanes import due
from gateway.store.leaf import microseconds
from gateway.store.sqlite.rows import Row, draw, insert

# A leg more urgent than its head lends it its lane and time until it has passed; so what is ordered
# before it comes along (priority inheritance). A head that is leased, waiting or held stays so.
_RAISE = """
ON CONFLICT (destination, key) DO UPDATE
SET lane = excluded.lane, due = excluded.due, urgent = excluded.last
WHERE excluded.lane < head.lane OR (excluded.lane = head.lane AND excluded.due < head.due)
"""


class NewLeg(msgspec.Struct, frozen=True):
    """A leg of a message that is being committed."""

    key: int
    record: int
    ordinal: int
    accepted_at: datetime
    planned: PlannedLeg


def enqueue(connection: sqlite3.Connection, legs: Sequence[NewLeg]) -> frozenset[str]:
    """Queue legs in the order given; the destinations that have them."""
    if not legs:
        return frozenset()
    first = draw(connection, "leg", len(legs))
    rows: list[Row] = []
    nearest: dict[tuple[str, int], tuple[int, int, int]] = {}  # lane, due, seq
    opening: dict[tuple[str, int], int] = {}
    for seq, leg in enumerate(legs, first):
        planned = leg.planned
        key = (planned.destination, leg.key)
        urgency = (planned.lane, microseconds(due(planned, leg.accepted_at)), seq)
        opening.setdefault(key, seq)
        nearest[key] = min(nearest.get(key, urgency), urgency)
        rows.append((*key, seq, *urgency[:2], leg.record, leg.ordinal, planned.route, 0))
    heads: list[Row] = []
    for (destination, number), (lane, at, seq) in sorted(nearest.items()):
        start = opening[destination, number]
        # For a new head urgent is 0 when its most urgent leg is its first; last carries the seq
        # that an existing head takes over as urgent, and is set again by each claim.
        urgent = 0 if seq == start else seq
        heads.append((destination, number, 0, lane, at, 0, "", start, seq, urgent))
    insert(connection, "head", heads, _RAISE)
    rows.sort(key=lambda row: (row[0], row[1], row[2]))
    insert(connection, "leg", rows)
    return frozenset(destination for destination, _ in nearest)
