"""Partitions: one table for each window of record numbers, made before the first row comes.

Window n holds the records drawn in the n-th 28 days since the epoch of record numbers. A table is
made by itself and attached then, which waits for no writer; there is no default partition, since
one with rows would have to be searched at each attaching.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from gateway.core.identifiers import COUNTER_BITS, first_record
from gateway.store.postgres.connection import Connection

WINDOW = timedelta(days=28)
WINDOW_RECORDS = int(WINDOW.total_seconds()) << COUNTER_BITS
AHEAD = 4
"""Windows that are made before their time."""
BODY_TABLES = {
    "Order": "body_order",
    "ItemDeclaration": "body_item_declaration",
    "GoodsDeclaration": "body_goods_declaration",
    "CustomsResponse": "body_customs_response",
    "RiskAssessment": "body_risk_assessment",
    "RevenueAssessment": "body_revenue_assessment",
    "TransportEvent": "body_transport_event",
    "Attachment": "body_attachment",
}
"""Where the bodies of frequent kinds are."""
RARE_BODIES = "body_other"
TABLES = (
    *("interchange", "raw", "message", "ref", "attempt", "reading", "proof"),
    *(*BODY_TABLES.values(), RARE_BODIES),
)
"""The tables that are partitioned by windows; each has one partition for each window."""

_LOCK = 0x77696E646F77  # "window": one maker of partitions at a time
_MAKE = """
CREATE TABLE {name} (LIKE {table} INCLUDING ALL);
ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ({first}) TO ({end});
"""


def body_table(kind: str) -> str:
    """The table, partitioned by windows, that has the bodies of a kind."""
    return BODY_TABLES.get(kind, RARE_BODIES)


def window(record: int) -> int:
    """The number of the window that a record falls into."""
    return record // WINDOW_RECORDS


def window_at(at: datetime) -> int:
    """The number of the window of records drawn then."""
    return window(first_record(at))


def partition(table: str, number: int) -> str:
    """The name of a table's partition for a window."""
    return f"{table}_w{number:04}"


def bounds(number: int) -> tuple[int, int]:
    """The first record number of a window and that of the next one."""
    return number * WINDOW_RECORDS, (number + 1) * WINDOW_RECORDS


async def ensure(connection: Connection, windows: range) -> None:
    """Make what is missing of the partitions of these windows, in a transaction of its own.

    Raises what the server says when it takes longer than five seconds to get the locks.
    """
    wanted = {partition(table, number): (table, number) for number in windows for table in TABLES}
    async with connection.transaction():
        await connection.execute("SET LOCAL lock_timeout = '5s'")
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        missing = await connection.fetch(
            "SELECT name FROM unnest($1::text[]) AS name WHERE to_regclass(name) IS NULL",
            list(wanted),
        )
        for (name,) in missing:
            table, number = wanted[name]
            first, end = bounds(number)
            await connection.execute(_MAKE.format(name=name, table=table, first=first, end=end))
