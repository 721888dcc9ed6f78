"""Accepted messages as values: one join, used by whoever hands messages out."""

from __future__ import annotations

from collections.abc import Collection

from gateway.core.identifiers import (
    InterchangeId,
    MessageId,
    RecordNumber,
    message_id,
    resolve,
)
from gateway.core.records import StoredMessage, Subject
from gateway.store.codec import Codec
from gateway.store.leaf import instant
from gateway.store.postgres.connection import Connection, Row
from gateway.store.postgres.rows import Place, split
from trust.identity import PartyId

_COLUMNS = (
    "m.record, m.ordinal, m.kind, i.party, i.interchange_id, i.received_at, m.version, m.function,"
    " s.kind, s.value, s.origin, m.destinations, m.regards, m.on_behalf_of, m.upstream_id"
)
# The limits leave no other way than a probe for each place, in every plan: estimates of ranges that
# are not known yet can lead through whole tables. The first and the last record stand at each table
# by themselves, so that each leaves out its partitions.
_JOIN = """
FROM unnest($1::bigint[], $2::bigint[]) AS j(record, ordinal)
CROSS JOIN LATERAL (SELECT * FROM message WHERE record = j.record AND ordinal = j.ordinal
 AND record BETWEEN $3 AND $4 LIMIT 1) AS m
CROSS JOIN LATERAL (SELECT * FROM interchange WHERE record = j.record
 AND record BETWEEN $3 AND $4 LIMIT 1) AS i
CROSS JOIN LATERAL (SELECT * FROM subject WHERE no = m.subject LIMIT 1) AS s
"""
_BODY = """
LEFT JOIN LATERAL (SELECT content FROM body WHERE kind = m.kind AND record = j.record
 AND ordinal = j.ordinal AND record BETWEEN $3 AND $4 LIMIT 1) AS b ON true
"""
WITH_BODY = f"SELECT {_COLUMNS}, b.content {_JOIN} {_BODY}"
_WITHOUT_BODY = f"SELECT {_COLUMNS}, NULL {_JOIN}"


class Messages:
    """Reads messages for one gateway, whose number is part of their ids."""

    def __init__(self, gateway: int, codec: Codec) -> None:
        self._gateway = gateway
        self._codec = codec

    def id(self, record: int, ordinal: int) -> MessageId:
        """The id of a message."""
        return message_id(self._gateway, record, ordinal)

    def place(self, identifier: MessageId) -> Place | None:
        """Where a message of that id stands; ``None`` for one of another gateway."""
        address = resolve(identifier)
        if address is None or address[0] != self._gateway:
            return None
        return int(address[1]), address[2]

    async def read(
        self, connection: Connection, places: Collection[Place], *, bodies: bool
    ) -> dict[Place, StoredMessage]:
        """Those of the messages that are there; bodies only when asked for and still kept."""
        if not places:
            return {}
        statement = WITH_BODY if bodies else _WITHOUT_BODY
        records, ordinals = split(list(places))
        bounds = min(records), max(records)
        rows = await connection.fetch(statement, records, ordinals, *bounds)
        return {(row[0], row[1]): self._message(row) for row in rows}

    def _message(self, row: Row) -> StoredMessage:
        return StoredMessage(
            message_id=self.id(row[0], row[1]),
            record=RecordNumber(row[0]),
            ordinal=row[1],
            kind=row[2],
            party=PartyId(row[3]),
            interchange_id=InterchangeId(row[4]),
            accepted_at=instant(row[5]),
            version=row[6],
            function=row[7],
            key=Subject(row[8], row[9], row[10]),
            destinations=tuple(row[11]),
            regards=None if row[12] is None else MessageId(row[12]),
            on_behalf_of=None if row[13] is None else PartyId(row[13]),
            upstream_id=row[14],
            body=None if row[15] is None else self._codec.unpack(row[15]),
        )
