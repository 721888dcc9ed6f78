"""What a group of acceptances meets in the file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence

from gateway.core.records import Stored
from gateway.store import judge
from gateway.store.codec import Codec
from gateway.store.judge import Answer
from gateway.store.prepared import Key, Prepared
from gateway.store.sqlite.rows import STORED_COLUMNS, listed, stored

_SEEN = """
SELECT s.id, s.party, s.kind, s.digest, s.record FROM json_each(?) AS j CROSS JOIN seen AS s
 ON s.id = json_extract(j.value, '$[0]') AND s.party = json_extract(j.value, '$[1]')
 AND s.kind = json_extract(j.value, '$[2]')
"""


def judged(
    connection: sqlite3.Connection, group: Sequence[Prepared], codec: Codec
) -> Iterator[Answer | None]:
    """For each of the group: ``None`` when it is new, otherwise its answer."""
    wanted = {key for prepared in group for key in prepared.keys}
    seen: dict[Key, tuple[bytes, int]] = {
        (id_, party, kind): (digest, record)
        for id_, party, kind, digest, record in connection.execute(_SEEN, (listed(wanted),))
    }
    return judge.judged(group, seen, lambda record: _found(connection, record, codec))


def _found(connection: sqlite3.Connection, record: int, codec: Codec) -> Stored:
    row = connection.execute(
        f"SELECT {STORED_COLUMNS} FROM interchange AS i WHERE i.record = ?",  # noqa: S608 - constant
        (record,),
    ).fetchone()
    return stored(row, codec, repeated=True)
