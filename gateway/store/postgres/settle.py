"""Settlements: what became of claimed legs, and where their heads stand after it.

The heads are locked first, in the order that accepting locks them in too. What is read after that
comes from later statements: it sees the legs of those who held a lock before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from gateway.core.records import Lease, Result, Settlement
from gateway.core.reports import Report
from gateway.store.accounts import READY, Account, by_key, moved
from gateway.store.awaiting import ended
from gateway.store.codec import Codec
from gateway.store.contract import LOOK_AHEAD
from gateway.store.leaf import microseconds
from gateway.store.postgres import awaited, reports
from gateway.store.postgres.connection import Connection, Row, columns
from gateway.store.reports import pack_places

# The state is written so that it proves no partial index: with the statistics of an empty table the
# whole of head_wake looked as cheap as a probe, and a plan that was made then is kept.
HEADS = """
SELECT key, next, last, lane, due, urgent FROM head
WHERE destination = $1 AND key = ANY ($2::bigint[]) AND state + 0 = 1 AND token = $3
ORDER BY destination, key FOR UPDATE
"""
DELETE_LEGS = """
DELETE FROM leg AS l USING unnest($2::bigint[], $3::bigint[]) AS done(key, seq)
WHERE l.destination = $1 AND l.key = done.key AND l.seq = done.seq
"""
# From the first leg that was unsettled on: what was deleted before it is not walked over. With the
# next leg come the most urgent lane among those that follow, and the nearest time in it.
FOLLOWING = f"""
SELECT k.key, min(l.seq), min(ARRAY[l.lane, l.due])
FROM unnest($2::bigint[], $3::bigint[]) AS k(key, first) CROSS JOIN LATERAL (
 SELECT seq, lane, due FROM leg WHERE destination = $1 AND key = k.key AND seq >= k.first
 ORDER BY seq LIMIT {LOOK_AHEAD}) AS l
GROUP BY k.key
"""  # noqa: S608 - a number
_DELETE_HEADS = "DELETE FROM head WHERE destination = $1 AND key = ANY ($2::bigint[])"
_MOVE = """
UPDATE head AS h SET state = m.state, lane = m.lane, due = m.due, wake = m.wake, token = m.token,
 next = m.next, last = m.last, urgent = m.urgent
FROM unnest($2::bigint[], $3::integer[], $4::integer[], $5::bigint[], $6::bigint[], $7::text[],
 $8::bigint[], $9::bigint[], $10::bigint[])
 AS m(key, state, lane, due, wake, token, next, last, urgent)
WHERE h.destination = $1 AND h.key = m.key
"""
_TRIED = """
UPDATE leg AS l SET tries = tries + 1 FROM unnest($2::bigint[], $3::bigint[]) AS t(key, seq)
WHERE l.destination = $1 AND l.key = t.key AND l.seq = t.seq
"""
_ATTEMPTS = """
INSERT INTO attempt (record, ordinal, destination, n, at, result, code, detail, evidence, process,
 report, places)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::integer[], $5::bigint[],
 $6::text[], $7::text[], $8::text[], $9::bytea[], $10::text[], $11::bigint[], $12::bytea[])
"""


async def settle(
    connection: Connection,
    lease: Lease,
    settlements: Sequence[Settlement],
    *,
    now: datetime,
    process: str,
    codec: Codec,
) -> bool:
    """Apply settlements within a transaction; whether some key is ready again by it.

    What is under another lease by now is logged as an attempt and changes nothing else. A leg that
    was to be retried or buried while one before it is unsettled comes again after that one.
    """
    accounts = by_key(settlements)
    destination = lease.destination
    heads = await connection.fetch(HEADS, destination, sorted(accounts), lease.token)
    delivered, given_up = ended(settlements, {head[0] for head in heads})
    gone = [(head[0], seq) for head in heads for seq in accounts[head[0]].done]
    if gone:
        await connection.execute(DELETE_LEGS, destination, *columns(gone, 2))
    ready = await _advance(connection, lease, heads, accounts, now=now) if heads else False
    await awaited.delivered(connection, destination, delivered, now=now)
    await awaited.dropped(connection, destination, given_up)
    await _log(connection, settlements, now=now, process=process, codec=codec)
    return ready


async def _advance(
    connection: Connection,
    lease: Lease,
    heads: Sequence[Row],
    accounts: Mapping[int, Account],
    *,
    now: datetime,
) -> bool:
    """Delete heads that have no legs left, put the others where they belong now."""
    destination = lease.destination
    bounds = [(head[0], head[1]) for head in heads]
    following: dict[int, tuple[int, list[int]]] = {
        key: (seq, urgency)
        for key, seq, urgency in await connection.fetch(FOLLOWING, destination, *columns(bounds, 2))
    }
    over = [head[0] for head in heads if head[0] not in following]
    if over:
        await connection.execute(_DELETE_HEADS, destination, over)
    moves: list[Row] = []
    tried: list[Row] = []
    for key, _, last, lane, due, urgent in heads:
        if key not in following:
            continue
        seq, urgency = following[key]
        move = moved(lease, accounts[key].stopped, seq=seq, last=last, now=now)
        if move.tried:
            tried.append((key, seq))
        standing = (lane, due, urgent) if seq <= urgent else (*urgency, 0)
        moves.append(
            (key, move.state, *standing[:2], move.wake, move.token, seq, move.last, standing[2])
        )
    if moves:
        await connection.execute(_MOVE, destination, *columns(moves, 9))
    if tried:
        await connection.execute(_TRIED, destination, *columns(tried, 2))
    return any(move[1] == READY for move in moves)


async def _log(
    connection: Connection,
    settlements: Sequence[Settlement],
    *,
    now: datetime,
    process: str,
    codec: Codec,
) -> None:
    made = [s for s in settlements if s.result is not Result.RETURNED]
    if not made:
        return
    digests = [None if s.report is None else s.report.digest.hex() for s in made]
    numbers = await reports.numbers(connection, _told(digests, made))
    at = microseconds(now)
    rows = [
        (
            s.delivery.message.record,
            s.delivery.message.ordinal,
            s.delivery.destination,
            s.delivery.tries + 1,
            at,
            s.result.value,
            storable(s.code),
            storable(s.detail),
            None if s.evidence is None else codec.pack_token(s.evidence),
            process,
            None if digest is None else numbers[digest],
            None if s.report is None else pack_places(s.report, codec),
        )
        for s, digest in zip(made, digests, strict=True)
    ]
    await connection.execute(_ATTEMPTS, *columns(rows, 12))


def storable(text: str) -> str:
    """A text from outside as PostgreSQL takes it: without U+0000 and halves of characters."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()


def _told(
    digests: Iterable[str | None], settlements: Iterable[Settlement]
) -> Iterator[tuple[str, Report]]:
    for digest, settlement in zip(digests, settlements, strict=True):
        if digest is not None and settlement.report is not None:
            yield digest, settlement.report
