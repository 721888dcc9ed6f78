"""Rows read as values, and inserts of many rows as one statement."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.core.identifiers import InterchangeId, RecordNumber
from gateway.core.records import State, Stored
from gateway.store.codec import Codec
from gateway.store.leaf import instant
from gateway.store.postgres.connection import Row
from translators.translator import FormatId
from trust.identity import PartyId

Place = tuple[int, int]
"""A message's record number and ordinal."""

STORED_COLUMNS = (
    "i.record, i.party, i.interchange_id, i.attempt, i.state, i.format, i.transport, i.digest,"
    " i.size, i.received_at, i.accepted, i.refused, i.receipt, i.outcomes"
)


def stored(row: Row, codec: Codec, *, repeated: bool = False) -> Stored:
    """The interchange in a row of :data:`STORED_COLUMNS`."""
    return Stored(
        record=RecordNumber(row[0]),
        party=PartyId(row[1]),
        interchange_id=InterchangeId(row[2]),
        attempt=row[3],
        state=State(row[4]),
        format=FormatId(row[5]),
        transport=row[6],
        digest=row[7].hex(),
        size=row[8],
        received_at=instant(row[9]),
        accepted=row[10],
        refused=row[11],
        receipt=codec.unpack(row[12]).decode(),
        outcomes=codec.unpack(row[13]),
        repeated=repeated,
    )


def split(places: Sequence[Place]) -> tuple[list[int], list[int]]:
    """Places as two arrays for ``unnest``: record numbers and ordinals."""
    return [record for record, _ in places], [ordinal for _, ordinal in places]
