"""What a group of acceptances meets in the store: repeats, conflicts, references used before."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence

from gateway.core.errors import Refused
from gateway.core.records import Acceptance, State, Stored
from gateway.store.codec import Codec
from gateway.store.sqlite.prepared import Prepared
from gateway.store.sqlite.rows import STORED_COLUMNS, Row, listed, stored

Answer = Stored | Refused
_ID, _CONTROL_REFERENCE = 0, 1
_SEEN = """
SELECT s.id, s.party, s.kind, s.digest, s.record FROM json_each(?) AS j CROSS JOIN seen AS s
 ON s.id = json_extract(j.value, '$[0]') AND s.party = json_extract(j.value, '$[1]')
 AND s.kind = json_extract(j.value, '$[2]')
"""


def judged(
    connection: sqlite3.Connection, group: Sequence[Prepared], codec: Codec
) -> Iterator[Answer | None]:
    """For each of the group: ``None`` when it is new, otherwise its answer."""
    wanted = {key for prepared in group for key in keys(prepared.acceptance)}
    known: dict[Row, tuple[bytes, int]] = {
        (id_, party, kind): (digest, record)
        for id_, party, kind, digest, record in connection.execute(_SEEN, (listed(wanted),))
    }
    here: dict[int, Acceptance] = {}
    for prepared in group:
        acceptance = prepared.acceptance
        own, *references = keys(acceptance)
        if own in known:
            digest, record = known[own]
            if digest != prepared.digest:
                yield Refused("interchange.conflict", "the id was accepted with other content")
            elif record in here:
                yield Stored.of(here[record], repeated=True)
            else:
                yield _found(connection, record, codec)
        elif any(reference in known for reference in references):
            yield Refused(
                "interchange.control-reference", "an earlier interchange has the same reference"
            )
        else:
            if acceptance.state is State.ACCEPTED:
                here[acceptance.record] = acceptance
                for key in (own, *references):
                    known[key] = (prepared.digest, acceptance.record)
            yield None


def keys(acceptance: Acceptance) -> tuple[Row, ...]:
    """The id that must be free, and for an accepted one its control reference."""
    own = (acceptance.interchange_id, acceptance.party, _ID)
    if acceptance.state is State.ACCEPTED and acceptance.control_reference is not None:
        return own, (acceptance.control_reference, acceptance.referring, _CONTROL_REFERENCE)
    return (own,)


def _found(connection: sqlite3.Connection, record: int, codec: Codec) -> Stored:
    row = connection.execute(
        f"SELECT {STORED_COLUMNS} FROM interchange AS i WHERE i.record = ?",  # noqa: S608 - constant
        (record,),
    ).fetchone()
    return stored(row, codec, repeated=True)
