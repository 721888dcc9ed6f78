"""What is over is removed: ranges of rows, and whole windows where nothing of them has to stay.

The same meaning as ``gateway.store.sqlite.pruning``. Deleting rows leaves space that the server
uses again; a window that has become empty is detached and dropped, which gives its disk back.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Any

from gateway.core.retention import REFUSED, SEEN, TRACE, Pruned, Rule
from gateway.store.postgres.connection import Connection
from gateway.store.postgres.partitions import BODY_TABLES, RARE_BODIES, partition

TABLES = """
-- It was reserved, and empty. One of value (a subject's) and record is set; ordinal: one message.
DROP TABLE hold;
CREATE TABLE hold (
  no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, value text COLLATE "C", record bigint,
  ordinal bigint, reason text NOT NULL, placed_by text NOT NULL, since bigint NOT NULL, until bigint
);
-- Up to which record number a rule is done; kinds: of messages, as it was then.
CREATE TABLE pruning (
  rule text COLLATE "C" PRIMARY KEY, kinds text[] NOT NULL, position bigint NOT NULL
);
-- Interchanges before that position that were open or held.
CREATE TABLE left_over (
  rule text COLLATE "C" NOT NULL, record bigint NOT NULL, PRIMARY KEY (rule, record)
);
-- From which record number up to which content was removed, when, and how old it had to be.
CREATE TABLE removal (
  rule text COLLATE "C" NOT NULL, first bigint NOT NULL, past bigint NOT NULL, at bigint NOT NULL,
  days integer NOT NULL, PRIMARY KEY (rule, first, past)
);
-- The bytes in use after each run.
CREATE TABLE measured (at bigint PRIMARY KEY, used bigint NOT NULL);
"""
"""A step of ``schema.MIGRATIONS``."""

CONTENT_TABLES = ("raw", *BODY_TABLES.values(), RARE_BODIES)
"""What a window of content consists of."""

_HOLDS = 0x686F6C64  # "hold"
_PAST = {
    "message": "SELECT record FROM message WHERE record >= $1 AND record < $2"
    " ORDER BY record, ordinal LIMIT 1 OFFSET $3",
    "interchange": "SELECT record FROM interchange WHERE record >= $1 AND record < $2"
    " ORDER BY record LIMIT 1 OFFSET $3",
}
_RANGE = "{0}.record >= $1 AND {0}.record < $2"
_OPEN = """
SELECT DISTINCT m.record, m.ordinal FROM message AS m
 CROSS JOIN LATERAL unnest(m.destinations) AS d(destination)
 JOIN leg AS l ON l.destination = d.destination COLLATE "C" AND l.key = m.subject
  AND l.record = m.record AND l.ordinal = m.ordinal
WHERE m.record >= $1 AND m.record < $2
UNION SELECT record, ordinal FROM awaited WHERE record >= $1 AND record < $2
"""
_HELD = """
SELECT r.record, r.ordinal FROM hold AS h JOIN subject AS s ON s.value = h.value
 JOIN ref AS r ON r.subject = s.no AND r.record >= $1 AND r.record < $2
WHERE h.until IS NULL OR h.until > $3
UNION SELECT m.record, m.ordinal FROM hold AS h
 JOIN message AS m ON m.record = h.record AND m.record >= $1 AND m.record < $2
WHERE h.record >= $1 AND h.record < $2 AND (h.ordinal IS NULL OR h.ordinal = m.ordinal)
 AND (h.until IS NULL OR h.until > $3)
"""
_HELD_WHOLE = """
SELECT record FROM hold
WHERE record >= $1 AND record < $2 AND ordinal IS NULL AND (until IS NULL OR until > $3)
"""
_COVERED = "(m.kind = ANY ($3::text[])) = $4"
_NOT_KEPT = """
NOT EXISTS (SELECT 1 FROM unnest($5::bigint[], $6::bigint[]) AS k(record, ordinal)
 WHERE k.record = m.record AND k.ordinal = m.ordinal)
"""
_BODIES = f"""
DELETE FROM body AS b USING message AS m
WHERE {_RANGE.format("m")} AND {_RANGE.format("b")} AND b.kind = m.kind AND b.record = m.record
 AND b.ordinal = m.ordinal AND {_COVERED} AND {_NOT_KEPT}
"""  # noqa: S608 - constants
_DETAILS = f"""
UPDATE attempt AS a SET detail = '' FROM message AS m
WHERE {_RANGE.format("m")} AND {_RANGE.format("a")} AND a.record = m.record
 AND a.ordinal = m.ordinal AND a.detail <> '' AND {_COVERED} AND {_NOT_KEPT}
"""  # noqa: S608 - constants
_CONTENTS = f"""
DELETE FROM raw AS r WHERE {_RANGE.format("r")} AND r.record IN (
 SELECT m.record FROM message AS m WHERE {_RANGE.format("m")} AND {_COVERED}
) AND r.record <> ALL ($5::bigint[]) RETURNING r.slice
"""  # noqa: S608 - constants
_LEFT = """
SELECT DISTINCT m.record FROM unnest($1::bigint[], $2::bigint[]) AS k(record, ordinal)
 JOIN message AS m ON m.record = k.record AND m.ordinal = k.ordinal
WHERE (m.kind = ANY ($3::text[])) = $4
"""
_REFUSED = f"""
DELETE FROM raw AS r WHERE {_RANGE.format("r")} AND r.record IN (
 SELECT i.record FROM interchange AS i WHERE {_RANGE.format("i")} AND i.state = 'refused'
) AND r.record <> ALL ($3::bigint[]) RETURNING r.slice
"""  # noqa: S608 - constants
_REFUSED_LEFT = """
SELECT record FROM interchange WHERE state = 'refused' AND record = ANY ($1::bigint[])
"""
_WITH_BODY = "SELECT DISTINCT record FROM body WHERE record >= $1 AND record < $2"
_NOT_LEFT = "record >= $1 AND record < $2 AND record <> ALL ($3::bigint[])"
_SUBJECTS = f"""
SELECT subject FROM message WHERE {_NOT_LEFT} UNION SELECT unnest(subjects) FROM message
WHERE {_NOT_LEFT}
"""  # noqa: S608 - constants
_REFS = f"DELETE FROM ref WHERE subject = ANY ($4::bigint[]) AND {_NOT_LEFT}"  # noqa: S608
_TRACES = tuple(
    f"DELETE FROM {table} WHERE {_NOT_LEFT}"  # noqa: S608 - constants
    " AND record IN (SELECT record FROM interchange WHERE record >= $1 AND record < $2)"
    for table in ("reading", "attempt", "message")
)
# Locked in their order: whoever accepts something about them now waits, or is seen.
_UNNAMED = """
SELECT no FROM subject AS s WHERE no = ANY ($1::bigint[]) AND last_record < $2
 AND NOT EXISTS (SELECT 1 FROM ref WHERE ref.subject = s.no)
ORDER BY value, kind, origin, nth FOR UPDATE
"""
_FORGET = """
DELETE FROM seen AS s USING interchange AS i
WHERE i.record >= $1 AND i.record < $2 AND i.state = 'accepted' AND s.record = i.record
 AND ((s.kind = 0 AND s.id = i.interchange_id AND s.party = i.party)
  OR (s.kind = 1 AND s.id = i.control_reference
   AND (s.party = i.party OR (s.party > i.party || '>' AND s.party < i.party || '?'))))
"""
_MOVE = """
INSERT INTO pruning VALUES ($1, $2, $3)
ON CONFLICT (rule) DO UPDATE SET kinds = excluded.kinds, position = excluded.position
"""
_LEAVE = """
INSERT INTO left_over SELECT $1, unnest($2::bigint[]) ON CONFLICT DO NOTHING
"""
_EXTEND = """
UPDATE removal SET past = $3, at = $4 WHERE rule = $1 AND past = $2 AND at / 86400000000 = $5
 AND days = $6 AND first + 1 < past
"""
_REMOVED = """
INSERT INTO removal VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (rule, first, past) DO UPDATE SET at = excluded.at, days = excluded.days
"""
_NOT_OVER = """
SELECT EXISTS (SELECT 1 FROM leg WHERE record >= $1 AND record < $2)
 OR EXISTS (SELECT 1 FROM left_over WHERE record >= $1 AND record < $2)
 OR EXISTS (SELECT 1 FROM awaited WHERE record >= $1 AND record < $2)
 OR EXISTS (SELECT 1 FROM staged WHERE record >= $1 AND record < $2)
"""
_WINDOW_DETAILS = """
UPDATE attempt SET detail = '' WHERE record >= $1 AND record < $2 AND detail <> ''
"""
_DETACHED = """
SELECT c.relname FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
WHERE i.inhdetachpending
"""


def kinds_of(rule: Rule) -> list[str]:
    """What a position is for: another list of kinds begins from the start."""
    return [*rule.kinds, *(("*",) if rule.others else ())]


def _count(tag: str) -> int:
    """The number at the end of a command's tag."""
    return int(tag.rpartition(" ")[2])


async def position(connection: Connection, rule: Rule) -> int:
    """The record number from which a rule has to be looked at."""
    found = await connection.fetchval(
        "SELECT position FROM pruning WHERE rule = $1 AND kinds = $2", rule.name, kinds_of(rule)
    )
    return 0 if found is None else int(found)


async def past(connection: Connection, rule: Rule, first: int, horizon: int, rows: int) -> int:
    """Where the next range of a rule ends: after about ``rows`` rows, with whole records."""
    tables = {REFUSED: ("interchange",), SEEN: ("interchange",), TRACE: tuple(_PAST)}
    end = horizon
    for table in tables.get(rule.name, ("message",)):
        found = await connection.fetchval(_PAST[table], first, horizon, rows)
        if found is None:
            continue
        begins = int(await connection.fetchval(_PAST[table], first, horizon, 0))
        end = min(end, int(found) if found > begins else begins + 1)
    return end


async def keep_holds(connection: Connection) -> None:
    """Within a transaction: until its end nobody else places a hold, or removes what one may name.

    So what is removed was not on hold, and what is put on hold is there or was gone before.
    """
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _HOLDS)


@asynccontextmanager
async def holds_kept(connection: Connection) -> AsyncIterator[None]:
    """The same for what is not one transaction."""
    await connection.execute("SELECT pg_advisory_lock($1)", _HOLDS)
    try:
        yield
    finally:
        await connection.execute("SELECT pg_advisory_unlock($1)", _HOLDS)


async def unsettled(connection: Connection, first: int, end: int) -> set[tuple[int, int]]:
    """Messages of a range with open legs or awaited answers; others will never have any again."""
    return {(row[0], row[1]) for row in await connection.fetch(_OPEN, first, end)}


async def held(
    connection: Connection, first: int, end: int, now: int
) -> tuple[set[tuple[int, int]], set[int]]:
    """Messages of a range under a legal hold, and interchanges of it that are held as a whole."""
    whole = {row[0] for row in await connection.fetch(_HELD_WHOLE, first, end, now)}
    rows = await connection.fetch(_HELD, first, end, now)
    return {(row[0], row[1]) for row in rows}, whole


async def remove(
    connection: Connection,
    rule: Rule,
    first: int,
    end: int,
    *,
    still_open: Collection[tuple[int, int]],
    now: int,
) -> tuple[Pruned, set[int]]:
    """Within a transaction: remove by a rule in a range; what, and the records that stay."""
    await keep_holds(connection)
    messages, whole = await held(connection, first, end, now)
    kept = sorted(messages | set(still_open))
    records = {record for record, _ in kept} | whole
    if rule.name == REFUSED:
        gone = await connection.fetch(_REFUSED, first, end, sorted(records))
        stays = await connection.fetch(_REFUSED_LEFT, sorted(whole))
        return Pruned(contents=_contents(gone)), {row[0] for row in stays}
    if rule.name == SEEN:
        return Pruned(seen=_count(await connection.execute(_FORGET, first, end))), set()
    if rule.name == TRACE:
        records |= {row[0] for row in await connection.fetch(_WITH_BODY, first, end)}
        return await _remove_traces(connection, first, end, sorted(records)), records
    kinds, wanted = list(rule.kinds), not rule.others
    places = [record for record, _ in kept], [ordinal for _, ordinal in kept]
    where = (first, end, kinds, wanted, *places)
    bodies = _count(await connection.execute(_BODIES, *where))
    details = _count(await connection.execute(_DETAILS, *where))
    gone = await connection.fetch(_CONTENTS, first, end, kinds, wanted, sorted(records))
    left = {row[0] for row in await connection.fetch(_LEFT, *places, kinds, wanted)}
    return Pruned(bodies=bodies, contents=_contents(gone), details=details), left


def _contents(slices: Sequence[tuple[Any, ...]]) -> int:
    """Interchanges, by the first of their slices."""
    return sum(row[0] == 0 for row in slices)


async def _remove_traces(connection: Connection, first: int, end: int, left: list[int]) -> Pruned:
    """Messages with all that tells of them; subjects that nothing names any more go with them."""
    rows = await connection.fetch(_SUBJECTS, first, end, left)
    subjects = sorted(row[0] for row in rows)
    await connection.execute(_REFS, first, end, left, subjects)
    count = 0
    for statement in _TRACES:  # messages last: their number is what is told
        count = _count(await connection.execute(statement, first, end, left))
    unnamed = [row[0] for row in await connection.fetch(_UNNAMED, subjects, end)]
    await connection.execute("DELETE FROM version WHERE subject = ANY ($1::bigint[])", unnamed)
    await connection.execute("DELETE FROM subject WHERE no = ANY ($1::bigint[])", unnamed)
    return Pruned(traces=count)


async def advance(
    connection: Connection,
    rule: Rule,
    first: int,
    end: int,
    pruned: Pruned,
    left: Collection[int],
    *,
    now: int,
) -> None:
    """Within the same transaction: what was removed is told, and where the rule stands now."""
    if left:
        await connection.execute(_LEAVE, rule.name, sorted(left))
    await connection.execute(_MOVE, rule.name, kinds_of(rule), end)
    if pruned:
        await tell(connection, rule, first, end, now=now)


async def tell(connection: Connection, rule: Rule, first: int, end: int, *, now: int) -> None:
    """Write down a removal; one that goes on with another of the same day is one with it."""
    day = now // 86_400_000_000
    tag = await connection.execute(_EXTEND, rule.name, first, end, now, day, rule.days)
    if not _count(tag):
        await connection.execute(_REMOVED, rule.name, first, end, now, rule.days)


async def is_over(connection: Connection, first: int, end: int, now: int) -> bool:
    """Whether nothing of a window has to stay: it may be dropped as it is."""
    if await connection.fetchval(_NOT_OVER, first, end):
        return False
    messages, whole = await held(connection, first, end, now)
    return not messages and not whole


async def window_details(connection: Connection, first: int, end: int) -> int:
    """Within a transaction: empty the details of all attempts of a window."""
    return _count(await connection.execute(_WINDOW_DETAILS, first, end))


async def attached(connection: Connection, number: int) -> list[tuple[str, str]]:
    """The content tables of a window that are there, each with its parent."""
    names = {partition(table, number): table for table in CONTENT_TABLES}
    rows = await connection.fetch(
        "SELECT name FROM unnest($1::text[]) AS name WHERE to_regclass(name) IS NOT NULL",
        list(names),
    )
    return [(row[0], names[row[0]]) for row in rows]


async def rows_in(connection: Connection, name: str) -> bool:
    """Whether a table has any row; ``name`` is one of :func:`attached`."""
    return bool(await connection.fetchval(f"SELECT EXISTS (SELECT 1 FROM {name})"))  # noqa: S608 - ours


async def drop(connection: Connection, name: str, parent: str) -> None:
    """Detach a partition without stopping anybody, then drop it. Outside of a transaction.

    Raises what the server says when the locks do not come in time; called again it goes on.
    """
    await connection.execute("SET lock_timeout = '2s'")
    try:
        pending = {row[0] for row in await connection.fetch(_DETACHED)}
        still = await connection.fetchval(
            "SELECT relispartition FROM pg_class WHERE oid = to_regclass($1)", name
        )
        if name in pending:
            await connection.execute(f"ALTER TABLE {parent} DETACH PARTITION {name} FINALIZE")
        elif still:
            await connection.execute(f"ALTER TABLE {parent} DETACH PARTITION {name} CONCURRENTLY")
        await connection.execute(f"DROP TABLE {name}")
    finally:
        await connection.execute("RESET lock_timeout")
